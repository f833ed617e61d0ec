//! Incidents: rebuilds of live state and what else went wrong, and what each has cost.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{AccountLoss, Incident, IncidentFilter, LossReport};
use serde::Deserialize;

use super::account::path;
use super::pager::Pager;
use super::rows::value;
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{ITEMS, Path, Query};
use crate::operator::plain;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which page.
#[derive(Deserialize)]
pub struct Asked {
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "operator/incidents.html")]
struct ListPage {
    shell: Shell,
    tab: Tab,
    incidents: Vec<IncidentRow>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "operator/incident.html")]
struct IncidentPage {
    shell: Shell,
    tab: Tab,
    incident: IncidentRow,
    detail: String,
    losses: Option<Losses>,
}

/// An incident in short.
pub struct IncidentRow {
    id: u64,
    at: When,
    kind: String,
    shard: String,
    /// Empty where nobody said.
    why: String,
    detail: String,
}

/// What it has cost.
struct Losses {
    debits: String,
    lost: String,
    standing: &'static str,
    why_incomplete: Vec<String>,
    witnesses: String,
    accounts: Vec<LossRow>,
}

struct LossRow {
    account: String,
    href: String,
    debits: String,
    drawn: String,
    lost: String,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let filter = IncidentFilter { before: asked.after, limit: ITEMS + 1, ..IncidentFilter::default() };
    let found = service.book.incidents(filter).await?;
    let list =
        List::of(found, ITEMS, |incident: &Incident| incident.id.to_string(), |incident| IncidentRow::from(&incident));
    shell::page(&ListPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Incidents,
        pager: Pager::of(Tab::Incidents.path(), &[], list.next.as_deref(), asked.after.is_none()),
        incidents: list.items,
    })
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(incident): Path<u64>,
) -> Result<Response, Refusal> {
    let filter = IncidentFilter { id: Some(incident), limit: 1, ..IncidentFilter::default() };
    let incident = service.book.incidents(filter).await?.pop().ok_or_else(|| Refusal::not_found("incident"))?;
    let losses = service.book.loss_report(&incident).await?;
    shell::page(&IncidentPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Incidents,
        incident: IncidentRow::from(&incident),
        detail: plain::lines(&format!("{:#}", incident.detail)),
        losses: losses.as_ref().map(Losses::from),
    })
}

impl From<&Incident> for IncidentRow {
    fn from(incident: &Incident) -> Self {
        let why = incident.detail["why"].as_str().map(plain::line);
        Self {
            id: incident.id,
            at: When::instant(incident.at),
            kind: plain::line(&incident.kind).replace('_', " "),
            shard: incident.shard.to_string(),
            why: why.unwrap_or_default(),
            detail: value(&incident.detail),
        }
    }
}

impl From<&LossReport> for Losses {
    fn from(report: &LossReport) -> Self {
        let witnessed = report.witnesses.iter().filter(|witness| witness.has_posted);
        Self {
            debits: show::number(report.debits()),
            lost: show::number(report.lost()),
            standing: match (report.is_complete(), report.is_final()) {
                (true, _) => "exact",
                (false, true) => "final, not complete",
                (false, false) => "not final",
            },
            why_incomplete: report.why_incomplete().iter().map(|why| plain::line(why)).collect(),
            witnesses: witnessed.map(|witness| plain::line(&witness.name)).collect::<Vec<_>>().join(", "),
            accounts: report.accounts.iter().map(LossRow::from).collect(),
        }
    }
}

impl From<&AccountLoss> for LossRow {
    fn from(loss: &AccountLoss) -> Self {
        Self {
            account: loss.account.to_string(),
            href: path(loss.account),
            debits: show::number(loss.debits),
            drawn: show::credits(loss.drawn),
            lost: show::credits(loss.lost),
        }
    }
}
