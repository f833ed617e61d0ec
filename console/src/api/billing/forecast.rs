//! `GET /api/billing/forecast`: how long the credits last.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::refused::ReadRefused;
use crate::billing::forecast::Forecast;
use crate::billing::lots;
use crate::billing::outlook::{self, Outlook};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// What comes, at the pace of the last full days and without new grants.
#[derive(Serialize, ToSchema)]
pub struct ForecastSeen {
    /// Credits drawn in the last full days.
    pace_credits: u64,
    /// How many full days; 14, fewer for a young account.
    pace_days: u64,
    /// When a credit is wanted for the first time and none is there; `null` without a pace or without credits.
    last_until: Option<String>,
    /// What expires unused, in the order in which it does.
    unused: Vec<UnusedCredits>,
}

/// Credits that nobody will have drawn.
#[derive(Serialize, ToSchema)]
pub struct UnusedCredits {
    /// Of which lot.
    lot: String,
    /// How many.
    credits: u64,
    /// When they expire.
    at: String,
}

/// How long the credits last at the pace of the last full days, and what expires unused.
#[utoipa::path(get, path = "/api/billing/forecast", tag = "billing", operation_id = "forecast_read",
    responses(ReadRefused, (status = 200, body = ForecastSeen)))]
pub async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<ForecastSeen>, Refusal> {
    let now = service.clock.now();
    let view = lots::read(&service, caller.account, now).await?;
    let pace = outlook::pace(&service, caller.account, view.created_at, now).await?;
    let outlook = Outlook::at(pace, &view.lots, now);
    let unused = |forecast: &Forecast| {
        let each = forecast.unused.iter().map(|unused| UnusedCredits {
            lot: unused.lot.to_string(),
            credits: unused.credits.get(),
            at: show::machine(unused.at),
        });
        each.collect()
    };
    Ok(Json(ForecastSeen {
        pace_credits: pace.credits.get(),
        pace_days: pace.days,
        last_until: outlook.forecast.as_ref().map(|forecast| show::machine(forecast.last_until)),
        unused: outlook.forecast.as_ref().map(unused).unwrap_or_default(),
    }))
}
