//! `GET /api/billing/receipts/{op}`: one receipt in full.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{AccountReceipt, Entry, Outcome, ReceiptState};
use metering::{Credits, OpId};
use serde::Serialize;
use utoipa::ToSchema;

use super::receipts::state;
use crate::api::refused::ReadRefused;
use crate::billing::receipt;
use crate::caller::Caller;
use crate::input::Path;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A debit in full.
#[derive(Serialize, ToSchema)]
pub struct ReceiptSeen {
    /// The debit's op.
    op: String,
    /// When it was drawn.
    at: String,
    /// When the book recorded it.
    recorded_at: String,
    /// What was drawn.
    credits: u64,
    /// What of it stays drawn, as things stand.
    kept: u64,
    /// `drawn`, `held`, `settled`, `given_back` or `undo_asked`.
    state: &'static str,
    /// Of a hold: from then on it is released by itself.
    held_until: Option<String>,
    /// The route it was asked on.
    route: Option<String>,
    /// The key that asked; `null` for a session.
    key: Option<String>,
    /// What people call that key.
    key_name: Option<String>,
    /// The lots drawn from, in burn order.
    lots: Vec<LotDrawnFrom>,
    /// Credits that could be drawn just before.
    remaining_before: Option<u64>,
    /// The same just after.
    remaining_after: Option<u64>,
    /// The budget just before and after.
    budget: BudgetAround,
    /// How the request ended; `null` where its route does not ask, or where it goes on.
    outcome: Option<HowItEnded>,
    /// What came after: settled, given back, undone; oldest first.
    after: Vec<CameAfter>,
}

/// A lot that was drawn from.
#[derive(Serialize, ToSchema)]
pub struct LotDrawnFrom {
    lot: String,
    /// What it is, for people.
    product: String,
    /// What was drawn.
    drawn: u64,
    /// What it held before.
    before: u64,
    /// What it held then.
    after: u64,
}

/// A budget around a debit.
#[derive(Serialize, ToSchema)]
pub struct BudgetAround {
    /// The limit that held; 0 = no cap.
    limit: u64,
    used_before: u64,
    used_after: u64,
    /// End of the period that it counts in.
    resets_at: Option<String>,
}

/// How a request ended.
#[derive(Serialize, ToSchema)]
pub struct HowItEnded {
    /// `complete`, `caller_left`, `upstream_failed`, `gateway_failed`, `cut`; `unconfirmed` where nobody said in time.
    ended: &'static str,
    /// The status of the upstream's answer.
    upstream_status: Option<u16>,
    /// Bytes of the answer that went to the caller.
    answer_bytes: Option<u64>,
    /// From the request's header to its end.
    duration_ms: Option<u64>,
    /// When that was noted.
    at: String,
}

/// An entry about the debit.
#[derive(Serialize, ToSchema)]
pub struct CameAfter {
    /// `settle`, `give_back`, `undo`, …
    kind: &'static str,
    /// Credits that came back (`+`) or went (`-`).
    credits: i64,
    /// Credits that came back to a lot which had expired: gone.
    lapsed: u64,
    at: String,
}

/// One receipt in full: the lots drawn, the budget, and whether it stands.
#[utoipa::path(get, path = "/api/billing/receipts/{op}", tag = "billing", operation_id = "receipt_read",
    params(("op" = String, Path, description = "The debit's op, as `Credits-Receipt` told it, or that of what closed it.")),
    responses(ReadRefused, (status = 200, body = ReceiptSeen)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(op): Path<OpId>,
) -> Result<Json<ReceiptSeen>, Refusal> {
    Ok(Json(seen(receipt::of(&service, &caller, op).await?)))
}

fn seen(receipt: AccountReceipt) -> ReceiptSeen {
    let held_until = match receipt.state {
        ReceiptState::Held { until } => Some(show::machine(until)),
        _ => None,
    };
    let lots = receipt.lots.iter().map(|(lot, product)| LotDrawnFrom {
        lot: lot.lot.to_string(),
        product: product.clone(),
        drawn: lot.drawn.get(),
        before: lot.before.get(),
        after: lot.after.get(),
    });
    let around = receipt::remaining_around(&receipt);
    ReceiptSeen {
        op: receipt.debit.op.map(|op| op.to_string()).unwrap_or_default(),
        at: show::machine(receipt.debit.at),
        recorded_at: show::machine(receipt.recorded_at),
        credits: receipt.drawn.get(),
        kept: receipt.kept.get(),
        state: state(receipt.state),
        held_until,
        key: receipt.debit.key.map(|key| key.to_string()),
        lots: lots.collect(),
        remaining_before: around.map(|(before, _)| before.get()),
        remaining_after: around.map(|(_, after)| after.get()),
        budget: BudgetAround {
            limit: receipt.budget_limit.get(),
            used_before: receipt.budget_used_before.get(),
            used_after: receipt::budget_used_after(&receipt).get(),
            resets_at: receipt.debit.budget_period_end.map(show::machine),
        },
        outcome: receipt.outcome.map(HowItEnded::from),
        after: receipt.after.iter().map(CameAfter::from).collect(),
        key_name: receipt.key_name,
        route: receipt.debit.route,
    }
}

impl From<Outcome> for HowItEnded {
    fn from(outcome: Outcome) -> Self {
        let confirmed = outcome.confirmed;
        Self {
            ended: confirmed.map_or("unconfirmed", |how| how.ended.as_str()),
            upstream_status: confirmed.and_then(|how| how.upstream_status),
            answer_bytes: confirmed.map(|how| how.answer_bytes),
            duration_ms: confirmed.map(|how| how.duration_ms),
            at: show::machine(outcome.at),
        }
    }
}

impl From<&Entry> for CameAfter {
    fn from(entry: &Entry) -> Self {
        let lapsed = Credits::get(entry.lapsed);
        Self { kind: entry.kind.as_str(), credits: entry.credits, lapsed, at: show::machine(entry.at) }
    }
}
