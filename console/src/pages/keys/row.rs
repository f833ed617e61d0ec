//! A key as people see it, in the list and on its page.

use metering::{KeyPolicy, Rate, TimeMs};

use crate::keys::seen::{CapUse, Seen, SeenKey, State};
use crate::pages::when::When;
use crate::show;

/// One key.
pub struct KeyRow {
    pub id: String,
    pub name: String,
    /// Its first letters; that more follow is said by a sign.
    pub prefix: String,
    pub mode: String,
    /// Where it stands, in a word or two, and how its badge looks.
    pub state: &'static str,
    pub tone: &'static str,
    /// What belongs to it, as “until”, and when.
    pub since: Option<(&'static str, Option<When>)>,
    /// The key that replaces it.
    pub replaced_by: Option<String>,
    pub caps: Vec<CapRow>,
    /// Scopes and addresses that it is held to.
    pub held: Vec<String>,
    /// How often it may be used; operators set that.
    pub rates: Vec<String>,
    pub created: When,
    pub last_used: Option<When>,
    /// What it drew in this period.
    pub drawn: String,
    pub is_good: bool,
    pub can_rotate: bool,
}

/// A cap and what is drawn of it.
pub struct CapRow {
    /// “today”, “this period”.
    pub of: &'static str,
    pub used: String,
    pub limit: String,
    pub percent: u64,
    pub is_full: bool,
    pub resets: When,
}

impl KeyRow {
    pub fn of(key: &SeenKey, seen: &Seen) -> Self {
        let (state, tone, since) = state(key.state, seen.refused_because().is_some());
        let replaced_by = match key.state {
            State::Rotated { by, .. } | State::Replaced { by, .. } => Some(by.to_string()),
            _ => None,
        };
        let view = &key.view;
        let caps = [("today", key.day), ("this period", key.month)];
        Self {
            id: view.key.to_string(),
            name: view.name.clone(),
            prefix: format!("{}…", view.prefix),
            mode: view.mode.clone(),
            state,
            tone,
            since,
            can_rotate: key.state.is_good() && replaced_by.is_none(),
            replaced_by,
            caps: caps.into_iter().filter_map(|(of, cap)| Some(CapRow::of(of, cap?))).collect(),
            held: held(&view.policy),
            rates: view.policy.rates().iter().map(rate).collect(),
            created: When::instant(view.created_at),
            last_used: view.last_used_at.map(When::instant),
            drawn: show::credits(key.drawn),
            is_good: key.state.is_good(),
        }
    }
}

impl CapRow {
    fn of(of: &'static str, cap: CapUse) -> Self {
        Self {
            of,
            used: show::credits(cap.used),
            limit: show::credits(cap.limit),
            percent: show::percent(cap.used, cap.limit),
            is_full: cap.used >= cap.limit,
            resets: When::instant(cap.resets_at),
        }
    }
}

type Told = (&'static str, &'static str, Option<(&'static str, Option<When>)>);

/// A word, how its badge looks, and what belongs to it.
fn state(state: State, refused: bool) -> Told {
    let told = |words: &'static str, at: TimeMs| Some((words, Some(When::instant(at))));
    match state {
        _ if refused && state.is_good() => ("Refused", "bad", Some(("as long as the account is blocked", None))),
        State::Active => ("Active", "good", None),
        State::Expires(at) => ("Active", "good", told("expires", at)),
        State::Rotated { until, .. } => ("Replaced", "warn", told("both are good until", until)),
        State::Expired(at) => ("Expired", "", told("since", at)),
        State::Replaced { at, .. } => ("Replaced", "", told("ended", at)),
        State::Revoked(at) => ("Revoked", "", told("since", at)),
    }
}

/// What a key is held to beside its caps and rates.
fn held(policy: &KeyPolicy) -> Vec<String> {
    let list = |what: &str, words: Vec<String>| (!words.is_empty()).then(|| format!("{what} {}", words.join(", ")));
    let scopes = policy.scopes().iter().map(ToString::to_string).collect();
    let addresses = policy.addresses().iter().map(ToString::to_string).collect();
    list("Scopes:", scopes).into_iter().chain(list("Only from", addresses)).collect()
}

fn rate(rate: &Rate) -> String {
    let (count, burst) = (show::number(rate.count().into()), show::number(rate.burst().into()));
    let calls = if rate.count() == 1 { "call" } else { "calls" };
    format!("At most {count} {calls} in {}, {burst} at once", show::span(rate.per_ms()))
}

#[cfg(test)]
mod tests {
    use metering::{Credits, KeyCaps, Status};

    use super::*;
    use crate::billing::balance::Source;
    use crate::keys::seen::tests::{NOW, id, key};

    fn row(state: State, status: Status) -> KeyRow {
        let seen_key =
            SeenKey { view: key(1, KeyCaps::default()), state, day: None, month: None, drawn: Credits::ZERO };
        let seen = Seen { keys: vec![], status, source: Source::Live };
        KeyRow::of(&seen_key, &seen)
    }

    #[test]
    fn a_good_key_of_a_blocked_account_is_shown_as_refused_and_an_ended_one_as_ended() {
        assert_eq!(row(State::Active, Status::Trial).state, "Active");
        for status in [Status::PaymentFailed, Status::Suspended, Status::Pending] {
            assert_eq!((row(State::Active, status).state, row(State::Active, status).tone), ("Refused", "bad"));
            assert_eq!(row(State::Revoked(NOW), status).state, "Revoked");
        }
    }

    #[test]
    fn only_a_good_key_that_nothing_replaces_is_rotated() {
        let can = |state| row(state, Status::Active).can_rotate;
        assert!(can(State::Active) && can(State::Expires(NOW)));
        assert!(!can(State::Rotated { until: NOW, by: id(2) }) && !can(State::Revoked(NOW)));
    }

    #[test]
    fn what_a_key_is_held_to_is_told_in_sentences() {
        let text = r#"{"scopes":["a","b"],"addresses":["10.0.0.0/8"],"rates":[{"name":"m","count":1,"per_ms":60000,"burst":5}]}"#;
        let policy: KeyPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(held(&policy), ["Scopes: a, b", "Only from 10.0.0.0/8"]);
        assert_eq!(rate(&policy.rates()[0]), "At most 1 call in 60 s, 5 at once");
        assert!(held(&KeyPolicy::default()).is_empty());
    }
}
