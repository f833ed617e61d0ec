//! Lots of an account: read, granted, their end moved, ended now, credits taken out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ledger::{AccountView, LotView};
use metering::{AccountId, Credits, LotId, TimeMs};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refused::OperatorReadRefused;
use super::{Why, reason};
use crate::api::billing::lots::{Lot, begin};
use crate::api::etag;
use crate::api::list::{List, ListQuery};
use crate::api::once::{self, Asked, OnceKey};
use crate::api::refused::{ChangedMeanwhile, WriteRefused};
use crate::caller::Operator;
use crate::input::{self, Path, Query};
use crate::operator::lots::{self, NewLot, check_end, check_move, check_take};
use crate::refusal::Refusal;
use crate::service::Service;

/// A lot to be granted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantAsked {
    /// How many credits, from 1.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    credits: u64,
    /// What the account's people see it called.
    #[schema(min_length = 1, max_length = 200)]
    product: String,
    /// First instant at which it can no longer be drawn: RFC 3339, in the future.
    #[schema(format = "date-time")]
    expires_at: String,
    /// Why, for the audit; the account's people see it, too.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A lot that was granted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Granted {
    /// The lot.
    lot: String,
}

/// Where a lot's end is to be moved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveAsked {
    /// First instant at which it can no longer be drawn: RFC 3339, in the future.
    #[schema(format = "date-time")]
    expires_at: String,
    /// The expiry that was seen: where it is another by now, nothing is changed (412).
    #[schema(format = "date-time")]
    seen: Option<String>,
    /// Why, for the audit; the account's people see it, too.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// How many credits are to be taken out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeAsked {
    /// From 1 to what is left; where less is left, nothing is changed.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    credits: u64,
    /// Why, for the audit; the account's people see it, too.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A change that is on its way to live state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Told {
    /// The account's control version that tells it.
    control_version: u64,
}

/// Its lots in burn order; those that are over stand among them.
#[utoipa::path(get, path = "/api/operator/accounts/{account}/lots", tag = "operator", operation_id = "operator_lots",
    params(("account" = String, Path), ListQuery), responses(OperatorReadRefused, (status = 200, body = List<Lot>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(account): Path<AccountId>,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<Lot>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let (view, _) = read(&service, account).await?;
    let begin = begin(&view.lots, asked.after.as_deref())?;
    let page = view.lots.into_iter().skip(begin).take(usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1));
    Ok(Json(List::of(page.collect(), limit, |lot: &LotView| lot.lot.to_string(), Lot::from)))
}

/// Grants a lot; chat and API can draw it within a second. Under one `Idempotency-Key` it is granted once.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/lots", tag = "operator", operation_id = "operator_lot_grant",
    params(("account" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Done once under one key, a day long.")),
    request_body = GrantAsked, responses(WriteRefused, (status = 201, body = Granted)))]
pub async fn grant(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
    key: OnceKey,
    input::Json(asked): input::Json<GrantAsked>,
) -> Result<(StatusCode, Json<Granted>), Refusal> {
    let now = service.clock.now();
    let by = reason(&asked.reason)?.by(&service, &caller);
    let lot = NewLot::of(credits(asked.credits)?, &asked.product, instant("expires_at", &asked.expires_at)?, now)?;
    let source = lots::source(&caller, &key);
    let book = service.book.clone();
    let write = async move {
        let lot = lots::grant(&book, account, &lot, source, &by).await?;
        Ok(Granted { lot: lot.to_string() })
    };
    let operation = format!("operator.grant {account}");
    let granted =
        Box::pin(once::answered(&service, &caller, key, Asked { operation: &operation, with: &asked }, write)).await?;
    Ok((StatusCode::CREATED, Json(granted)))
}

/// Moves a lot's expiry.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/lots/{lot}/expiry", tag = "operator", operation_id = "operator_lot_move",
    params(("account" = String, Path), ("lot" = String, Path)), request_body = MoveAsked,
    responses(WriteRefused, ChangedMeanwhile, (status = 200, body = Told)))]
