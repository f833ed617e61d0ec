//! Verifying an account now: book, live state, the events between, and what differs.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use metering::{AccountId, Credits};

use super::account::{crumb, path};
use super::tabs::Tab;
use super::words::Link;
use crate::caller::Operator;
use crate::input::Path;
use crate::operator::verify::{Beside, Found, verify};
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

#[derive(Template)]
#[template(path = "operator/verified.html")]
struct Page {
    shell: Shell,
    tab: Tab,
    back: Link,
    path: String,
    name: String,
    at: When,
    is_true: bool,
    /// In one sentence.
    says: String,
    book: String,
    seq: String,
    between: String,
    live: String,
    difference: String,
    /// What does not agree, each in words.
    differences: Vec<String>,
}

pub async fn run(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
) -> Result<Response, Refusal> {
    let found = verify(&service, account).await?;
    let shell = Shell::new(&service, Some(&caller), Section::Operator);
    shell::page(&Page::of(&found, shell))
}

impl Page {
    fn of(found: &Found, shell: Shell) -> Self {
        let unknown = || "not known".to_owned();
        let shown = |credits: &Option<Credits>| credits.map_or_else(|| "not there yet".to_owned(), show::credits);
        let (live, between, book, says) = match &found.beside {
            Beside::Agrees { live, book, between } => {
                let says = "Book and live state agree.".to_owned();
                (shown(live), show::number(*between), show::credits(*book), says)
            }
            Beside::Differs { live, .. } => {
                let says = "Book and live state differ.".to_owned();
                (shown(live), unknown(), show::credits(found.view.remaining), says)
            }
            Beside::Parked { live, parked } => {
                let says = format!(
                    "{} events are parked as dead letters, debits of {} credits: decide about them.",
                    parked.events, parked.credits
                );
                (shown(live), show::number(parked.events), show::credits(found.view.remaining), says)
            }
            Beside::Unsure(why) => {
                let says = format!("The two could not be compared: {why}.");
                (unknown(), unknown(), show::credits(found.view.remaining), says)
            }
        };
        let mut differences: Vec<String> =
            found.differences.iter().map(|found| format!("In the book: {found}.")).collect();
        if let Beside::Differs { drifts, .. } = &found.beside {
            differences.extend(drifts.iter().map(|drift| format!("In live state: {drift}.")));
        }
        Self {
            shell,
            tab: Tab::Accounts,
            back: crumb(&found.view),
            path: path(found.view.account),
            name: crate::operator::plain::line(&found.view.name),
            at: When::instant(found.at),
            is_true: found.is_true(),
            says,
            book,
            seq: show::number(found.view.seq),
            between,
            live,
            difference: found.drift().map_or_else(unknown, show::number),
            differences,
        }
    }
}
