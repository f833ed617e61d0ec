//! `POST /api/operator/accounts/{account}/status`: approve, suspend, reopen.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use metering::{AccountId, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason;
use crate::api::etag;
use crate::api::refused::{ChangedMeanwhile, WriteRefused};
use crate::caller::Operator;
use crate::input::{self, Path};
use crate::operator::status::{self, Word};
use crate::refusal::Refusal;
use crate::service::Service;

/// What an operator says of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusAsked {
    /// `approve`, `suspend`, or `reopen`: then what Stripe says counts again.
    action: Word,
    /// The status that was seen: where it is another by now, nothing is changed (412).
    seen: Option<String>,
    /// Why, for the audit; the account's people see it, too.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusSet {
    /// The status before.
    before: &'static str,
    /// The status now.
    after: &'static str,
}

/// Approves, suspends or reopens an account. It holds within a second, for chat and for each key.
#[utoipa::path(post, path = "/api/operator/accounts/{account}/status", tag = "operator", operation_id = "operator_status_set",
    params(("account" = String, Path)), request_body = StatusAsked,
    responses(WriteRefused, ChangedMeanwhile, (status = 200, body = StatusSet)))]
pub async fn set(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(account): Path<AccountId>,
    input::Json(asked): input::Json<StatusAsked>,
) -> Result<Json<StatusSet>, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let seen = asked.seen.as_deref().map(str::parse::<Status>).transpose();
    let seen = seen.map_err(|_| Refusal::invalid("`seen` is no status of an account."))?;
    let turn = status::turn(&service.book, account, asked.action).await?;
    let turn = match turn {
        Ok(turn) if seen.is_none_or(|seen| seen == turn.from) => turn,
        Ok(_) => return Err(etag::changed()),
        Err(wrong) => return Err(Refusal::new(axum::http::StatusCode::CONFLICT, "status_unchanged", wrong.text)),
    };
    status::say(&service.book, account, asked.action, turn, &by).await?;
    Ok(Json(StatusSet { before: turn.from.as_str(), after: turn.to.as_str() }))
}