pub async fn move_expiry(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((account, lot)): Path<(AccountId, LotId)>,
    input::Json(asked): input::Json<MoveAsked>,
) -> Result<Json<Told>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let to = instant("expires_at", &asked.expires_at)?;
    let seen = asked.seen.as_deref().map(|seen| instant("seen", seen)).transpose()?;
    let (view, now) = read(&service, account).await?;
    let found = lots::find(&view, lot)?;
    // People see seconds; who saw the same second saw this expiry.
    if seen.is_some_and(|seen| seen.as_u64() / 1_000 != found.expires_at.as_u64() / 1_000) {
        return Err(etag::changed());
    }
    check_move(found, to, now)?;
    let control_version = service.book.move_lot_expiry_from(lot, Some(found.expires_at), to, &by).await?;
    Ok(Json(Told { control_version }))
}

/// Ends a lot now: what is left of it can't be drawn any more.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/lots/{lot}/void", tag = "operator", operation_id = "operator_lot_void",
    params(("account" = String, Path), ("lot" = String, Path)), request_body = Why, responses(WriteRefused, (status = 200, body = Told)))]
pub async fn void(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((account, lot)): Path<(AccountId, LotId)>,
    input::Json(asked): input::Json<Why>,
) -> Result<Json<Told>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let (view, now) = read(&service, account).await?;
    check_end(lots::find(&view, lot)?, now)?;
    let control_version = service.book.move_lot_expiry(lot, by.at, &by).await?;
    Ok(Json(Told { control_version }))
}

/// Takes credits out of a lot: all that are asked for, or none.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/lots/{lot}/reduction", tag = "operator", operation_id = "operator_lot_reduce",
    params(("account" = String, Path), ("lot" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Done once under one key, a day long.")),
    request_body = TakeAsked, responses(WriteRefused, (status = 200, body = Told)))]
pub async fn take(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((account, lot)): Path<(AccountId, LotId)>,
    key: OnceKey,
    input::Json(asked): input::Json<TakeAsked>,
) -> Result<Json<Told>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let taken = credits(asked.credits)?;
    let operation = format!("operator.reduce {account} {lot}");
    let with = (asked.credits, asked.reason.as_str());
    let of = Arc::clone(&service);
    let write = async move {
        let (view, _) = read(&of, account).await?;
        check_take(lots::find(&view, lot)?, taken)?;
        Ok(of.book.reduce_lot_in_full(lot, taken, &by).await?)
    };
    let control_version =
        Box::pin(once::answered(&service, &caller, key, Asked { operation: &operation, with: &with }, write)).await?;
    Ok(Json(Told { control_version }))
}

/// The account, with what is left of each lot by live state.
async fn read(service: &Service, account: AccountId) -> Result<(AccountView, TimeMs), Refusal> {
    let at = service.clock.now();
    Ok((crate::billing::lots::read(service, account, at).await?, at))
}

fn credits(count: u64) -> Result<Credits, Refusal> {
    Credits::new(count).map_err(|error| Refusal::invalid(format!("`credits`: {error}.")))
}

/// An instant as programs write it.
fn instant(field: &'static str, text: &str) -> Result<TimeMs, Refusal> {
    let known = Some(text).filter(|text| text.len() <= 40).and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let millis = known.and_then(|instant| u64::try_from(instant.as_millisecond()).ok());
    millis.map(TimeMs::new).ok_or_else(|| Refusal::invalid(format!("`{field}` is an instant as 2026-11-26T03:59:00Z.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_says_its_zone() {
        assert_eq!(instant("x", "2026-11-26T04:00:00Z").unwrap(), TimeMs::new(1_795_665_600_000));
        assert_eq!(instant("x", "2026-11-26T05:00:00.250+01:00").unwrap(), TimeMs::new(1_795_665_600_250));
        for wrong in [
            "",
            "2026-11-26",
            "2026-11-26T04:00:00",
            "1969-01-01T00:00:00Z",
            "+012026-11-26T04:00:00Z",
            &"9".repeat(99),
        ] {
            assert_eq!(instant("x", wrong).unwrap_err().code, "invalid", "{wrong}");
        }
    }
}
