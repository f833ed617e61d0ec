//! `/api/billing/keys`: API keys of the session's account.

pub mod change;
pub mod item;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{KeyView, KeysWanted};
use metering::KeyId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::list::List;
use crate::api::refused::ReadRefused;
use crate::caller::Caller;
use crate::input::{self, Path, Query};
use crate::keys::{change as keys, seen};
use crate::refusal::Refusal;
use crate::service::Service;
use item::{Key, keys_of};

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct KeysQuery {
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Those that are good, or those that were revoked or have expired; without, all.
    #[param(inline)]
    state: Option<Wanted>,
}

/// Which keys.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Neither revoked nor expired.
    Good,
    /// Revoked or expired.
    Ended,
}

/// The account's keys, latest first. Secrets are nowhere: each is shown once, to whoever makes the key.
#[utoipa::path(get, path = "/api/billing/keys", tag = "keys", operation_id = "keys_list", params(KeysQuery),
    responses(ReadRefused, (status = 200, body = List<Key>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<KeysQuery>,
) -> Result<Json<List<Key>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let after = input::read("after", asked.after.as_deref())?;
    let wanted = match asked.state {
        None => KeysWanted::All,
        Some(Wanted::Good) => KeysWanted::Good,
        Some(Wanted::Ended) => KeysWanted::Ended,
    };
    let read = service.book.keys_page(caller.account, wanted, service.clock.now(), after, limit + 1).await?;
    let page = List::of(read, limit, |key: &KeyView| key.key.to_string(), |key| key);
    let seen = seen::look(&service, caller.account, page.items).await?;
    Ok(Json(List { items: keys_of(&seen), next: page.next }))
}

/// One key.
#[utoipa::path(get, path = "/api/billing/keys/{key}", tag = "keys", operation_id = "key_read",
    params(("key" = String, Path, description = "Its id.")), responses(ReadRefused, (status = 200, body = Key)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(key): Path<KeyId>,
) -> Result<Json<Key>, Refusal> {
    one(&service, &caller, key).await.map(Json)
}

async fn one(service: &Service, caller: &Caller, key: KeyId) -> Result<Key, Refusal> {
    let view = keys::own(service, caller, key).await?;
    let seen = seen::look(service, caller.account, vec![view]).await?;
    keys_of(&seen).pop().ok_or_else(|| Refusal::not_found("key"))
}
