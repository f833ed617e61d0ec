//! `GET /v1/credits`: what the account has, answered by the gateway itself.

use http::HeaderMap;
use metering::live::CreditsView;
use pingora::Result;
use pingora::proxy::Session;
use serde_json::{Value, json};

use crate::meter_call::within;
use crate::rejection::{KeyFault, Rejection};
use crate::request::Request;
use crate::rfc3339::rfc3339;
use crate::steps::draw::Balance;
use crate::steps::own_answer::write_own_answer;

/// Reads the balance; not from any cache, because a caller asks this to know.
pub async fn read_credits(balance: &Balance, request: &Request) -> Result<CreditsView, Rejection> {
    let caller = request.admission.as_ref().and_then(|admission| admission.caller());
    let caller = caller.ok_or(Rejection::InvalidApiKey(KeyFault::Missing))?;
    within(balance.wait_max, balance.meter.credits(caller.account()))
        .await
        .map_err(|cause| Rejection::MeterUnavailable(cause.why()))
}

pub async fn answer_credits(session: &mut Session, request: &Request, credits: &CreditsView) -> Result<()> {
    let body = shown(credits).to_string().into_bytes();
    write_own_answer(session, request, 200, HeaderMap::new(), Some(("application/json", body))).await
}

fn shown(credits: &CreditsView) -> Value {
    json!({
        "status": credits.status.as_str(),
        "remaining": credits.remaining.get(),
        "used_this_period": credits.used_this_period.get(),
        "resets_at": rfc3339(credits.resets_at),
        // `null` is "no cap".
        "budget": credits.budget.map(|budget| json!({
            "limit": budget.limit.get(),
            "used": budget.used.get(),
            "remaining": budget.left().get(),
            "resets_at": rfc3339(budget.resets_at),
        })),
        "next_expiry": credits.next_expiry.map(|(at, credits)| json!({ "at": rfc3339(at), "credits": credits.get() })),
        "at": rfc3339(credits.at),
    })
}
