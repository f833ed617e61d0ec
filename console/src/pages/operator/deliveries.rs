//! Deliveries of Stripe's as they came, what became of each, and what each changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::stripe::{DeliveryChange, DeliveryFilter, DeliveryState};
use serde::Deserialize;

use super::account::path;
use super::pager::Pager;
use super::rows::{DeliveryRow, account, value};
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{ITEMS, Path, Query};
use crate::operator::deliveries::{cursor, delivery, kind, place, state};
use crate::operator::plain;
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Longer bodies are cut on the page; the API has them whole.
const BODY_LETTERS: usize = 40_000;
/// More than one delivery ever changes.
const CHANGES_MAX: u32 = 200;

/// Which deliveries.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    account: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/deliveries.html")]
struct ListPage {
    shell: Shell,
    tab: Tab,
    state: String,
    states: &'static [DeliveryState],
    kind: String,
    account: String,
    deliveries: Vec<DeliveryRow>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "operator/delivery.html")]
struct DeliveryPage {
    shell: Shell,
    tab: Tab,
    delivery: DeliveryRow,
    is_parked: bool,
    is_waiting: bool,
    mode: &'static str,
    api_version: String,
    created: When,
    ended: Option<When>,
    next_try: Option<When>,
    attempts: u32,
    changes: Vec<ChangeRow>,
    bytes: String,
    body: String,
    is_cut: bool,
}

struct ChangeRow {
    at: When,
    actor: String,
    what: String,
    subject: String,
    after: String,
    account: Option<(String, String)>,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let of = account(asked.account.as_deref())?;
    let kind = kind(&asked.kind)?;
    let filter = DeliveryFilter {
        state: state(&asked.state)?,
        kind: Some(kind.clone()).filter(|kind| !kind.is_empty()),
        account: of,
        before: cursor(asked.after.as_deref())?,
        limit: ITEMS + 1,
    };
    let found = service.book.deliveries(&filter).await?;
    let list = List::of(found, ITEMS, place, |stored| DeliveryRow::from(&stored));
    let of_text = of.map(|of| of.to_string()).unwrap_or_default();
    let narrowed = [("state", asked.state.as_str()), ("kind", kind.as_str()), ("account", of_text.as_str())];
    shell::page(&ListPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Deliveries,
        pager: Pager::of(Tab::Deliveries.path(), &narrowed, list.next.as_deref(), filter.before.is_none()),
        state: asked.state,
        states: DeliveryState::ALL,
        kind,
        account: of_text,
        deliveries: list.items,
    })
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(event): Path<String>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let stored = delivery(&service, event).await?;
    let changes = service.book.delivery_changes(&stored, CHANGES_MAX).await?;
    let told = &stored.delivery;
    let (body, is_cut) = plain::cut(&plain::body(&told.body), BODY_LETTERS);
    shell::page(&DeliveryPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator).with_notice(query.notice()),
        tab: Tab::Deliveries,
        delivery: DeliveryRow::from(&stored),
        is_parked: stored.state == DeliveryState::Parked,
        is_waiting: stored.state == DeliveryState::Waiting,
        mode: if told.live { "live" } else { "test" },
        api_version: told.api_version.as_deref().map_or_else(|| "not told".to_owned(), plain::line),
        created: When::instant(told.created),
        ended: stored.applied_at.map(When::instant),
        next_try: (stored.state == DeliveryState::Waiting).then(|| When::instant(stored.next_at)),
        attempts: stored.attempts,
        changes: changes.iter().map(ChangeRow::from).collect(),
        bytes: show::number(u64::try_from(told.body.len()).unwrap_or(u64::MAX)),
        body,
        is_cut,
    })
}

impl From<&DeliveryChange> for ChangeRow {
    fn from(change: &DeliveryChange) -> Self {
        Self {
            at: When::instant(change.at),
            actor: plain::line(&change.actor),
            what: plain::line(&change.action).replace('_', " "),
            subject: change.subject.as_deref().map(plain::line).unwrap_or_default(),
            after: change.after.as_ref().map(value).unwrap_or_default(),
            account: change.account.map(|account| (account.to_string(), path(account))),
        }
    }
}
