//! Addresses that nothing is sent to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use ledger::mails::{Suppression as Suppressed, SuppressionReason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason;
use super::refused::OperatorReadRefused;
use crate::api::list::{List, ListQuery};
use crate::api::refused::WriteRefused;
use crate::caller::Operator;
use crate::input::{self, Query};
use crate::operator::plain;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// An address that nothing is sent to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suppression {
    /// In lower case.
    address: String,
    /// `bounced`, `complained` or `operator`.
    reason: &'static str,
    /// In words: what the provider said, or the operator.
    detail: Option<String>,
    /// The mail that told.
    mail: Option<u64>,
    /// Who put it here.
    actor: String,
    /// Since when.
    at: String,
}

/// An address, and why something is done about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressAsked {
    /// The address.
    #[schema(max_length = 320)]
    address: String,
    /// Why, for the audit.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Addresses in the order of their letters.
#[utoipa::path(get, path = "/api/operator/suppressions", tag = "operator", operation_id = "operator_suppressions", params(ListQuery),
    responses(OperatorReadRefused, (status = 200, body = List<Suppression>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<Suppression>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let after = asked.after.map(|after| plain::name(after).ok_or_else(input::no_place)).transpose()?;
    let found = service.book.suppressions(after.as_deref(), limit + 1).await?;
    Ok(Json(List::of(found, limit, |found: &Suppressed| found.address.clone(), Suppression::from)))
}

/// Sends nothing to an address from now on.
#[utoipa::path(post, path = "/api/operator/suppressions", tag = "operator", operation_id = "operator_suppress",
    request_body = AddressAsked, responses(WriteRefused, (status = 201, description = "It is on the list now, or was before.")))]
pub async fn add(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    input::Json(asked): input::Json<AddressAsked>,
) -> Result<StatusCode, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    service.book.suppress(&asked.address, SuppressionReason::Operator, &by).await?;
    Ok(StatusCode::CREATED)
}

/// Sends to an address again.
#[utoipa::path(post, path = "/api/operator/suppressions/release", tag = "operator", operation_id = "operator_release",
    request_body = AddressAsked, responses(WriteRefused, (status = 204, description = "It is not on the list any more.")))]
pub async fn release(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    input::Json(asked): input::Json<AddressAsked>,
) -> Result<StatusCode, Refusal> {
    let by = reason(&asked.reason)?.by(&service, &caller);
    let address = plain::name(asked.address).ok_or_else(|| Refusal::not_found("suppressed address"))?;
    service.book.unsuppress(&address, &by).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Suppressed> for Suppression {
    fn from(found: Suppressed) -> Self {
        Self {
            address: found.address,
            reason: found.reason.as_str(),
            detail: found.detail,
            mail: found.mail,
            actor: found.actor,
            at: show::machine(found.at),
        }
    }
}
