//! All receipts of an account, page by page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::ReceiptLine;
use metering::AccountId;
use serde::Deserialize;

use super::account::{crumb, path};
use super::pager::Pager;
use super::tabs::Tab;
use super::words::Link;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, ITEMS, Path, Query};
use crate::pages::billing::receipts::ReceiptRow;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

/// Which page.
#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/receipts.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    back: Link,
    receipts: Vec<ReceiptRow>,
    pager: Pager,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let after = input::read("after", asked.after.as_deref())?;
    let view = service.book.account_view(account, service.clock.now()).await?;
    let lines = service.book.receipt_lines(account, after, ITEMS + 1).await?;
    let list = List::of(lines, ITEMS, |line: &ReceiptLine| line.cursor().to_string(), ReceiptRow::from);
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Accounts,
        back: crumb(&view),
        pager: Pager::of(&format!("{}/receipts", path(account)), &[], list.next.as_deref(), after.is_none()),
        receipts: list.items,
    })
}
