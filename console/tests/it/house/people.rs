//! People with sessions, as whoever signs them would make them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use metering::AccountId;
use serde_json::{Value, json};
use sha2::Sha256;

use super::House;

/// What sessions of the tests are signed with.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub account: AccountId,
    pub subject: String,
    /// The token that the cookie holds.
    pub session: String,
}

impl House {
    /// Somebody of an account with one role, whose name tells it: `admin@example.org`.
    pub fn person(&self, account: AccountId, role: &str) -> Person {
        self.person_called(account, &format!("{role}@example.org"), &[role])
    }

    /// Somebody of an account by name and roles.
    #[expect(clippy::unused_self, reason = "reads as what a house has")]
    pub fn person_called(&self, account: AccountId, subject: &str, roles: &[&str]) -> Person {
        Person { account, subject: subject.to_owned(), session: sign(SECRET, &claims(account, subject, roles)) }
    }
}

/// The claims of a good session that began a minute ago.
pub fn claims(account: AccountId, subject: &str, roles: &[&str]) -> Value {
    json!({
        "iss": "id.test", "aud": "tollgate", "sub": subject, "account": account, "roles": roles, "ver": 0,
        "iat": now_s() - 60, "exp": now_s() + 3_600,
    })
}

/// A compact JWS by HS256.
pub fn sign(secret: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(claims));
    let mut hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hash.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hash.finalize().into_bytes()))
}

#[expect(clippy::disallowed_methods, reason = "sessions are signed by the real clock, and so are those of tests")]
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
