//! Finding accounts, and what waits for somebody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::{ATTENTION_MAX, AccountSummary, Attention};
use serde::Deserialize;

use super::account::path;
use super::pager::Pager;
use super::rows::{Badge, status_badge};
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, ITEMS, Query};
use crate::operator::{ATTENTION_DAYS, attention_since, plain};
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// What is looked for, and which page of it.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/home.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    days: u64,
    counters: Vec<Counter>,
    q: String,
    /// `None` where nothing was looked for.
    found: Option<Vec<Row>>,
    pager: Pager,
}

/// How many of one kind wait.
struct Counter {
    name: &'static str,
    href: &'static str,
    count: String,
    is_some: bool,
}

struct Row {
    href: String,
    account: String,
    name: String,
    email: String,
    status: Badge,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let after = input::place(asked.after.as_deref())?;
    let attention = service.book.attention(attention_since(service.clock.now())).await?;
    let q = asked.q.trim().to_owned();
    let (mut found, mut next) = (None, None);
    if !q.is_empty() {
        let rows = service.book.search_accounts(&q, after, ITEMS + 1).await?;
        let list = List::of(rows, ITEMS, |row| row.account.to_string(), Row::from);
        (found, next) = (Some(list.items), list.next);
    }
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Accounts,
        days: ATTENTION_DAYS,
        counters: counters(&attention),
        pager: Pager::of(Tab::Accounts.path(), &[("q", &q)], next.as_deref(), after.is_none()),
        q,
        found,
    })
}

fn counters(attention: &Attention) -> Vec<Counter> {
    let of = |name, href, count: u64| {
        let more = if count >= ATTENTION_MAX { " or more" } else { "" };
        Counter { name, href, count: format!("{}{more}", show::number(count)), is_some: count > 0 }
    };
    vec![
        of("Dead letters", "/operator/letters", attention.dead_letters),
        of("Decisions under way", "/operator/letters#decisions", attention.decisions),
        of("Parked deliveries", "/operator/deliveries?state=parked", attention.deliveries),
        of("Mails failed", "/operator/mails?state=failed", attention.mails_failed),
        of("Mails bounced", "/operator/mails?state=bounced", attention.mails_bounced),
        of("Mails complained about", "/operator/mails?state=complained", attention.mails_complained),
        of("Mails of unknown outcome", "/operator/mails?state=unknown", attention.mails_unknown),
        of("Incidents", "/operator/incidents", attention.incidents),
    ]
}

impl From<AccountSummary> for Row {
    fn from(found: AccountSummary) -> Self {
        Self {
            href: path(found.account),
            account: found.account.to_string(),
            name: plain::line(&found.name),
            email: found.email.as_deref().map(plain::line).unwrap_or_default(),
            status: status_badge(found.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_no_further_says_so() {
        let shown = counters(&Attention { dead_letters: ATTENTION_MAX, mails_failed: 3, ..Attention::default() });
        let of = |name: &str| shown.iter().find(|counter| counter.name == name).unwrap();
        assert_eq!(of("Dead letters").count.replace('\u{202f}', " "), "1 000 or more");
        assert_eq!((of("Mails failed").count.as_str(), of("Mails failed").is_some), ("3", true));
        assert!(!of("Incidents").is_some);
    }
}
