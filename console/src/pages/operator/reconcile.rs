//! Stripe held against the book when somebody asks: what differs, and the way to mend it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use payments::Difference;

use super::account::path;
use super::sent::Sent;
use super::tabs::Tab;
use crate::caller::{Caller, Operator};
use crate::input::Form;
use crate::operator::plain;
use crate::operator::reconcile::{self, Look};
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

#[derive(Template)]
#[template(path = "operator/reconcile.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    /// Why there is nothing to look at.
    off: Option<&'static str>,
    due: When,
    since: String,
    wrong: Option<String>,
    report: Option<Report>,
}

struct Report {
    since: When,
    compared: String,
    rows: Vec<Row>,
}

struct Row {
    kind: String,
    id: String,
    account: Option<(String, String)>,
    detail: String,
}

pub async fn ask(State(service): State<Arc<Service>>, Operator(caller): Operator) -> Result<Response, Refusal> {
    shell::page(&page(&service, &caller, String::new(), None, None).await?)
}

pub async fn look(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Form(sent): Form<Sent>,
) -> Result<Response, Refusal> {
    let typed = sent.one("since").to_owned();
    let since = match sent.day("since") {
        Ok(since) => since,
        Err(wrong) => {
            let page = page(&service, &caller, typed, Some(wrong.text), None).await?;
            return shell::page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let by = caller.by(&service, "looked, repaired nothing");
    let look = reconcile::look(&service, since, false, &by).await?;
    shell::page(&page(&service, &caller, typed, None, Some(Report::from(look))).await?)
}

async fn page(
    service: &Service,
    caller: &Caller,
    since: String,
    wrong: Option<String>,
    report: Option<Report>,
) -> Result<Page, Refusal> {
    let off = "Stripe is not configured here: there is nothing to hold the book against.";
    Ok(Page {
        shell: Shell::new(service, Some(caller), Section::Operator),
        tab: Tab::Reconcile,
        off: service.parts.stripe.is_none().then_some(off),
        due: When::instant(reconcile::due(service).await?),
        since,
        wrong,
        report,
    })
}

impl From<Look> for Report {
    fn from(look: Look) -> Self {
        Self {
            since: When::instant(look.since),
            compared: show::number(look.found.compared),
            rows: look.found.differences.iter().map(Row::from).collect(),
        }
    }
}

impl From<&Difference> for Row {
    fn from(found: &Difference) -> Self {
        Self {
            kind: found.kind().replace('_', " "),
            id: plain::line(&found.id),
            account: found.account.map(|account| (account.to_string(), path(account))),
            detail: plain::line(&found.detail),
        }
    }
}
