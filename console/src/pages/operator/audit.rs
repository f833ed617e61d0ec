//! What was changed, by whom and why, over all accounts or of one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{ActivityCursor, ActivityKind, ActivityLine};
use serde::Deserialize;

use super::pager::Pager;
use super::rows::{ActivityRow, account};
use super::tabs::Tab;
use crate::activity::filter::of_operators;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, ITEMS, Query};
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

/// Which lines.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    account: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/audit.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    kind: String,
    kinds: &'static [ActivityKind],
    from: String,
    until: String,
    account: String,
    lines: Vec<ActivityRow>,
    pager: Pager,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let of = account(asked.account.as_deref())?;
    let wanted = of_operators(&asked.kind, &asked.from, &asked.until)?;
    let after: Option<ActivityCursor> = input::read("after", asked.after.as_deref())?;
    let lines = service.book.activity(of, &wanted, after.as_ref(), ITEMS + 1).await?;
    let list = List::of(lines, ITEMS, |line: &ActivityLine| line.cursor().to_string(), ActivityRow::from);
    let of_text = of.map(|of| of.to_string()).unwrap_or_default();
    let (kind, from, until) = (asked.kind.as_str(), asked.from.as_str(), asked.until.as_str());
    let narrowed = [("kind", kind), ("from", from), ("until", until), ("account", of_text.as_str())];
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Audit,
        pager: Pager::of(Tab::Audit.path(), &narrowed, list.next.as_deref(), after.is_none()),
        kind: asked.kind,
        kinds: ActivityKind::ALL,
        from: asked.from,
        until: asked.until,
        account: of_text,
        lines: list.items,
    })
}
