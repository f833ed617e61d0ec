//! Dead letters and what is decided about them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ledger::{DeadLetter, DecisionState, DecisionView, PendingDecision};
use metering::Credits;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::reason;
use super::refused::OperatorReadRefused;
use crate::api::list::List;
use crate::api::refused::WriteRefused;
use crate::caller::Operator;
use crate::input::{self, Path, Query};
use crate::operator::letters::{fields, named, page, siblings};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which letters.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LettersQuery {
    /// Of this account alone.
    account: Option<String>,
    /// Also those that were decided about.
    #[serde(default)]
    all: bool,
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// An event that could not be applied.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Letter {
    /// Its name: shard and event, as `s003/7-1234`.
    letter: String,
    /// Its kind; `undecodable` where it could not be read.
    kind: String,
    /// The account it is about, as far as that could be read.
    account: Option<String>,
    /// The account's number of it.
    seq: Option<u64>,
    /// The op that made it.
    op: Option<String>,
    /// What it drew, where it is a debit that can be read.
    credits: Option<u64>,
    /// When it happened.
    occurred_at: Option<String>,
    /// Why it was parked.
    reason: String,
    /// Whether only because an earlier event of its account is.
    follows: bool,
    /// Whether live state was built anew without it: then it can only be discarded.
    superseded: bool,
    /// `open`, `applied` or `discarded`.
    state: String,
    /// When it was parked.
    parked_at: String,
    /// When it was applied or discarded.
    resolved_at: Option<String>,
}

/// A letter with its fields.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeLetter {
    #[serde(flatten)]
    letter: Letter,
    /// Names and values as they stood, in their order; what is no plain text as hex digits (`0x…`). `null` where they are longer than what is kept.
    fields: Option<Vec<(String, String)>>,
}

/// That letters are to be tried again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryAsked {
    /// Whether numbers of the account that no letter has are given up.
    #[serde(default)]
    skip_missing: bool,
    /// Why, for the audit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// That letters are to be given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardAsked {
    /// Whether every open letter of the account and incarnation is given up with it.
    #[serde(default)]
    all_of_account: bool,
    /// Why, for the audit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A decision that was taken; the owner of the shard carries it out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    /// Its number.
    decision: u64,
}

/// How far a decision is.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Decision {
    /// Its number.
    decision: u64,
    /// `asked`, `applied` (the book has it), `done` or `refused`.
    state: &'static str,
    /// How many letters were applied.
    applied: u64,
    /// Why it can't be carried out; nothing was changed then.
    refusal: Option<String>,
}

/// A decision that waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingDecision {
    /// Its number.
    decision: u64,
    /// Whose letters.
    account: Option<String>,
    /// The shard whose owner carries it out.
    shard: u16,
    /// How many letters are given up; the account's others are applied.
    discarded: u64,
    /// Whether numbers that no letter has are given up, too.
    skips_missing: bool,
    /// `asked`, or `applied`: then only live state is still to be written anew.
    state: &'static str,
    /// Since when.
    asked_at: String,
}

/// Letters by shard and number, at most the first 1000.
#[utoipa::path(get, path = "/api/operator/dead-letters", tag = "operator", operation_id = "operator_letters", params(LettersQuery),
    responses(OperatorReadRefused, (status = 200, body = List<Letter>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<LettersQuery>,
) -> Result<Json<List<Letter>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let account = input::account(asked.account.as_deref())?;
    let after = input::place(asked.after.as_deref())?;
    let letters = page(&service.book, account, asked.all, after, limit).await?;
    Ok(Json(List::of(letters, limit, |letter: &DeadLetter| letter.letter.to_string(), Letter::from)))
}

/// One letter, whole.
#[utoipa::path(get, path = "/api/operator/dead-letters/{shard}/{event}", tag = "operator", operation_id = "operator_letter",
    params(("shard" = String, Path), ("event" = String, Path)), responses(OperatorReadRefused, (status = 200, body = WholeLetter)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path((shard, event)): Path<(String, String)>,
) -> Result<Json<WholeLetter>, Refusal> {
    let (letter, entry) = service.book.dead_letter(named(&shard, &event)?).await?;
    Ok(Json(WholeLetter { letter: Letter::from(letter), fields: entry.as_ref().map(fields) }))
}

