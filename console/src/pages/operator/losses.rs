//! What went with live state: debits whose events were lost, of one account or of all.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{IncidentFilter, LostDebit};
use serde::Deserialize;

use super::account::path;
use super::rows::account;
use super::tabs::Tab;
use crate::caller::Operator;
use crate::input::{ITEMS_MAX, Query};
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Whose.
#[derive(Deserialize)]
pub struct Asked {
    account: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/losses.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    account: String,
    debits: String,
    lost: String,
    rows: Vec<Row>,
    /// How many are shown, where there are more.
    cut: Option<String>,
}

struct Row {
    at: When,
    op: String,
    account: String,
    href: String,
    drawn: String,
    end: String,
    incident: u64,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let of = account(asked.account.as_deref())?;
    let filter = IncidentFilter { account: of, limit: ITEMS_MAX, ..IncidentFilter::default() };
    let (totals, debits) = tokio::try_join!(service.book.count_losses(filter), service.book.lost_debits(filter))?;
    let shown = u64::try_from(debits.len()).unwrap_or(u64::MAX);
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Losses,
        account: of.map(|of| of.to_string()).unwrap_or_default(),
        debits: show::number(totals.debits),
        lost: show::credits(totals.lost),
        rows: debits.iter().map(Row::from).collect(),
        cut: (totals.debits > shown).then(|| show::number(shown)),
    })
}

/// How a lost debit ended, in words.
pub fn end(debit: &LostDebit) -> String {
    match (debit.kept, debit.upstream_status) {
        (None, _) => "how it ended is not known".to_owned(),
        (Some(kept), None) => format!("{} were to be paid, the upstream did not answer", show::credits(kept)),
        (Some(kept), Some(status)) => {
            format!("{} were to be paid, the upstream answered {status}", show::credits(kept))
        }
    }
}

impl From<&LostDebit> for Row {
    fn from(debit: &LostDebit) -> Self {
        Self {
            at: When::instant(debit.drawn_at),
            op: debit.op.to_string(),
            account: debit.account.to_string(),
            href: path(debit.account),
            drawn: show::credits(debit.credits),
            end: end(debit),
            incident: debit.incident,
        }
    }
}
