//! What may be done with keys: each change is in the audit with the person who made it. A key of another account is not there.

use std::sync::Arc;

use ledger::{KeyView, NewKey, Rotation};
use metering::{ApiKey, KeyId, KeyPolicy, TimeMs};
use serde::Serialize;

use super::asked::Asked;
use crate::api::once::{self, OnceKey};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// How long a key may still be good after it was rotated: 7 days.
pub const GRACE_MS_MAX: u64 = 7 * 86_400_000;
/// For whoever reads the audit.
const REASON: &str = "by the account itself";

/// A key that was made a moment ago. Its secret is here and nowhere else.
pub struct Made {
    /// The whole key.
    pub secret: ApiKey,
    /// Its public name.
    pub key: KeyId,
    /// When the key that it replaces ends.
    pub old_ends_at: Option<TimeMs>,
}

/// Issues a key, once for each `once`.
pub async fn create(service: &Arc<Service>, caller: &Caller, once: OnceKey, asked: Asked) -> Result<Made, Refusal> {
    let operation = once::Asked { operation: "keys.create", with: &asked };
    let write = {
        let (service, account) = (Arc::clone(service), caller.account);
        let (by, asked) = (caller.by(&service, REASON), asked.clone());
        async move {
            let Asked { name, mode, expires_at, policy } = asked;
            let new = NewKey { name, mode, expires_at, policy, random: rand::random() };
            let (secret, key) = service.book.issue_key(account, &new, &by).await?;
            Ok(Made { secret, key, old_ends_at: None })
        }
    };
    Box::pin(once::secret(service, caller, once, operation, write, |made| made.key.to_string())).await
}

/// How a key shall be replaced.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Replace {
    /// Which one.
    key: KeyId,
    /// How long it is still good.
    grace_ms: u64,
    /// First instant at which the new one is refused.
    expires_at: Option<TimeMs>,
}

impl Replace {
    /// A key of the caller's account, as [`own`] found it.
    pub const fn of(own: &KeyView, grace_ms: u64, expires_at: Option<TimeMs>) -> Self {
        Self { key: own.key, grace_ms, expires_at }
    }
}

/// Replaces a key by a new one, once for each `once`.
pub async fn rotate(service: &Arc<Service>, caller: &Caller, once: OnceKey, replace: Replace) -> Result<Made, Refusal> {
    let operation = once::Asked { operation: "keys.rotate", with: &replace };
    let write = {
        let service = Arc::clone(service);
        let by = caller.by(&service, REASON);
        async move {
            let Replace { key, grace_ms, expires_at } = replace;
            let rotation = Rotation { grace_ms, expires_at, random: rand::random() };
            let (secret, key, old_ends_at) = service.book.rotate_key(key, &rotation, &by).await?;
            Ok(Made { secret, key, old_ends_at: Some(old_ends_at) })
        }
    };
    Box::pin(once::secret(service, caller, once, operation, write, |made| made.key.to_string())).await
}

/// Holds a key of the caller's account, as [`own`] found it, to this policy; if it is still held to the one that it had then.
pub async fn hold(service: &Service, caller: &Caller, own: &KeyView, policy: &KeyPolicy) -> Result<(), Refusal> {
    let by = caller.by(service, REASON);
    Ok(service.book.set_key_policy_from(own.key, Some(&own.policy), policy, &by).await?)
}

/// Revokes a key. Once more changes nothing.
pub async fn revoke(service: &Service, caller: &Caller, key: KeyId) -> Result<TimeMs, Refusal> {
    own(service, caller, key).await?;
    Ok(service.book.revoke_key(key, &caller.by(service, REASON)).await?)
}

/// The key, if it is one of the caller's account: whose a key is never changes.
pub async fn own(service: &Service, caller: &Caller, key: KeyId) -> Result<KeyView, Refusal> {
    Ok(service.book.key_of(caller.account, key).await?)
}
