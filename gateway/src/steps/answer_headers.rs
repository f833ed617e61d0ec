//! What an answer says about credits, and what it must not say.

use http::header::{CACHE_CONTROL, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use metering::Credits;
use metering::live::{BudgetView, Drawn};
use pingora::http::ResponseHeader;
use pingora::{ErrorType, OrErr, Result};

use crate::open_debit::{OpenDebit, Standing};
use crate::request::Request;
use crate::rfc3339::rfc3339;
use crate::steps::header_lines::{change_response, number};
use crate::steps::key_policy::rate_lines;
use crate::steps::trusted_headers::REQUEST_ID;

const COST: HeaderName = HeaderName::from_static("credits-cost");
const HOLD: HeaderName = HeaderName::from_static("credits-hold");
const REMAINING: HeaderName = HeaderName::from_static("credits-remaining");
pub const RECEIPT: HeaderName = HeaderName::from_static("credits-receipt");
const BUDGET_REMAINING: HeaderName = HeaderName::from_static("budget-remaining");
const BUDGET_RESET: HeaderName = HeaderName::from_static("budget-reset");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// On an answer of the upstream, whose own words about credits, and about pages of other sites where the route has some, do not
/// count.
pub fn answer_headers(header: &mut ResponseHeader, request: &Request) -> Result<()> {
    let has_cors = request.route.as_ref().is_some_and(|route| route.cors.is_some());
    let ours = |name: &HeaderName| is_about_credits(name) || (has_cors && name.as_str().starts_with("access-control-"));
    change_response(header, |lines| {
        let claimed: Vec<HeaderName> = lines.keys().filter(|name| ours(name)).cloned().collect();
        for name in &claimed {
            lines.remove(name);
        }
        on_any(lines, request)
    })
    .or_err(ErrorType::InvalidHTTPHeader, "what callers are told makes no header")
}

/// What only the gateway says.
pub fn is_about_credits(name: &HeaderName) -> bool {
    let name = name.as_str();
    ["tollgate-", "credits-", "budget-", "ratelimit"].iter().any(|ours| name.starts_with(ours))
}

/// On every answer.
pub fn on_any(lines: &mut HeaderMap, request: &Request) -> Result<(), InvalidHeaderValue> {
    lines.insert(REQUEST_ID, request.id.clone());
    if let Some(cors) = request.route.as_ref().and_then(|route| route.cors.as_ref()) {
        cors.on_answer(lines, request.allowed_origin.as_ref());
    }
    let Some(admission) = &request.admission else { return Ok(()) };
    if let Some(principal) = admission.caller() {
        // What was answered to one key must not be answered to another by a cache on the way.
        lines.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let rates = principal.caller().map(|caller| caller.policy.rates()).unwrap_or_default();
        if let Some((policy, state)) = rate_lines(rates, admission.rates()) {
            lines.insert(RATE_LIMIT_POLICY, HeaderValue::try_from(policy)?);
            lines.insert(RATE_LIMIT, HeaderValue::try_from(state)?);
        }
    }
    admission.debit().map_or(Ok(()), |debit| on_priced(lines, request, debit))
}

fn on_priced(lines: &mut HeaderMap, request: &Request, debit: &OpenDebit) -> Result<(), InvalidHeaderValue> {
    lines.insert(RECEIPT, request.id.clone());
    match debit.standing() {
        Standing::Drawn(drawn) => on_drawn(lines, COST, debit, drawn),
        Standing::Held(drawn) => on_drawn(lines, HOLD, debit, drawn),
        Standing::Settled { drawn, kept, remaining } => {
            lines.insert(COST, number(kept.get()));
            if let Some(remaining) = remaining {
                on_remaining(lines, remaining);
            }
            let Some(budget) = drawn.budget else { return Ok(()) };
            let returned = debit.credits().saturating_sub(kept);
            on_budgeted(lines, &BudgetView { used: budget.used.saturating_sub(returned), ..budget })
        }
        Standing::GivenBack { remaining } => {
            lines.insert(COST, HeaderValue::from(0));
            if let Some(remaining) = remaining {
                on_remaining(lines, remaining);
            }
            Ok(())
        }
        Standing::Nothing => Ok(()),
    }
}

fn on_drawn(
    lines: &mut HeaderMap,
    name: HeaderName,
    debit: &OpenDebit,
    drawn: &Drawn,
) -> Result<(), InvalidHeaderValue> {
    lines.insert(name, number(debit.credits().get()));
    on_remaining(lines, drawn.remaining);
    drawn.budget.as_ref().map_or(Ok(()), |budget| on_budgeted(lines, budget))
}

pub fn on_remaining(lines: &mut HeaderMap, remaining: Credits) {
    lines.insert(REMAINING, number(remaining.get()));
}

pub fn on_budgeted(lines: &mut HeaderMap, budget: &BudgetView) -> Result<(), InvalidHeaderValue> {
    lines.insert(BUDGET_REMAINING, number(budget.left().get()));
    lines.insert(BUDGET_RESET, HeaderValue::try_from(rfc3339(budget.resets_at))?);
    Ok(())
}
