//! `GET /api/operator/accounts`: accounts by whatever somebody knows of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::AccountSummary;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Beginnings of words of the name or the address, the account's id or a key's, a customer of Stripe, or the first letters of a key.
    q: String,
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// An account that was found.
#[derive(Serialize, ToSchema)]
pub struct AccountFound {
    /// The account.
    account: String,
    /// What people call it; not unique.
    name: String,
    /// Where its mails go.
    email: Option<String>,
    /// `trial`, `active`, `approved`, `pending`, `payment_failed` or `suspended`.
    status: &'static str,
}

/// Accounts to which a text belongs, oldest first.
#[utoipa::path(get, path = "/api/operator/accounts", tag = "operator", operation_id = "operator_accounts_search", params(SearchQuery),
    responses(OperatorReadRefused, (status = 200, body = List<AccountFound>)))]
pub async fn search(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<SearchQuery>,
) -> Result<Json<List<AccountFound>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let after = input::place(asked.after.as_deref())?;
    let found = service.book.search_accounts(&asked.q, after, limit + 1).await?;
    Ok(Json(List::of(found, limit, |found: &AccountSummary| found.account.to_string(), AccountFound::from)))
}

impl From<AccountSummary> for AccountFound {
    fn from(found: AccountSummary) -> Self {
        Self { account: found.account.to_string(), name: found.name, email: found.email, status: found.status.as_str() }
    }
}
