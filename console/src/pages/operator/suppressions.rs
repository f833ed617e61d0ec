//! Addresses that nothing is sent to any more.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::mails::Suppression;
use serde::Deserialize;

use super::pager::Pager;
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, ITEMS, Query};
use crate::operator::plain;
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;

/// Which page.
#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/suppressions.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    rows: Vec<Row>,
    pager: Pager,
}

struct Row {
    address: String,
    reason: &'static str,
    detail: String,
    mail: Option<u64>,
    actor: String,
    at: When,
    release: String,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let after = asked.after.map(|after| plain::name(after).ok_or_else(input::no_place)).transpose()?;
    let found = service.book.suppressions(after.as_deref(), ITEMS + 1).await?;
    let list = List::of(found, ITEMS, |found: &Suppression| found.address.clone(), Row::from);
    let notice = NoticeQuery { done: asked.done }.notice();
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Operator).with_notice(notice),
        tab: Tab::Suppressions,
        pager: Pager::of(Tab::Suppressions.path(), &[], list.next.as_deref(), after.is_none()),
        rows: list.items,
    })
}

impl From<Suppression> for Row {
    fn from(found: Suppression) -> Self {
        Self {
            address: plain::line(&found.address),
            reason: found.reason.as_str(),
            detail: found.detail.as_deref().map(plain::line).unwrap_or_default(),
            mail: found.mail,
            actor: plain::line(&found.actor),
            at: When::instant(found.at),
            release: format!("/operator/suppressions/{}/release", plain::in_path(&found.address)),
        }
    }
}
