//! Mails and what became of each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::mails::{MailEvent, MailFilter, MailView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use super::{Why, reason};
use crate::api::list::List;
use crate::api::refused::WriteRefused;
use crate::caller::Operator;
use crate::input::{self, Path, Query};
use crate::operator::diagnosis::{self, Trouble};
use crate::operator::mails::states;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which mails.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MailsQuery {
    /// In this state alone: `queued`, `sending`, `sent`, `delivered`, `bounced`, `complained`, `suppressed`, `held_back`, `failed` or `unknown`.
    state: Option<String>,
    /// About this account alone.
    account: Option<String>,
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A mail and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorMail {
    /// Its number.
    mail: u64,
    /// About whom.
    account: String,
    /// What it says, as `low_balance`.
    kind: &'static str,
    /// How far it is.
    state: &'static str,
    /// Where its trouble is: in a setting, or in the delivery.
    trouble: Trouble,
    /// The same in a sentence.
    says: String,
    /// Where it was queued to; the account's settings may say otherwise.
    address: Option<String>,
    /// Whom it was handed over for the last time.
    addresses: Vec<String>,
    /// Left part of its Message-ID.
    message_id: String,
    /// When it was queued.
    queued_at: String,
    /// When it is tried next, while it waits.
    next_try_at: Option<String>,
    /// When it was handed over.
    handed_over_at: Option<String>,
    /// Tries since it was queued the last time.
    attempts: u32,
    /// What was in its way the last time.
    last_error: Option<String>,
    /// Why it was held back, as a stable word.
    held_reason: Option<String>,
    /// The values that it names.
    #[schema(value_type = Object)]
    detail: Value,
    /// What happened to it, oldest first.
    evidence: Vec<Evidence>,
}

/// One fact about a mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidence {
    /// When.
    at: String,
    /// What, as `sent` or `bounced`.
    what: &'static str,
    /// To which address; `null` where it is about all of them.
    address: Option<String>,
    /// A stable word for why.
    code: Option<String>,
    /// In words: a mail server's reply, an operator's reason.
    detail: Option<String>,
    /// The operator, where one did it.
    actor: Option<String>,
    /// The provider, where one told it.
    provider: Option<String>,
}

/// Mails, latest first.
#[utoipa::path(get, path = "/api/operator/mails", tag = "operator", operation_id = "operator_mails", params(MailsQuery),
    responses(OperatorReadRefused, (status = 200, body = List<OperatorMail>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<MailsQuery>,
) -> Result<Json<List<OperatorMail>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let filter = MailFilter {
        account: input::account(asked.account.as_deref())?,
        states: states(asked.state.as_deref().unwrap_or_default())?,
        after: input::place(asked.after.as_deref())?,
        limit: limit + 1,
    };
    let found = service.book.mails(&filter).await?;
    Ok(Json(List::of(found, limit, |mail: &MailView| mail.mail.to_string(), OperatorMail::from)))
}

/// One mail.
#[utoipa::path(get, path = "/api/operator/mails/{mail}", tag = "operator", operation_id = "operator_mail",
    params(("mail" = u64, Path)), responses(OperatorReadRefused, (status = 200, body = OperatorMail)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(mail): Path<u64>,
) -> Result<Json<OperatorMail>, Refusal> {
    Ok(Json(OperatorMail::from(service.book.mail(mail).await?)))
}

/// Has a mail sent again, as settings, recipients and the list of suppressions are by then.
#[utoipa::path(post, path = "/api/operator/mails/{mail}/resend", tag = "operator", operation_id = "operator_mail_resend",
    params(("mail" = u64, Path)), request_body = Why, responses(WriteRefused, (status = 200, body = OperatorMail)))]
pub async fn resend(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(mail): Path<u64>,
    input::Json(asked): input::Json<Why>,
) -> Result<Json<OperatorMail>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    service.book.resend_mail(mail, &by).await?;
    Ok(Json(OperatorMail::from(service.book.mail(mail).await?)))
}

impl From<MailView> for OperatorMail {
    fn from(mail: MailView) -> Self {
        let (trouble, says) = diagnosis::of(&mail);
        Self {
            mail: mail.mail,
            account: mail.account.to_string(),
            kind: mail.kind.as_str(),
            state: mail.state.as_str(),
            trouble,
            says,
            address: mail.address,
            addresses: mail.addresses,
            message_id: mail.message_id,
            queued_at: show::machine(mail.queued_at),
            next_try_at: mail.next_try_at.map(show::machine),
            handed_over_at: mail.handed_over_at.map(show::machine),
            attempts: mail.attempts,
            last_error: mail.last_error,
            held_reason: mail.held_reason,
            detail: mail.detail,
            evidence: mail.evidence.into_iter().map(Evidence::from).collect(),
        }
    }
}

impl From<MailEvent> for Evidence {
    fn from(event: MailEvent) -> Self {
        Self {
            at: show::machine(event.at),
            what: event.what.as_str(),
            address: event.address,
            code: event.code,
            detail: event.detail,
            actor: event.actor,
            provider: event.provider,
        }
    }
}
