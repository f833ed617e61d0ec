//! `GET /api/billing/activity`: what happened to the account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::ActivityLine;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::activity::filter::FilterQuery;
use crate::activity::words;
use crate::api::list::List;
use crate::api::refused::ReadRefused;
use crate::caller::Caller;
use crate::input::{self, Query};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// Which activities.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivityQuery {
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// What they are about, between commas: `status`, `credits`, `budget`, `key`, `session`, `payment`, `delivery`, `mail`, `operation`;
    /// without, all.
    kind: Option<String>,
    /// The first day (UTC), as `2026-11-26`.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day (UTC), which counts.
    #[param(format = Date)]
    to: Option<String>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub struct Activity {
    /// When.
    at: String,
    /// What it is about.
    kind: &'static str,
    /// A sentence for people.
    says: String,
    /// A word for programs, as `budget_set`, `invoice.paid`, `mail_sent`.
    what: String,
    /// Who: a person, `stripe`, the provider of mails, `tollgate`.
    actor: String,
    /// What it was done to: a lot, a key, an event of Stripe, the number of a mail.
    subject: Option<String>,
    /// Why, or what more is known.
    reason: String,
    /// What was so before; what it holds depends on `what`.
    before: Option<Value>,
    /// What is so since.
    after: Option<Value>,
}

/// What happened to the account, latest first: its changes, Stripe's deliveries, mails and what became of them.
#[utoipa::path(get, path = "/api/billing/activity", tag = "activity", operation_id = "activity_list", params(ActivityQuery),
    responses(ReadRefused, (status = 200, body = List<Activity>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(asked): Query<ActivityQuery>,
) -> Result<Json<List<Activity>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    if [&asked.from, &asked.to].into_iter().flatten().any(String::is_empty) {
        return Err(Refusal::bad_request("`from` and `to` are days, written as 2026-11-26, or are left out."));
    }
    let filter = FilterQuery {
        kind: asked.kind.unwrap_or_default(),
        from: asked.from.unwrap_or_default(),
        to: asked.to.unwrap_or_default(),
        after: asked.after.unwrap_or_default(),
    };
    let (wanted, after) = (filter.read()?, filter.cursor()?);
    let lines = service.book.activity(Some(caller.account), &wanted, after.as_ref(), limit + 1).await?;
    Ok(Json(List::of(lines, limit, |line: &ActivityLine| line.cursor().to_string(), Activity::from)))
}

impl From<ActivityLine> for Activity {
    fn from(line: ActivityLine) -> Self {
        Self {
            at: show::machine(line.at),
            kind: line.kind.as_str(),
            says: words::sentence(&line),
            what: line.what,
            actor: line.actor,
            subject: line.subject,
            reason: line.reason,
            before: line.before,
            after: line.after,
        }
    }
}
