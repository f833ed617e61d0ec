//! Signing in on a machine of one's own: as anybody, with a session that this process signs. Only where `dev.login` says so.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::sessions::KeySource;
use hmac::{Hmac, KeyInit, Mac};
use metering::AccountId;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::refusal::Refusal;
use crate::service::Service;

/// A working day, and a little.
const SECONDS: u64 = 12 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    account: AccountId,
    #[serde(default = "billing_owner")]
    role: String,
    #[serde(default = "somebody")]
    subject: String,
    #[serde(default = "billing")]
    to: String,
}

fn billing_owner() -> String {
    "billing_owner".to_owned()
}

fn somebody() -> String {
    "somebody@dev.tollgate.invalid".to_owned()
}

fn billing() -> String {
    "/billing".to_owned()
}

pub async fn sign_in(State(service): State<Arc<Service>>, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let rules = &service.parts.rules;
    // Checked when the settings were read: `dev.login` goes with a shared secret only.
    let KeySource::Secret(secret) = &rules.keys else { return Err(Refusal::not_found("page")) };
    if !asked.to.starts_with('/') || asked.to.starts_with("//") {
        return Err(Refusal::bad_request("`to` is a path of this console."));
    }
    let now = service.clock.now().as_u64() / 1_000;
    let claims = json!({
        "iss": rules.issuer, "aud": rules.audience, "iat": now, "exp": now + SECONDS, "sub": asked.subject,
        rules.account_claim.as_str(): asked.account, rules.roles_claim.as_str(): [asked.role],
    });
    let session = sign(secret.expose_secret().as_bytes(), &claims).ok_or_else(|| Refusal::not_found("page"))?;
    let cookie = format!("{}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SECONDS}", service.dev_cookie());
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Refusal::bad_request("This makes no cookie."))?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&asked.to)).into_response())
}

/// A compact JWS (RFC 7515) by HS256.
fn sign(secret: &[u8], claims: &Value) -> Option<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "HS256" })), part(claims));
    let mut hash = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    hash.update(signed.as_bytes());
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hash.finalize().into_bytes())))
}
