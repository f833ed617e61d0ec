//! `GET /api/billing/receipts`: every debit of the account, latest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{ReceiptLine, ReceiptState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::list::{List, ListQuery};
use crate::api::refused::ReadRefused;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A debit in the list.
#[derive(Serialize, ToSchema)]
pub struct ReceiptItem {
    /// Its op, as `Credits-Receipt` told it: its receipt is found by it.
    op: String,
    /// When it was drawn.
    at: String,
    /// What was drawn.
    credits: u64,
    /// What of it stays drawn, as things stand.
    kept: u64,
    /// `drawn`, `held`, `settled`, `given_back` or `undo_asked`.
    state: &'static str,
    /// The route it was asked on.
    route: Option<String>,
    /// The key that asked; `null` for a session.
    key: Option<String>,
    /// What people call that key.
    key_name: Option<String>,
    /// Credits left just after it.
    remaining_after: Option<u64>,
}

/// The account's debits, latest first.
#[utoipa::path(get, path = "/api/billing/receipts", tag = "billing", operation_id = "receipts_list", params(ListQuery),
    responses(ReadRefused, (status = 200, body = List<ReceiptItem>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<ReceiptItem>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let after = input::read("after", asked.after.as_deref())?;
    let lines = service.book.receipt_lines(caller.account, after, limit + 1).await?;
    Ok(Json(List::of(lines, limit, |line: &ReceiptLine| line.cursor().to_string(), ReceiptItem::from)))
}

/// The word for a state.
pub const fn state(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Drawn => "drawn",
        ReceiptState::Held { .. } => "held",
        ReceiptState::Settled { .. } => "settled",
        ReceiptState::GivenBack => "given_back",
        ReceiptState::UndoAsked => "undo_asked",
    }
}

impl From<ReceiptLine> for ReceiptItem {
    fn from(line: ReceiptLine) -> Self {
        Self {
            op: line.op.to_string(),
            at: show::machine(line.at),
            credits: line.credits.get(),
            kept: line.kept.get(),
            state: state(line.state),
            route: line.route,
            key: line.key.map(|key| key.to_string()),
            key_name: line.key_name,
            remaining_after: line.remaining_after.map(metering::Credits::get),
        }
    }
}
