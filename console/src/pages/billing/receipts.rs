//! The list of receipts, page by page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{ReceiptLine, ReceiptState};
use serde::Deserialize;

use crate::api::list::List;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A receipt as a row.
pub struct ReceiptRow {
    pub op: String,
    pub at: When,
    pub route: String,
    /// The key, or chat.
    pub who: String,
    pub drawn: String,
    pub kept: String,
    pub state: &'static str,
    pub tone: &'static str,
    pub remaining_after: String,
}

/// Which page.
#[derive(Deserialize)]
pub struct PageQuery {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "billing/receipts.html")]
struct Page {
    shell: Shell,
    receipts: Vec<ReceiptRow>,
    /// Where the older ones begin.
    next: Option<String>,
    is_first: bool,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<PageQuery>,
) -> Result<Response, Refusal> {
    let after = input::read("after", asked.after.as_deref())?;
    let lines = service.book.receipt_lines(caller.account, after, input::ITEMS + 1).await?;
    let list = List::of(lines, input::ITEMS, |line: &ReceiptLine| line.cursor().to_string(), ReceiptRow::from);
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Billing),
        receipts: list.items,
        next: list.next,
        is_first: after.is_none(),
    })
}

impl From<ReceiptLine> for ReceiptRow {
    fn from(line: ReceiptLine) -> Self {
        let (state, tone) = state(line.state);
        Self {
            op: line.op.to_string(),
            at: When::second(line.at),
            route: line.route.unwrap_or_else(|| "not told".to_owned()),
            who: who(line.key.map(|key| key.to_string()), line.key_name),
            drawn: show::credits(line.credits),
            kept: show::credits(line.kept),
            state,
            tone,
            remaining_after: line.remaining_after.map(show::credits).unwrap_or_default(),
        }
    }
}

/// Who asked.
pub fn who(key: Option<String>, name: Option<String>) -> String {
    match (key, name) {
        (_, Some(name)) => name,
        (Some(key), None) => key,
        (None, None) => "Chat session".to_owned(),
    }
}

/// A state in a word, and how its badge looks.
pub const fn state(state: ReceiptState) -> (&'static str, &'static str) {
    match state {
        ReceiptState::Drawn => ("Drawn", "good"),
        ReceiptState::Held { .. } => ("Held", "warn"),
        ReceiptState::Settled { .. } => ("Settled", "good"),
        ReceiptState::GivenBack => ("Given back", ""),
        ReceiptState::UndoAsked => ("Being undone", "warn"),
    }
}
