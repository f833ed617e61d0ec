//! Writes of `/api/billing/keys`: making, holding to something, rotating, revoking; for admins and the billing owner.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metering::{Credits, KeyCaps, KeyId, KeyMode, KeyPolicy, TimeMs};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::one;
use crate::api::keys::item::Key;
use crate::api::once::OnceKey;
use crate::api::refused::WriteRefused;
use crate::caller::AccountAdmin;
use crate::input::{Json, Path};
use crate::keys::asked::{self, Asked};
use crate::keys::change::{self, GRACE_MS_MAX, Made, Replace};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

const MS_A_SECOND: u64 = 1_000;

/// A key that shall be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// For people.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Whether it is for real work; `live` where it is not said.
    #[serde(default)]
    mode: Mode,
    /// Scopes that it has; none = all.
    #[serde(default)]
    #[schema(value_type = Vec<ScopeWord>, max_items = 64)]
    scopes: Vec<String>,
    /// Addresses from which it may be used, as `203.0.113.0/24`, `2001:db8::/32` or `203.0.113.7`; none = from anywhere.
    #[serde(default)]
    #[schema(max_items = 64)]
    addresses: Vec<String>,
    /// The most it may draw in a day (UTC); `null` or 0 = no cap.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    cap_day: Option<u64>,
    /// The most it may draw in a budget period of the account; `null` or 0 = no cap.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    cap_month: Option<u64>,
    /// First instant at which it is refused; `null` = never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Whether a key is for real work or for trying things; both draw credits.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `tg_live_…`
    #[default]
    Live,
    /// `tg_test_…`
    Test,
}

/// A word by which routes are opened.
#[derive(ToSchema)]
#[schema(pattern = "^[a-z0-9_.:-]{1,64}$", examples("messages:write"))]
#[expect(
    dead_code,
    reason = "for the description: what is asked for is read word by word, to say which of them is wrong"
)]
pub struct ScopeWord(String);

/// What a key shall be held to; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "not said, null and a value are three things")]
pub struct KeyChange {
    /// Scopes that it has; `null` or none = all.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<ScopeWord>>, required = false, max_items = 64)]
    scopes: Option<Option<Vec<String>>>,
    /// Addresses from which it may be used; `null` or none = from anywhere.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<String>>, required = false, max_items = 64)]
    addresses: Option<Option<Vec<String>>>,
    /// The most it may draw in a day (UTC); `null` or 0 = no cap.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>, required = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    cap_day: Option<Option<u64>>,
    /// The most it may draw in a budget period of the account; `null` or 0 = no cap.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>, required = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    cap_month: Option<Option<u64>>,
}

/// Tells `null` from what is left out.
#[expect(clippy::option_option, reason = "not said, null and a value are three things")]
fn said<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// How a key shall be replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// How long the old key is still good, in seconds: 0 ends it now, 7 days are the most.
    #[schema(minimum = 0, maximum = 604_800)]
    grace_s: u64,
    /// First instant at which the new key is refused; `null` = never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A key with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
pub struct KeyMade {
    /// Its id.
    id: String,
    /// The whole key. Keep it now.
    secret: String,
    /// When the key that it replaces ends; `null` where it replaces none.
    old_ends_at: Option<String>,
}

/// Makes a key. Its secret is in this answer and nowhere else; under the same `Idempotency-Key` it is not made again, and the answer is 409
/// `idempotency_key_used` with the id of the key in `made`. An account has at most 500 good keys (409 `too_many_keys`).
#[utoipa::path(post, path = "/api/billing/keys", tag = "keys", operation_id = "key_create", request_body = NewKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 letters without spaces.")),
    responses(WriteRefused, (status = 201, body = KeyMade, headers(("Location" = String, description = "The key.")))))]
pub async fn create(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    once: OnceKey,
    Json(new): Json<NewKey>,
) -> Result<Response, Refusal> {
    let asked = new.read(service.clock.now()).map_err(Refusal::invalid)?;
    Box::pin(change::create(&service, &caller, once, asked)).await.map(|made| answer(&made))
}

/// Replaces a key by a new one of the same name, mode and policy. Until the grace is over both are good, and count as one for rates and caps.
/// The secret is in this answer and nowhere else, as that of a new key.
#[utoipa::path(post, path = "/api/billing/keys/{key}/rotate", tag = "keys", operation_id = "key_rotate", request_body = KeyRotation,
    params(("key" = String, Path, description = "The old key's id."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 200 letters without spaces.")),
    responses(WriteRefused, (status = 201, body = KeyMade, headers(("Location" = String, description = "The new key.")))))]
pub async fn rotate(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
    once: OnceKey,
    Json(rotation): Json<KeyRotation>,
) -> Result<Response, Refusal> {
    let grace_ms = rotation.grace_s.saturating_mul(MS_A_SECOND);
    if grace_ms > GRACE_MS_MAX {
        return Err(Refusal::invalid("`grace_s` is 0 to 604800: 7 days."));
    }
    let expires_at = expiry(rotation.expires_at.as_deref(), service.clock.now()).map_err(Refusal::invalid)?;
    let replace = Replace::of(&change::own(&service, &caller, key).await?, grace_ms, expires_at);
    Box::pin(change::rotate(&service, &caller, once, replace)).await.map(|made| answer(&made))
}