/// Has every open letter of its account applied, in order, all or none.
#[utoipa::path(post, path = "/api/operator/dead-letters/{shard}/{event}/retry", tag = "operator", operation_id = "operator_letter_retry",
    params(("shard" = String, Path), ("event" = String, Path)), request_body = RetryAsked,
    responses(WriteRefused, (status = 202, body = Decided)))]
pub async fn retry(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((shard, event)): Path<(String, String)>,
    input::Json(asked): input::Json<RetryAsked>,
) -> Result<(StatusCode, Json<Decided>), Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let (decision, _) = service.book.retry_dead_letter(named(&shard, &event)?, asked.skip_missing, &by).await?;
    Ok((StatusCode::ACCEPTED, Json(Decided { decision })))
}

/// Gives a letter up, or all that go with it; the account's others are applied.
#[utoipa::path(post, path = "/api/operator/dead-letters/{shard}/{event}/discard", tag = "operator", operation_id = "operator_letter_discard",
    params(("shard" = String, Path), ("event" = String, Path)), request_body = DiscardAsked,
    responses(WriteRefused, (status = 202, body = Decided)))]
pub async fn discard(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path((shard, event)): Path<(String, String)>,
    input::Json(asked): input::Json<DiscardAsked>,
) -> Result<(StatusCode, Json<Decided>), Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let letter = named(&shard, &event)?;
    let (found, _) = service.book.dead_letter(letter).await?;
    let letters = if asked.all_of_account { siblings(&service.book, &found).await? } else { vec![letter] };
    let (decision, _) = service.book.discard_dead_letters(&letters, &by).await?;
    Ok((StatusCode::ACCEPTED, Json(Decided { decision })))
}

/// Decisions that no owner has carried out, oldest first; the oldest 200 where there are more.
#[utoipa::path(get, path = "/api/operator/decisions", tag = "operator", operation_id = "operator_decisions",
    responses(OperatorReadRefused, (status = 200, body = List<WaitingDecision>)))]
pub async fn decisions(
    State(service): State<Arc<Service>>,
    _operator: Operator,
) -> Result<Json<List<WaitingDecision>>, Refusal> {
    let pending = service.book.pending_decisions().await?;
    Ok(Json(List { items: pending.into_iter().map(WaitingDecision::from).collect(), next: None }))
}

/// How far a decision is.
#[utoipa::path(get, path = "/api/operator/decisions/{decision}", tag = "operator", operation_id = "operator_decision",
    params(("decision" = u64, Path)), responses(OperatorReadRefused, (status = 200, body = Decision)))]
pub async fn decision(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(decision): Path<u64>,
) -> Result<Json<Decision>, Refusal> {
    let found = service.book.find_decision(decision).await?.ok_or_else(|| Refusal::not_found("decision"))?;
    let DecisionView { state, applied, refusal } = found;
    let state = match state {
        DecisionState::Asked => "asked",
        DecisionState::Applied => "applied",
        DecisionState::Done => "done",
        DecisionState::Refused => "refused",
    };
    Ok(Json(Decision { decision, state, applied, refusal }))
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            letter: letter.letter.to_string(),
            kind: letter.kind,
            account: letter.account.map(|account| account.to_string()),
            seq: letter.seq,
            op: letter.op.map(|op| op.to_string()),
            credits: letter.credits.map(Credits::get),
            occurred_at: letter.occurred_at.map(show::machine),
            reason: letter.reason,
            follows: letter.follows,
            superseded: letter.superseded,
            state: letter.state,
            parked_at: show::machine(letter.parked_at),
            resolved_at: letter.resolved_at.map(show::machine),
        }
    }
}

impl From<PendingDecision> for WaitingDecision {
    fn from(pending: PendingDecision) -> Self {
        Self {
            decision: pending.decision,
            account: pending.account.map(|account| account.to_string()),
            shard: pending.shard,
            discarded: pending.discarded,
            skips_missing: pending.skips_missing,
            state: if pending.applied { "applied" } else { "asked" },
            asked_at: show::machine(pending.asked_at),
        }
    }
}
