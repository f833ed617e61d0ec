//! What the claims of a verified token must say, with the types they must have.

use std::fmt;

use http::HeaderValue;
use metering::{AccountId, SessionSubject, SessionVersion, TimeMs};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::session::{Session, SessionFault};

/// The end of the year 9999, in seconds. A later time is one in other units, and a session that never ends.
const SECONDS_MAX: u64 = 253_402_300_799;
/// Longest role, in bytes; and most roles.
const ROLE_BYTES_MAX: usize = 64;
const ROLES_MAX: usize = 32;

pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub account_claim: &'a str,
    pub roles_claim: &'a str,
    pub version_claim: &'a str,
    pub leeway_seconds: u64,
}

/// The claims as signed, each name once: who reads the first of two and who reads the last would see different persons.
pub struct Claims(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Claims;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("claims, each once")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut written: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = written.next_entry()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

impl Expected<'_> {
    pub fn read(&self, claims: &Map<String, Value>, now: TimeMs) -> Result<Session, SessionFault> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or(SessionFault::Malformed);
        // Seconds as whole numbers; RFC 7519 would allow fractions, which nobody sends.
        let seconds = |name: &str| {
            let number = claims.get(name).and_then(Value::as_u64);
            number.filter(|number| *number <= SECONDS_MAX).ok_or(SessionFault::Malformed)
        };
        if text("iss")? != self.issuer {
            return Err(SessionFault::OtherIssuer);
        }
        if !names(claims.get("aud"), self.audience)? {
            return Err(SessionFault::OtherAudience);
        }
        let expires_at = TimeMs::new(seconds("exp")?.saturating_mul(1_000));
        let valid_from = seconds("iat")?.max(if claims.contains_key("nbf") { seconds("nbf")? } else { 0 });
        let leeway_ms = self.leeway_seconds * 1_000;
        if TimeMs::new(valid_from.saturating_mul(1_000)) > now.plus_ms(leeway_ms) {
            return Err(SessionFault::NotYetValid);
        }
        let account: AccountId = text(self.account_claim)?.parse().map_err(|_| SessionFault::Malformed)?;
        let subject: SessionSubject = text("sub")?.parse().map_err(|_| SessionFault::Malformed)?;
        let session = Session {
            account,
            account_value: HeaderValue::from_str(&account.to_string()).map_err(|_| SessionFault::Malformed)?,
            subject_value: HeaderValue::from_str(subject.as_str()).map_err(|_| SessionFault::Malformed)?,
            subject_digest: subject.digest(),
            subject,
            version: version(claims.get(self.version_claim))?,
            roles: roles(claims.get(self.roles_claim))?,
            expires_at,
        };
        // Last, so that only a token that was once good is called expired.
        if expires_at.plus_ms(leeway_ms) <= now {
            return Err(SessionFault::Expired);
        }
        Ok(session)
    }
}

/// Whether the claim is this text, or a list of texts that holds it.
fn names(claim: Option<&Value>, wanted: &str) -> Result<bool, SessionFault> {
    match claim {
        Some(Value::String(text)) => Ok(text == wanted),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => Ok(list.iter().any(|text| text == wanted)),
        _ => Err(SessionFault::Malformed),
    }
}

/// None is the first, so that sessions end where nobody counts them.
fn version(claim: Option<&Value>) -> Result<SessionVersion, SessionFault> {
    let Some(claim) = claim else { return Ok(SessionVersion::FIRST) };
    let number = claim.as_u64().ok_or(SessionFault::Malformed)?;
    SessionVersion::new(number).map_err(|_| SessionFault::Malformed)
}

