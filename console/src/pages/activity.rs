//! The activity page, and its lines as a file for spreadsheets.

pub mod row;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{ActivityKind, ActivityLine};

use crate::activity::csv;
use crate::activity::filter::FilterQuery;
use crate::api::list::List;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;
use row::{ActivityRow, KindChoice, kinds};

#[derive(Template)]
#[template(path = "activity/page.html")]
struct Page {
    shell: Shell,
    filter: FilterQuery,
    kinds: Vec<KindChoice>,
    /// What can't be read of the filter, and then nothing is listed.
    wrong: Option<String>,
    lines: Vec<ActivityRow>,
    is_first: bool,
    next: Option<String>,
    /// The filter, as links have it.
    link: String,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(filter): Query<FilterQuery>,
) -> Result<Response, Refusal> {
    let shell = Shell::new(&service, Some(&caller), Section::Activity);
    let (wanted, after) = match (filter.read(), filter.cursor()) {
        (Ok(wanted), Ok(after)) => (wanted, after),
        (Err(refusal), _) | (_, Err(refusal)) => {
            let page = Page::empty(shell, filter, refusal.detail.replace('`', ""));
            return shell::page_as(StatusCode::BAD_REQUEST, &page);
        }
    };
    let lines = service.book.activity(Some(caller.account), &wanted, after.as_ref(), input::ITEMS + 1).await?;
    let list = List::of(lines, input::ITEMS, |line: &ActivityLine| line.cursor().to_string(), ActivityRow::from);
    shell::page(&Page {
        lines: list.items,
        is_first: after.is_none(),
        next: list.next,
        link: filter.link(),
        ..Page::empty(shell, filter, String::new())
    })
}

impl Page {
    fn empty(shell: Shell, filter: FilterQuery, wrong: String) -> Self {
        Self {
            shell,
            kinds: kinds(&filter.kind),
            wrong: Some(wrong).filter(|wrong| !wrong.is_empty()),
            lines: Vec::new(),
            is_first: true,
            next: None,
            link: String::new(),
            filter,
        }
    }
}

/// The same lines, up to ten thousand of them.
pub async fn file(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(filter): Query<FilterQuery>,
) -> Result<Response, Refusal> {
    let wanted = filter.read()?;
    let name = format!("attachment; filename=\"activity-{}.csv\"", ledger::Day::of(service.clock.now()));
    let body = csv::body(service, Some(caller.account), wanted).await?;
    let lines =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"), (header::CONTENT_DISPOSITION, &name)];
    Ok((lines, body).into_response())
}

/// What people call a kind.
pub const fn kind_words(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Status => "Status",
        ActivityKind::Credits => "Credits",
        ActivityKind::Budget => "Budget",
        ActivityKind::Key => "API keys",
        ActivityKind::Session => "Sessions",
        ActivityKind::Payment => "Checkout",
        ActivityKind::Delivery => "Stripe",
        ActivityKind::Mail => "Mails",
        ActivityKind::Operation => "Operation",
    }
}
