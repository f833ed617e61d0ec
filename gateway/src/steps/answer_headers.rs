//! What an answer says about credits, and what it must not say.

use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};
use metering::Credits;
use metering::live::BudgetView;
use pingora::Result;
use pingora::http::ResponseHeader;

use crate::open_debit::{OpenDebit, Standing};
use crate::request::Request;
use crate::rfc3339::rfc3339;
use crate::steps::trusted_headers::REQUEST_ID;

const COST: HeaderName = HeaderName::from_static("credits-cost");
const REMAINING: HeaderName = HeaderName::from_static("credits-remaining");
const RECEIPT: HeaderName = HeaderName::from_static("credits-receipt");
const BUDGET_REMAINING: HeaderName = HeaderName::from_static("budget-remaining");
const BUDGET_RESET: HeaderName = HeaderName::from_static("budget-reset");

/// On an answer of the upstream, whose own words about credits are not believed.
pub fn answer_headers(header: &mut ResponseHeader, request: &Request) -> Result<()> {
    let ours = |name: &HeaderName| {
        let name = name.as_str();
        name.starts_with("tollgate-") || name.starts_with("credits-") || name.starts_with("budget-")
    };
    let claimed: Vec<HeaderName> = header.headers.keys().filter(|name| ours(name)).cloned().collect();
    for name in &claimed {
        header.remove_header(name);
    }
    on_any(header, request)
}

/// On every answer.
pub fn on_any(header: &mut ResponseHeader, request: &Request) -> Result<()> {
    header.insert_header(REQUEST_ID, &request.id)?;
    let Some(admission) = &request.admission else { return Ok(()) };
    if admission.caller().is_some() {
        // What was answered to one key must not be answered to another by a cache on the way.
        header.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))?;
    }
    admission.debit().map_or(Ok(()), |debit| on_priced(header, request, debit))
}

fn on_priced(header: &mut ResponseHeader, request: &Request, debit: &OpenDebit) -> Result<()> {
    header.insert_header(RECEIPT, &request.id)?;
    match debit.standing() {
        Standing::Drawn(drawn) => {
            header.insert_header(COST, HeaderValue::from(debit.credits().get()))?;
            on_remaining(header, drawn.remaining)?;
            drawn.budget.as_ref().map_or(Ok(()), |budget| on_budgeted(header, budget))
        }
        Standing::GivenBack { remaining } => {
            header.insert_header(COST, HeaderValue::from(0))?;
            remaining.map_or(Ok(()), |remaining| on_remaining(header, remaining))
        }
        Standing::Nothing => Ok(()),
    }
}

pub fn on_remaining(header: &mut ResponseHeader, remaining: Credits) -> Result<()> {
    header.insert_header(REMAINING, HeaderValue::from(remaining.get()))
}

pub fn on_budgeted(header: &mut ResponseHeader, budget: &BudgetView) -> Result<()> {
    header.insert_header(BUDGET_REMAINING, HeaderValue::from(budget.left().get()))?;
    header.insert_header(BUDGET_RESET, rfc3339(budget.resets_at))
}
