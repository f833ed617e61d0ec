//! `GET /api/billing/usage`: what was used, by day, key and route.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{Day, USAGE_DAYS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::refused::ReadRefused;
use crate::billing::usage::{self, Span};
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// The first day (UTC), `2026-11-26`; the first of the budget period where it is not said.
    #[param(format = Date)]
    from: Option<String>,
    /// The day before which it ends; tomorrow where it is not said. 400 days at most.
    #[param(format = Date)]
    until: Option<String>,
}

/// What was used: drawn, less given back, on the day of the debit.
#[derive(Serialize, ToSchema)]
pub struct UsageSeen {
    /// The first day.
    from: String,
    /// The day before which it ends.
    until: String,
    /// Everything of these days.
    credits: u64,
    /// Every day, also those without any.
    days: Vec<OfDay>,
    /// By key, most credits first.
    keys: Vec<OfKey>,
    /// By route, most credits first.
    routes: Vec<OfRoute>,
    /// It has everything that the book had then.
    as_of: String,
}

/// A day.
#[derive(Serialize, ToSchema)]
pub struct OfDay {
    day: String,
    credits: u64,
    /// Requests of which something stayed drawn.
    calls: u64,
}

/// A key, or all sessions of chat.
#[derive(Serialize, ToSchema)]
pub struct OfKey {
    /// `null` = chat, by sessions.
    key: Option<String>,
    name: Option<String>,
    credits: u64,
    calls: u64,
}

/// A route.
#[derive(Serialize, ToSchema)]
pub struct OfRoute {
    route: String,
    credits: u64,
    calls: u64,
}

/// What was used, by day, by key and by route.
#[utoipa::path(get, path = "/api/billing/usage", tag = "billing", operation_id = "usage_read", params(UsageQuery),
    responses(ReadRefused, (status = 200, body = UsageSeen)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<UsageQuery>,
) -> Result<Json<UsageSeen>, Refusal> {
    let now = service.clock.now();
    let (from, until) =
        match (input::read("from", asked.from.as_deref())?, input::read("until", asked.until.as_deref())?) {
            (Some(from), until) => (from, until.unwrap_or_else(|| Day::of(now).plus(1))),
            (None, until) => {
                let view = service.book.account_view(caller.account, now).await?;
                let (from, tomorrow) = Span::Period.days(view.anchor, now);
                (from, until.unwrap_or(tomorrow))
            }
        };
    let days = until.number().checked_sub(from.number());
    if !days.is_some_and(|days| (1..=USAGE_DAYS_MAX).contains(&days)) {
        let detail = format!("`until` is 1 to {USAGE_DAYS_MAX} days after `from`.");
        return Err(Refusal::bad_request(detail));
    }
    let used = usage::read(&service, caller.account, (from, until)).await?;
    let credits = usage::total(&used).get();
    let of_day =
        |day: &ledger::DayUse| OfDay { day: day.day.to_string(), credits: day.credits.get(), calls: day.calls };
    let keys = used.keys.into_iter().map(|key| OfKey {
        key: key.key.map(|key| key.to_string()),
        name: key.name,
        credits: key.credits.get(),
        calls: key.calls,
    });
    let routes = used.routes.into_iter();
    Ok(Json(UsageSeen {
        from: from.to_string(),
        until: until.to_string(),
        credits,
        days: used.days.iter().map(of_day).collect(),
        keys: keys.collect(),
        routes: routes.map(|of| OfRoute { route: of.route, credits: of.credits.get(), calls: of.calls }).collect(),
        as_of: show::machine(used.as_of),
    }))
}
