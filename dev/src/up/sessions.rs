//! Sessions of the seeded accounts: a secret of this machine, and long-lived tokens signed with it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const ISSUER: &str = "https://dev.tollgate.invalid";
const AUDIENCE: &str = "tollgate";
/// Ten years: as long as anybody keeps the data of a setup.
const SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The account of those who run the installation; who signs in to any other pays for it.
pub const OPERATOR: &str = "operator";

/// `[sessions]` of the gateway and of the console.
pub fn settings(secret: &str) -> String {
    format!(
        "[sessions]\nalgorithm = \"HS256\"\nsecret = \"{secret}\"\nissuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n\
         scheme = \"http\"\n"
    )
}

/// A token for each account, by the account's name.
pub fn tokens(secret: &str, accounts: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a token for the gateway of this machine, whose clock is the real one"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("reading the clock")?.as_secs();
    accounts
        .iter()
        .map(|(name, account)| {
            let claims = json!({
                // A minute ago: Redis' clock, which the gateway goes by, may be a little behind.
                "iss": ISSUER, "aud": AUDIENCE, "iat": now - 60, "exp": now + SECONDS,
                "sub": person(name), "account": account, "roles": [role(name)],
            });
            Ok((name.clone(), sign(secret, &claims)?))
        })
        .collect()
}

/// Where the console signs somebody in: as the billing owner of the account, or as an operator.
pub fn login(console: &str, name: &str, accounts: &BTreeMap<String, String>) -> Result<String> {
    let account = accounts.get(name).with_context(|| format!("{name} is seeded"))?;
    let to = if name == OPERATOR { "/operator" } else { "/billing" };
    let (role, subject) = (role(name), person(name));
    Ok(format!("{console}/dev/login?account={account}&role={role}&subject={subject}&to={to}"))
}

fn role(name: &str) -> &'static str {
    if name == OPERATOR { "operator" } else { "billing_owner" }
}

/// Who signs in to an account, which is also where its mails go.
pub fn person(name: &str) -> String {
    format!("{name}@dev.tollgate.invalid")
}

fn sign(secret: &str, claims: &Value) -> Result<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(claims));
    let mut hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).context("taking the secret of sessions")?;
    hash.update(signed.as_bytes());
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hash.finalize().into_bytes())))
}
