//! Incidents, what each has cost, and debits that were lost.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{AccountLoss, Incident as Found, IncidentFilter, LossReport, LostDebit};
use metering::Credits;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use crate::api::list::{List, ListQuery};
use crate::caller::Operator;
use crate::input::{self, ITEMS_MAX, Path, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Something that operators should know of.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Incident {
    /// Its number.
    incident: u64,
    /// When it was written.
    at: String,
    /// The shard.
    shard: String,
    /// What kind: `rebuild`, `tail_lost`, `shortfall`, `dead_letter`, …
    kind: String,
    /// What is known of it.
    #[schema(value_type = Object)]
    detail: Value,
}

/// An incident with what it has cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeIncident {
    #[serde(flatten)]
    incident: Incident,
    /// `null` where one of its kind costs nobody credits.
    losses: Option<Losses>,
}

/// What an incident has cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Losses {
    /// Debits lost.
    debits: u64,
    /// What callers got and nobody pays for.
    lost: u64,
    /// Whether nothing more can come.
    is_final: bool,
    /// Whether it is exact.
    is_complete: bool,
    /// Why it is not, each in words.
    why_incomplete: Vec<String>,
    /// By account, the dearest first.
    accounts: Vec<AccountLosses>,
}

/// What it has cost one account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountLosses {
    /// Whose debits they were.
    account: String,
    /// How many.
    debits: u64,
    /// What they had drawn.
    drawn: u64,
    /// What callers got and nobody pays for.
    lost: u64,
    /// Those of which nobody knows how they ended; they count as drawn.
    open_ends: u64,
}

/// Whose losses.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LossesQuery {
    /// Of this account alone.
    account: Option<String>,
}

/// What was lost in all.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllLosses {
    /// Debits lost.
    debits: u64,
    /// What callers got and nobody pays for.
    lost: u64,
    /// The latest 200 of the debits.
    items: Vec<Lost>,
}

/// A debit that was lost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lost {
    /// Its op.
    op: String,
    /// Who would have paid.
    account: String,
    /// What it drew.
    drawn: u64,
    /// What the caller was to pay in the end; `null` where nobody knows.
    kept: Option<u64>,
    /// What the upstream answered.
    upstream_status: Option<u16>,
    /// When it drew.
    drawn_at: String,
    /// The incident that took it.
    incident: u64,
}

/// Incidents, latest first.
#[utoipa::path(get, path = "/api/operator/incidents", tag = "operator", operation_id = "operator_incidents", params(ListQuery),
    responses(OperatorReadRefused, (status = 200, body = List<Incident>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<Incident>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let before = input::place(asked.after.as_deref())?;
    let filter = IncidentFilter { before, limit: limit + 1, ..IncidentFilter::default() };
    let found = service.book.incidents(filter).await?;
    Ok(Json(List::of(found, limit, |found: &Found| found.id.to_string(), Incident::from)))
}

/// One incident, with what it has cost.
#[utoipa::path(get, path = "/api/operator/incidents/{incident}", tag = "operator", operation_id = "operator_incident",
    params(("incident" = u64, Path)), responses(OperatorReadRefused, (status = 200, body = WholeIncident)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(incident): Path<u64>,
) -> Result<Json<WholeIncident>, Refusal> {
    let filter = IncidentFilter { id: Some(incident), limit: 1, ..IncidentFilter::default() };
    let found = service.book.incidents(filter).await?.pop().ok_or_else(|| Refusal::not_found("incident"))?;
    let losses = service.book.loss_report(&found).await?;
    Ok(Json(WholeIncident { incident: Incident::from(found), losses: losses.as_ref().map(Losses::from) }))
}

/// Debits that went with live state.
#[utoipa::path(get, path = "/api/operator/losses", tag = "operator", operation_id = "operator_losses", params(LossesQuery),
    responses(OperatorReadRefused, (status = 200, body = AllLosses)))]
pub async fn losses(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<LossesQuery>,
) -> Result<Json<AllLosses>, Refusal> {
    let account = input::account(asked.account.as_deref())?;
    let filter = IncidentFilter { account, limit: ITEMS_MAX, ..IncidentFilter::default() };
    let (totals, debits) = tokio::try_join!(service.book.count_losses(filter), service.book.lost_debits(filter))?;
    let items = debits.iter().map(Lost::from).collect();
    Ok(Json(AllLosses { debits: totals.debits, lost: totals.lost.get(), items }))
}

impl From<Found> for Incident {
    fn from(found: Found) -> Self {
        Self {
            incident: found.id,
            at: show::machine(found.at),
            shard: found.shard.to_string(),
            kind: found.kind,
            detail: found.detail,
        }
    }
}

impl From<&LossReport> for Losses {
    fn from(report: &LossReport) -> Self {
        Self {
            debits: report.debits(),
            lost: report.lost(),
            is_final: report.is_final(),
            is_complete: report.is_complete(),
            why_incomplete: report.why_incomplete(),
            accounts: report.accounts.iter().map(AccountLosses::from).collect(),
        }
    }
}

impl From<&AccountLoss> for AccountLosses {
    fn from(loss: &AccountLoss) -> Self {
        Self {
            account: loss.account.to_string(),
            debits: loss.debits,
            drawn: loss.drawn.get(),
            lost: loss.lost.get(),
            open_ends: loss.open_ends,
        }
    }
}

impl From<&LostDebit> for Lost {
    fn from(debit: &LostDebit) -> Self {
        Self {
            op: debit.op.to_string(),
            account: debit.account.to_string(),
            drawn: debit.credits.get(),
            kept: debit.kept.map(Credits::get),
            upstream_status: debit.upstream_status,
            drawn_at: show::machine(debit.drawn_at),
            incident: debit.incident,
        }
    }
}
