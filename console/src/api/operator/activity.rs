//! `GET /api/operator/activity`: the audit with what Stripe delivered and what became of mails, of all accounts or of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{ActivityCursor, ActivityFilter, ActivityKind, ActivityLine, Day};
use metering::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use crate::api::list::List;
use crate::caller::Operator;
use crate::input::Query;
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
    let limit = super::limit(asked.limit)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let wanted = filter(&text(&asked.kind), &text(&asked.from), &text(&asked.until))?;
    let account = asked.account.as_deref().map(str::parse::<AccountId>).transpose();
    let account = account.map_err(|_| Refusal::bad_request("`account` is no account's id."))?;
    let after = cursor(asked.after.as_deref())?;
    let lines = service.book.activity(account, &wanted, after.as_ref(), limit + 1).await?;
    Ok(Json(List::of(lines, limit, |line: &ActivityLine| line.cursor().to_string(), Happened::from)))
}

/// Which lines are wanted; empty texts narrow nothing. The last day is among them.
pub fn filter(kind: &str, from: &str, until: &str) -> Result<ActivityFilter, Refusal> {
    let kinds = match kind {
        "" => Vec::new(),
        word => {
            let kind = ActivityKind::from_word(word);
            vec![kind.ok_or_else(|| Refusal::bad_request("`kind` is no kind of an activity."))?]
        }
    };
    let day = |name: &str, text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<Day>().map(Some).map_err(|error| Refusal::bad_request(format!("`{name}`: {error}."))),
    };
    Ok(ActivityFilter {
        kinds,
        from: day("from", from)?.map(Day::starts_at),
        until: day("until", until)?.map(|day| day.plus(1).starts_at()),
    })
}

/// Where a page begins, as the one before said.
pub fn cursor(after: Option<&str>) -> Result<Option<ActivityCursor>, Refusal> {
    let cursor = after.map(str::parse::<ActivityCursor>).transpose();
    cursor.map_err(|error| Refusal::bad_request(format!("`after`: {error}.")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_among_those_asked_for() {
        let of = filter("status", "2026-11-25", "2026-11-26").unwrap();
        let ms = |instant: Option<metering::TimeMs>| instant.map(metering::TimeMs::as_u64);
        assert_eq!((ms(of.from), ms(of.until)), (Some(1_795_564_800_000), Some(1_795_737_600_000)));
        assert_eq!(of.kinds, [ActivityKind::Status]);
        assert_eq!(filter("", "", "").unwrap(), ActivityFilter::default());
        assert!(filter("nonsense", "", "").is_err() && filter("", "26.11.2026", "").is_err());
    }
}
