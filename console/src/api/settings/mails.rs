//! `GET /api/billing/mails`: the account's mails, each with the evidence of what became of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::mails::{MailEvent, MailFilter, MailView};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::list::{List, ListQuery};
use crate::api::refused::ReadRefused;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// A mail.
#[derive(Serialize, ToSchema)]
pub struct Mail {
    /// Its number.
    id: u64,
    /// What it is about, as `low_balance`.
    kind: &'static str,
    /// `queued`, `sending`, `sent`, `delivered`, `bounced`, `complained`, `suppressed`, `held_back`, `failed` or `unknown`.
    state: &'static str,
    /// Whom it was handed over for the last time.
    addresses: Vec<String>,
    /// When it was queued.
    queued_at: String,
    /// When it is tried next, while it waits.
    next_try_at: Option<String>,
    /// Why it was held back, in a word.
    held_reason: Option<String>,
    /// What happened to it, oldest first.
    evidence: Vec<MailFact>,
}

/// One thing that happened to a mail.
#[derive(Serialize, ToSchema)]
pub struct MailFact {
    /// When, by whoever says it.
    at: String,
    /// What, as `sent`, `delivered`, `bounced`.
    what: &'static str,
    /// To which address; `null` where it is about all of them.
    address: Option<String>,
    /// A stable word for why.
    code: Option<String>,
    /// In words, as a mail server's reply.
    detail: Option<String>,
    /// The provider that told it.
    provider: Option<String>,
}

/// The account's mails, latest first.
#[utoipa::path(get, path = "/api/billing/mails", tag = "settings", operation_id = "mails_list", params(ListQuery),
    responses(ReadRefused, (status = 200, body = List<Mail>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<Mail>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let after = asked.after.as_deref().map(place).transpose()?;
    let filter = MailFilter { account: Some(caller.account), after, limit: limit + 1, ..MailFilter::default() };
    let mails = service.book.mails(&filter).await?;
    Ok(Json(List::of(mails, limit, |mail: &MailView| mail.mail.to_string(), Mail::from)))
}

/// The number after which a page begins: one that the book can hold.
fn place(after: &str) -> Result<u64, Refusal> {
    let number = after.parse::<u64>().ok().filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| Refusal::bad_request("`after` is the `next` of an earlier page."))
}

impl From<MailView> for Mail {
    fn from(mail: MailView) -> Self {
        Self {
            id: mail.mail,
            kind: mail.kind.as_str(),
            state: mail.state.as_str(),
            addresses: mail.addresses,
            queued_at: show::machine(mail.queued_at),
            next_try_at: mail.next_try_at.map(show::machine),
            held_reason: mail.held_reason,
            evidence: mail.evidence.into_iter().map(MailFact::from).collect(),
        }
    }
}

impl From<MailEvent> for MailFact {
    fn from(event: MailEvent) -> Self {
        Self {
            at: show::machine(event.at),
            what: event.what.as_str(),
            address: event.address,
            code: event.code,
            detail: event.detail,
            provider: event.provider,
        }
    }
}
