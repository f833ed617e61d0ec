//! `GET /api/operator/activity`: the audit with what Stripe delivered and what became of mails, of all accounts or of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{ActivityCursor, ActivityLine};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use crate::activity::filter::of_operators;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OperatorActivityQuery {
    /// About this alone: `status`, `credits`, `budget`, `key`, `session`, `payment`, `delivery`, `mail` or `operation`.
    kind: Option<String>,
    /// From this day on, in UTC, as 2026-11-26.
    from: Option<String>,
    /// Until this day, which is among them.
    until: Option<String>,
    /// Of this account alone.
    account: Option<String>,
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Happened {
    /// When.
    at: String,
    /// What it is about.
    kind: &'static str,
    /// Who: a person, `stripe`, the provider of mails, `tollgate`.
    actor: String,
    /// What, as `budget_set`, `invoice.paid`, `mail_sent`.
    what: String,
    /// What it was done to.
    subject: Option<String>,
    /// Why, or what more is known.
    reason: String,
    /// What was so before.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What is so since.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Whose; `null` where it is nobody's.
    account: Option<String>,
}

/// What happened, latest first.
#[utoipa::path(get, path = "/api/operator/activity", tag = "operator", operation_id = "operator_activity", params(OperatorActivityQuery),
    responses(OperatorReadRefused, (status = 200, body = List<Happened>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<OperatorActivityQuery>,
) -> Result<Json<List<Happened>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let wanted = of_operators(&text(&asked.kind), &text(&asked.from), &text(&asked.until))?;
    let account = input::account(asked.account.as_deref())?;
    let after: Option<ActivityCursor> = input::read("after", asked.after.as_deref())?;
    let lines = service.book.activity(account, &wanted, after.as_ref(), limit + 1).await?;
    Ok(Json(List::of(lines, limit, |line: &ActivityLine| line.cursor().to_string(), Happened::from)))
}

impl From<ActivityLine> for Happened {
    fn from(line: ActivityLine) -> Self {
        Self {
            at: show::machine(line.at),
            kind: line.kind.as_str(),
            actor: line.actor,
            what: line.what,
            subject: line.subject,
            reason: line.reason,
            before: line.before,
            after: line.after,
            account: line.account.map(|account| account.to_string()),
        }
    }
}
