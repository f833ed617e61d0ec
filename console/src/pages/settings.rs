//! The settings page: which mails, to whom, and what became of the last ones.

pub mod mails;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ledger::mails::{MailFilter, NoticeSettings};
use serde::Deserialize;

use crate::caller::{AccountAdmin, Caller};
use crate::input::{Form, Query};
use crate::keys::asked::words;
use crate::notices::{self, Notices};
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;
use mails::MailRow;

/// How many mails stand on this page; all of them are on the activity page.
const MAILS: u32 = 10;

/// As typed. A box that is not ticked is not sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Typed {
    low_balance: Option<String>,
    lifecycle: Option<String>,
    #[serde(default)]
    recipients: String,
    version: u64,
}

#[derive(Template)]
#[template(path = "settings/page.html")]
struct Page {
    shell: Shell,
    low_balance: Choice,
    lifecycle: Choice,
    recipients: String,
    wrong: Option<String>,
    /// Somebody else has changed them since the form was shown.
    changed: bool,
    version: u64,
    own_address: Option<String>,
    /// What is to know of mails as a whole; nothing where they are sent.
    sending: Option<String>,
    mails: Vec<MailRow>,
}

/// A kind of mail.
struct Choice {
    chosen: bool,
    /// The installation sends none of these.
    switched_off: bool,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let notices = Notices::of(&service, caller.account).await?;
    let shell = Shell::new(&service, Some(&caller), Section::Settings).with_notice(asked.notice());
    shell::page(&page(&service, &caller, shell, &notices).await?)
}

pub async fn save(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let (low_balance, lifecycle) = (typed.low_balance.is_some(), typed.lifecycle.is_some());
    // Semicolons as well: that is how mail programs copy lists.
    let separate = typed.recipients.replace(';', " ");
    let recipients = match notices::recipients(words(&separate)) {
        Ok(recipients) => recipients,
        Err(wrong) => return again(&service, &caller, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    let settings = NoticeSettings { low_balance, lifecycle, recipients, version: typed.version };
    match notices::save(&service, &caller, &settings, Some(typed.version)).await {
        Ok(_) => Ok(shell::see_other("/settings?done=settings_saved")),
        Err(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => {
            again(&service, &caller, typed, String::new(), refusal.status).await
        }
        Err(refusal) if refusal.status == StatusCode::UNPROCESSABLE_ENTITY => {
            again(&service, &caller, typed, refusal.detail, refusal.status).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// The page with what was typed, and what is in its way.
async fn again(
    service: &Service,
    caller: &Caller,
    typed: Typed,
    wrong: String,
    status: StatusCode,
) -> Result<Response, Refusal> {
    let notices = Notices::of(service, caller.account).await?;
    let shell = Shell::new(service, Some(caller), Section::Settings);
    let mut page = page(service, caller, shell, &notices).await?;
    page.low_balance.chosen = typed.low_balance.is_some();
    page.lifecycle.chosen = typed.lifecycle.is_some();
    page.recipients = typed.recipients;
    page.changed = status == StatusCode::PRECONDITION_FAILED;
    page.wrong = Some(wrong).filter(|wrong| !wrong.is_empty());
    shell::page_as(status, &page)
}

async fn page(service: &Service, caller: &Caller, shell: Shell, notices: &Notices) -> Result<Page, Refusal> {
    let filter = MailFilter { account: Some(caller.account), limit: MAILS, ..MailFilter::default() };
    let mails = service.book.mails(&filter).await?;
    let settings = &notices.settings;
    let off = |on: fn(&ledger::mails::NoticeSwitches) -> bool| notices.switches.is_some_and(|switches| !on(&switches));
    Ok(Page {
        shell,
        low_balance: Choice { chosen: settings.low_balance, switched_off: off(|switches| switches.low_balance) },
        lifecycle: Choice { chosen: settings.lifecycle, switched_off: off(|switches| switches.lifecycle) },
        recipients: settings.recipients.join("\n"),
        wrong: None,
        changed: false,
        version: settings.version,
        own_address: notices.own_address.clone(),
        sending: sending(notices),
        mails: mails.into_iter().map(MailRow::from).collect(),
    })
}

fn sending(notices: &Notices) -> Option<String> {
    if notices.switches.is_none() {
        return Some("This installation does not send mails yet. What you choose holds as soon as it does.".to_owned());
    }
    let silent = notices.now.since(notices.silent_since()?);
    Some(format!(
        "Mails are not being sent right now: what sends them was last heard of {} ago. They wait until it is back.",
        show::span(silent)
    ))
}
