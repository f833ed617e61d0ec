//! The fields of a key's forms: what was typed, and what of it is wrong.

use std::collections::BTreeMap;

use metering::{KeyCaps, KeyPolicy, TimeMs};
use serde::Deserialize;

use crate::keys::asked::{self, Asked};

/// As typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub name: String,
    pub mode: String,
    pub scopes: String,
    pub addresses: String,
    pub cap_day: String,
    pub cap_month: String,
    pub expires: String,
    /// Of a form that makes a key: sent twice, it makes one.
    pub nonce: String,
    /// Of a form that changes one: what the key was held to when it was shown.
    pub held: String,
}

/// As shown.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub typed: Typed,
    wrong: BTreeMap<&'static str, String>,
}

impl Fields {
    /// For a new key.
    pub fn empty(nonce: String) -> Self {
        Self::typed(Typed { mode: "live".to_owned(), nonce, ..Typed::default() })
    }

    /// What was typed, and nothing is wrong with it.
    pub fn typed(typed: Typed) -> Self {
        Self { typed, wrong: BTreeMap::new() }
    }

    /// Of what a key is held to.
    pub fn of(policy: &KeyPolicy) -> Self {
        let lines = |words: Vec<String>| words.join("\n");
        let cap = |cap: Option<metering::Credits>| cap.map(|cap| cap.get().to_string()).unwrap_or_default();
        let typed = Typed {
            scopes: lines(policy.scopes().iter().map(ToString::to_string).collect()),
            addresses: lines(policy.addresses().iter().map(ToString::to_string).collect()),
            cap_day: cap(policy.caps().day),
            cap_month: cap(policy.caps().month),
            held: fingerprint(policy),
            ..Typed::default()
        };
        Self::typed(typed)
    }

    /// What is wrong with a field.
    pub fn wrong(&self, field: &str) -> Option<&str> {
        self.wrong.get(field).map(String::as_str)
    }

    /// Reads a key that shall be made, or says what is wrong, all of it at once.
    pub fn read_new(typed: Typed, now: TimeMs) -> Result<(Asked, Typed), Box<Self>> {
        let mut reading = Reading::of(typed);
        let name = reading.field("name", |typed| asked::name(&typed.name));
        let mode = reading.field("mode", |typed| asked::mode(&typed.mode));
        let expires_at = reading.field("expires", |typed| asked::expires_on(&typed.expires, now));
        let policy = reading.policy(&KeyPolicy::default());
        match (name, mode, expires_at, policy) {
            (Some(name), Some(mode), Some(expires_at), Some(policy)) => {
                Ok((Asked { name, mode, expires_at, policy }, reading.0.typed))
            }
            _ => Err(Box::new(reading.0)),
        }
    }

    /// Reads what a key shall be held to; what operators set stays as it is.
    pub fn read_policy(typed: Typed, held_to: &KeyPolicy) -> Result<KeyPolicy, Box<Self>> {
        let mut reading = Reading::of(typed);
        reading.policy(held_to).ok_or_else(|| Box::new(reading.0))
    }

    /// Reads when a key shall expire.
    pub fn read_expiry(typed: Typed, now: TimeMs) -> Result<(Option<TimeMs>, Typed), Box<Self>> {
        let mut reading = Reading::of(typed);
        match reading.field("expires", |typed| asked::expires_on(&typed.expires, now)) {
            Some(expires_at) => Ok((expires_at, reading.0.typed)),
            None => Err(Box::new(reading.0)),
        }
    }
}

/// What a policy says, in a few letters, to tell whether it was changed meanwhile.
pub fn fingerprint(policy: &KeyPolicy) -> String {
    let text = serde_json::to_vec(policy).unwrap_or_default();
    metering::Fingerprint::of(&[&text]).hex()
}

/// Fields that are being read; what is wrong is gathered.
struct Reading(Fields);

impl Reading {
    fn of(typed: Typed) -> Self {
        Self(Fields::typed(typed))
    }

    fn field<T>(&mut self, field: &'static str, read: impl FnOnce(&Typed) -> Result<T, String>) -> Option<T> {
        read(&self.0.typed).map_err(|why| self.0.wrong.insert(field, why)).ok()
    }

    fn policy(&mut self, held_to: &KeyPolicy) -> Option<KeyPolicy> {
        let scopes = self.field("scopes", |typed| asked::scopes(asked::words(&typed.scopes)));
        let addresses = self.field("addresses", |typed| asked::addresses(asked::words(&typed.addresses)));
        let day = self.field("cap_day", |typed| asked::cap(&typed.cap_day));
        let month = self.field("cap_month", |typed| asked::cap(&typed.cap_month));
        let caps = KeyCaps { day: day?, month: month? };
        let (scopes, addresses) = (scopes?, addresses?);
        // Lists that are too long are all that can still be wrong.
        self.field("scopes", |_| asked::policy(scopes, addresses, caps, held_to.rates()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimeMs = TimeMs::new(1_795_665_600_000);

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_what_was_typed_stays() {
        let typed = Typed {
            scopes: "Messages".to_owned(),
            addresses: "here".to_owned(),
            cap_day: "-1".to_owned(),
            expires: "tomorrow".to_owned(),
            ..Typed::default()
        };
        let fields = Fields::read_new(typed, NOW).unwrap_err();
        for field in ["name", "mode", "scopes", "addresses", "cap_day", "expires"] {
            assert!(fields.wrong(field).is_some(), "{field}");
        }
        assert_eq!((fields.wrong("cap_month"), fields.typed.addresses.as_str()), (None, "here"));
    }

    #[test]
    fn a_form_that_is_sent_back_untouched_changes_nothing() {
        let text = r#"{"scopes":["a","b"],"addresses":["10.0.0.0/8"],"rates":[{"name":"m","count":6,"per_ms":60000,"burst":6}],"caps":{"day":9}}"#;
        let policy: KeyPolicy = serde_json::from_str(text).unwrap();
        let fields = Fields::of(&policy);
        assert_eq!(fields.typed.held, fingerprint(&policy));
        assert_ne!(fields.typed.held, fingerprint(&KeyPolicy::default()));
        assert_eq!(Fields::read_policy(fields.typed, &policy).unwrap(), policy);
    }

    #[test]
    fn a_list_that_is_too_long_is_refused_at_its_field() {
        let scopes = (0..65).map(|number| format!("s{number}")).collect::<Vec<_>>().join(" ");
        let fields = Fields::read_policy(Typed { scopes, ..Typed::default() }, &KeyPolicy::default()).unwrap_err();
        assert!(fields.wrong("scopes").unwrap().contains("64 scopes"));
    }
}