fn roles(claim: Option<&Value>) -> Result<Vec<String>, SessionFault> {
    let Some(claim) = claim else { return Ok(Vec::new()) };
    let list = claim.as_array().filter(|list| list.len() <= ROLES_MAX).ok_or(SessionFault::Malformed)?;
    let role = |role: &Value| role.as_str().filter(|role| role.len() <= ROLE_BYTES_MAX).map(str::to_owned);
    list.iter().map(role).collect::<Option<_>>().ok_or(SessionFault::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const EXPECTED: Expected<'_> = Expected {
        issuer: "id",
        audience: "us",
        account_claim: "account",
        roles_claim: "roles",
        version_claim: "ver",
        leeway_seconds: 5,
    };

    fn read(change: &Value) -> Result<Session, SessionFault> {
        let mut claims = json!({
            "iss": "id", "aud": "us", "sub": "ann", "exp": NOW + 60, "iat": NOW - 60,
            "account": "acct_00000000000000000000000000000002", "roles": ["admin"],
        });
        let changes = change.as_object().unwrap();
        let claims = claims.as_object_mut().unwrap();
        for (name, value) in changes {
            claims.insert(name.clone(), value.clone());
            claims.retain(|_, value| *value != json!("absent"));
        }
        EXPECTED.read(claims, TimeMs::new(NOW * 1_000))
    }

    #[test]
    fn a_good_token_names_account_person_and_roles() {
        let session = read(&json!({ "aud": ["other", "us"], "exp": NOW - 4, "iat": NOW + 5, "nbf": NOW })).unwrap();
        assert_eq!(session.account.to_string(), "acct_00000000000000000000000000000002");
        assert_eq!((session.subject.as_str(), session.roles.as_slice()), ("ann", &["admin".to_owned()][..]));
        assert_eq!((session.subject_value.as_bytes(), session.account_value.len()), (&b"ann"[..], 37));
        assert_eq!(read(&json!({ "roles": "absent" })).unwrap().roles, Vec::<String>::new());
        let version = |claims| read(&claims).unwrap().version.get();
        assert_eq!((version(json!({})), version(json!({ "ver": 0 })), version(json!({ "ver": 7 }))), (0, 0, 7));
    }

    #[test]
    fn every_claim_must_be_there_in_its_type() {
        for name in ["iss", "aud", "sub", "exp", "iat", "account"] {
            for wrong in [json!("absent"), json!(null), json!({}), json!([5]), json!(1.5), json!(-1), json!(true)] {
                assert_eq!(read(&json!({ name: wrong })).err(), Some(SessionFault::Malformed), "{name} {wrong}");
            }
        }
        for (name, wrong) in [
            ("exp", json!("1800000060")),
            ("nbf", json!("1800000000")),
            ("sub", json!("")),
            ("sub", json!("x".repeat(257))),
            ("sub", json!("a\r\nTollgate-Account: b")),
            ("sub", json!("ä")),
            ("account", json!("acct_2")),
            ("account", json!(" acct_00000000000000000000000000000002")),
            ("roles", json!("admin")),
            ("roles", json!([1])),
            ("roles", json!(["x".repeat(65)])),
            ("roles", json!(vec!["x"; 33])),
            ("ver", json!(null)),
            ("ver", json!("1")),
            ("ver", json!(1.0)),
            ("ver", json!(-1)),
            ("ver", json!([1])),
            ("ver", json!(true)),
            ("ver", json!(9_007_199_254_740_992_u64)),
        ] {
            assert_eq!(read(&json!({ name: wrong })).err(), Some(SessionFault::Malformed), "{name} {wrong}");
        }
    }

    #[test]
    fn who_it_is_for_and_when_it_holds() {
        for (change, fault) in [
            (json!({ "iss": "another" }), SessionFault::OtherIssuer),
            (json!({ "aud": "another" }), SessionFault::OtherAudience),
            (json!({ "aud": [] }), SessionFault::OtherAudience),
            (json!({ "exp": NOW - 5 }), SessionFault::Expired),
            (json!({ "exp": 0 }), SessionFault::Expired),
            (json!({ "iat": NOW + 6 }), SessionFault::NotYetValid),
            (json!({ "nbf": NOW + 6 }), SessionFault::NotYetValid),
            (json!({ "iat": SECONDS_MAX }), SessionFault::NotYetValid),
            (json!({ "iat": u64::MAX }), SessionFault::Malformed),
            (json!({ "exp": (NOW + 60) * 1_000 }), SessionFault::Malformed),
        ] {
            assert_eq!(read(&change).err(), Some(fault), "{change}");
        }
        assert!(read(&json!({ "exp": SECONDS_MAX })).is_ok());
    }
}
