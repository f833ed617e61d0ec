//! Mails and what became of each: so that a setting that keeps one back can be told from a delivery that failed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use ledger::mails::{MailEvent, MailFilter, MailState, MailView, Suppression};
use serde::Deserialize;

use super::pager::Pager;
use super::rows::{MailRow, account, value};
use super::tabs::Tab;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{ITEMS, Path, Query};
use crate::operator::mails::{is_under_way, states};
use crate::operator::{diagnosis, plain};
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;

/// Which mails.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    state: String,
    account: Option<String>,
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "operator/mails.html")]
struct ListPage {
    shell: Shell,
    tab: Tab,
    state: String,
    states: &'static [MailState],
    account: String,
    mails: Vec<MailRow>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "operator/mail.html")]
struct MailPage {
    shell: Shell,
    tab: Tab,
    mail: MailRow,
    trouble: &'static str,
    may_resend: bool,
    message_id: String,
    attempts: u32,
    next_try: Option<When>,
    handed_over: Option<When>,
    last_error: String,
    held_reason: String,
    detail: String,
    /// Whether these notices are on in the account's settings, and whom they go to.
    settings: String,
    /// Its addresses that nothing is sent to.
    suppressed: Vec<SuppressedRow>,
    evidence: Vec<EventRow>,
}

struct SuppressedRow {
    address: String,
    reason: &'static str,
    since: When,
    release: String,
}

struct EventRow {
    at: When,
    what: String,
    address: String,
    code: String,
    detail: String,
    who: String,
}

pub async fn list(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let of = account(asked.account.as_deref())?;
    let states = states(&asked.state)?;
    let filter = MailFilter { account: of, states, after: asked.after, limit: ITEMS + 1 };
    let found = service.book.mails(&filter).await?;
    let list = List::of(found, ITEMS, |mail: &MailView| mail.mail.to_string(), |mail| MailRow::from(&mail));
    let of_text = of.map(|of| of.to_string()).unwrap_or_default();
    let narrowed = [("state", asked.state.as_str()), ("account", of_text.as_str())];
    shell::page(&ListPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator),
        tab: Tab::Mails,
        pager: Pager::of(Tab::Mails.path(), &narrowed, list.next.as_deref(), asked.after.is_none()),
        state: asked.state,
        states: MailState::ALL,
        account: of_text,
        mails: list.items,
    })
}

pub async fn show(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(mail): Path<u64>,
    Query(query): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let mail = service.book.mail(mail).await?;
    let settings = service.book.notice_settings(mail.account).await?;
    let addresses: Vec<String> =
        mail.addresses.iter().chain(mail.address.iter()).chain(&settings.recipients).cloned().collect();
    let suppressed = service.book.suppressed_among(&addresses).await?;
    let on = |is_on| if is_on { "on" } else { "off" };
    let to = if settings.recipients.is_empty() {
        "the account's own address".to_owned()
    } else {
        settings.recipients.join(", ")
    };
    let (trouble, _) = diagnosis::of(&mail);
    shell::page(&MailPage {
        shell: Shell::new(&service, Some(&caller), Section::Operator).with_notice(query.notice()),
        tab: Tab::Mails,
        mail: MailRow::from(&mail),
        trouble: trouble.name(),
        may_resend: !is_under_way(&mail),
        message_id: plain::line(&mail.message_id),
        attempts: mail.attempts,
        next_try: mail.next_try_at.map(When::instant),
        handed_over: mail.handed_over_at.map(When::instant),
        last_error: mail.last_error.as_deref().map(plain::line).unwrap_or_default(),
        held_reason: mail.held_reason.as_deref().map(plain::line).unwrap_or_default(),
        detail: value(&mail.detail),
        settings: plain::line(&format!(
            "low-balance notices {}, lifecycle notices {}, to {to}",
            on(settings.low_balance),
            on(settings.lifecycle)
        )),
        suppressed: suppressed.iter().map(SuppressedRow::from).collect(),
        evidence: mail.evidence.iter().map(EventRow::from).collect(),
    })
}

impl From<&Suppression> for SuppressedRow {
    fn from(found: &Suppression) -> Self {
        Self {
            address: plain::line(&found.address),
            reason: found.reason.as_str(),
            since: When::instant(found.at),
            release: format!("/operator/suppressions/{}/release", plain::in_path(&found.address)),
        }
    }
}

impl From<&MailEvent> for EventRow {
    fn from(event: &MailEvent) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(plain::line).unwrap_or_default();
        let who =
            event.actor.as_deref().or(event.provider.as_deref()).map_or_else(|| "Tollgate".to_owned(), plain::line);
        Self {
            at: When::instant(event.at),
            what: event.what.as_str().replace('_', " "),
            address: text(&event.address),
            code: text(&event.code),
            detail: text(&event.detail),
            who,
        }
    }
}
