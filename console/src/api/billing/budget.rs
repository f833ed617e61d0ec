//! `/api/billing/budget`: reading and setting the monthly budget.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use metering::Credits;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::etag::{self, IfMatch};
use crate::api::refused::{ChangedMeanwhile, ReadRefused, WriteRefused};
use crate::billing::balance::{self, Balance};
use crate::billing::budget;
use crate::caller::{AccountAdmin, Caller};
use crate::input::Json;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// The monthly budget, and what is used of it.
#[derive(Serialize, ToSchema)]
pub struct Budget {
    /// Credits a month; 0 = no cap.
    limit: u64,
    /// Credits drawn in this period, less given back.
    used: u64,
    /// First instant of the next period.
    resets_at: String,
    /// Why it can't be set as things stand; `null` = it can, by an admin or the billing owner.
    not_eligible: Option<&'static str>,
}

/// The budget that shall hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBudget {
    /// Credits a month; 0 = no cap.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    limit: u64,
}

impl Budget {
    pub fn of(balance: &Balance) -> Self {
        Self {
            limit: balance.limit.get(),
            used: balance.used.get(),
            resets_at: show::machine(balance.resets_at),
            not_eligible: (!balance.status.may_set_budget()).then_some(show::BUDGET_NOTE),
        }
    }
}

/// The monthly budget. Its `ETag` goes into `If-Match` when it is set.
#[utoipa::path(get, path = "/api/billing/budget", tag = "billing", operation_id = "budget_read",
    responses(ReadRefused, (status = 200, body = Budget, headers(("ETag" = String, description = "For `If-Match`.")))))]
pub async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<Response, Refusal> {
    answer(&service, &caller).await
}

/// Sets the monthly budget; it holds for chat and API alike. For admins and the billing owner of an account that is active or approved; others are refused with
/// 409 `budget_not_eligible`.
#[utoipa::path(put, path = "/api/billing/budget", tag = "billing", operation_id = "budget_set", request_body = NewBudget,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the budget that was seen: another one is not overwritten.")),
    responses(WriteRefused, ChangedMeanwhile,
        (status = 200, body = Budget, headers(("ETag" = String, description = "For `If-Match`.")))))]
pub async fn set(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    IfMatch(seen): IfMatch,
    Json(asked): Json<NewBudget>,
) -> Result<Response, Refusal> {
    let limit = Credits::new(asked.limit).map_err(|error| Refusal::invalid(format!("`limit`: {error}.")))?;
    // A tag that is no number of credits is of no budget there ever was.
    let seen = seen.map(Credits::new).transpose().map_err(|_| etag::changed())?;
    budget::save(&service, &caller, seen, limit).await?;
    answer(&service, &caller).await
}

async fn answer(service: &Service, caller: &Caller) -> Result<Response, Refusal> {
    let view = service.book.account_view(caller.account, service.clock.now()).await?;
    let balance = Balance::of(&view, balance::snapshot(service, caller.account).await.as_ref());
    Ok((etag::line(balance.limit.get()), axum::Json(Budget::of(&balance))).into_response())
}
