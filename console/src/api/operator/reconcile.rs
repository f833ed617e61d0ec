//! `POST /api/operator/reconcile`: Stripe held against the book, and mended where that is asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::Day;
use payments::Difference as Found;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason;
use crate::api::refused::WriteRefused;
use crate::caller::Operator;
use crate::input;
use crate::operator::reconcile;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// What is to be compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconcileAsked {
    /// From this day on, in UTC, as 2026-11-26; without, from before the last look that left nothing.
    since: Option<String>,
    /// Whether what differs is mended.
    #[serde(default)]
    repair: bool,
    /// Why, for the audit of what is mended.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Since when.
    since: String,
    /// Objects of Stripe's and payments of the book that were held against each other.
    compared: u64,
    /// Differences that are still there.
    left: usize,
    /// All that were found.
    differences: Vec<Difference>,
}

/// One thing in which Stripe and the book differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct Difference {
    /// `paid_not_granted`, `granted_not_paid`, `refunded_not_clawed`, `disputed_not_clawed`, `dispute_won_not_returned` or `status_differs`.
    kind: &'static str,
    /// Stripe's id of what it is about.
    id: String,
    /// Whose.
    account: Option<String>,
    /// For people.
    detail: String,
    /// Whether it was mended.
    mended: bool,
}

/// Holds Stripe against the book, within some seconds; where there is more than that to compare, 503 `reconcile_too_slow`.
#[utoipa::path(post, path = "/api/operator/reconcile", tag = "operator", operation_id = "operator_reconcile",
    request_body = ReconcileAsked, responses(WriteRefused, (status = 200, body = Reconciliation)))]
pub async fn run(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    input::Json(asked): input::Json<ReconcileAsked>,
) -> Result<Json<Reconciliation>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let since = asked.since.as_deref().map(str::parse::<Day>).transpose();
    let since = since.map_err(|error| Refusal::invalid(format!("`since`: {error}.")))?;
    let look = reconcile::look(&service, since, asked.repair, &by).await?;
    Ok(Json(Reconciliation {
        since: show::machine(look.since),
        compared: look.found.compared,
        left: look.found.open().count(),
        differences: look.found.differences.iter().map(Difference::from).collect(),
    }))
}

impl From<&Found> for Difference {
    fn from(found: &Found) -> Self {
        Self {
            kind: found.kind(),
            id: found.id.clone(),
            account: found.account.map(|account| account.to_string()),
            detail: found.detail.clone(),
            mended: found.mended,
        }
    }
}