/// Holds a key to something else; what the body leaves out stays as it is, also how often it may be used, which operators set.
#[utoipa::path(patch, path = "/api/billing/keys/{key}", tag = "keys", operation_id = "key_change", request_body = KeyChange,
    params(("key" = String, Path, description = "Its id.")), responses(WriteRefused, (status = 200, body = Key)))]
pub async fn hold(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
    Json(asked): Json<KeyChange>,
) -> Result<axum::Json<Key>, Refusal> {
    let held = change::own(&service, &caller, key).await?;
    let policy = asked.over(&held.policy).map_err(Refusal::invalid)?;
    change::hold(&service, &caller, &held, &policy).await?;
    one(&service, &caller, key).await.map(axum::Json)
}

/// Revokes a key: calls with it are refused within a second. Once more changes nothing.
#[utoipa::path(delete, path = "/api/billing/keys/{key}", tag = "keys", operation_id = "key_revoke",
    params(("key" = String, Path, description = "Its id.")), responses(WriteRefused, (status = 200, body = Key)))]
pub async fn revoke(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
) -> Result<axum::Json<Key>, Refusal> {
    change::revoke(&service, &caller, key).await?;
    one(&service, &caller, key).await.map(axum::Json)
}

/// Nothing is read of the book any more: what can't be shown twice is not lost over it.
fn answer(made: &Made) -> Response {
    let place = format!("/api/billing/keys/{}", made.key);
    let body = KeyMade {
        id: made.key.to_string(),
        secret: made.secret.reveal().to_owned(),
        old_ends_at: made.old_ends_at.map(show::machine),
    };
    (StatusCode::CREATED, [(header::LOCATION, place)], axum::Json(body)).into_response()
}

impl NewKey {
    fn read(self, now: TimeMs) -> Result<Asked, String> {
        let scopes = asked::scopes(self.scopes.iter().map(String::as_str))?;
        let addresses = asked::addresses(self.addresses.iter().map(String::as_str))?;
        let caps = KeyCaps { day: cap(self.cap_day)?, month: cap(self.cap_month)? };
        Ok(Asked {
            name: asked::name(&self.name)?,
            mode: match self.mode {
                Mode::Live => KeyMode::Live,
                Mode::Test => KeyMode::Test,
            },
            expires_at: expiry(self.expires_at.as_deref(), now)?,
            policy: asked::policy(scopes, addresses, caps, &[])?,
        })
    }
}

impl KeyChange {
    fn over(self, held_to: &KeyPolicy) -> Result<KeyPolicy, String> {
        let scopes = match self.scopes {
            None => held_to.scopes().to_vec(),
            Some(words) => asked::scopes(words.unwrap_or_default().iter().map(String::as_str))?,
        };
        let addresses = match self.addresses {
            None => held_to.addresses().to_vec(),
            Some(words) => asked::addresses(words.unwrap_or_default().iter().map(String::as_str))?,
        };
        let caps = KeyCaps {
            day: self.cap_day.map_or(Ok(held_to.caps().day), cap)?,
            month: self.cap_month.map_or(Ok(held_to.caps().month), cap)?,
        };
        asked::policy(scopes, addresses, caps, held_to.rates())
    }
}

fn cap(asked: Option<u64>) -> Result<Option<Credits>, String> {
    let credits = asked.filter(|credits| *credits > 0).map(Credits::new).transpose();
    credits.map_err(|error| format!("A cap can't be that: {error}."))
}

fn expiry(asked: Option<&str>, now: TimeMs) -> Result<Option<TimeMs>, String> {
    asked.map(|text| asked::expires_at(text, now)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(change: &str, held_to: &str) -> String {
        let change: KeyChange = serde_json::from_str(change).unwrap();
        let held_to: KeyPolicy = serde_json::from_str(held_to).unwrap();
        change.over(&held_to).map_or_else(|wrong| wrong, |policy| serde_json::to_string(&policy).unwrap())
    }

    const HELD: &str = r#"{"scopes":["a"],"addresses":["10.0.0.0/8"],"rates":[{"name":"m","count":6,"per_ms":60000,"burst":6}],"caps":{"day":9,"month":90}}"#;

    #[test]
    fn what_a_change_leaves_out_stays_and_what_it_takes_away_goes() {
        assert_eq!(over("{}", HELD), HELD);
        let bare = r#"{"scopes":null,"addresses":[],"cap_day":0,"cap_month":null}"#;
        assert_eq!(
            over(bare, HELD),
            r#"{"rates":[{"name":"m","count":6,"per_ms":60000,"burst":6}]}"#,
            "rates are not the customer's"
        );
        assert_eq!(over(r#"{"cap_day":40}"#, "{}"), r#"{"caps":{"day":40}}"#);
        assert!(over(r#"{"scopes":["A"]}"#, HELD).contains("“A”"));
        assert!(over(r#"{"cap_day":9007199254740992}"#, HELD).starts_with("A cap"));
        assert!(serde_json::from_str::<KeyChange>(r#"{"rates":[]}"#).is_err());
    }
}
