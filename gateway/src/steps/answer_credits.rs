//! `GET /v1/credits`: what the account has, answered by the gateway itself.

use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use metering::live::CreditsView;
use pingora::Result;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use serde_json::{Value, json};

use crate::meter_call::within;
use crate::rejection::{KeyFault, Rejection};
use crate::request::Request;
use crate::rfc3339::rfc3339;
use crate::steps::answer_headers;
use crate::steps::draw::Balance;

/// Reads the balance; not from any cache, because a caller asks this to know.
pub async fn read_credits(balance: &Balance, request: &Request) -> Result<CreditsView, Rejection> {
    let caller = request.admission.as_ref().and_then(|admission| admission.caller());
    let caller = caller.ok_or(Rejection::InvalidApiKey(KeyFault::Missing))?;
    within(balance.wait_max, balance.meter.credits(caller.account))
        .await
        .map_err(|cause| Rejection::MeterUnavailable(cause.why()))
}

pub async fn answer_credits(session: &mut Session, request: &Request, credits: &CreditsView) -> Result<()> {
    let body = shown(credits).to_string().into_bytes();
    let mut header = ResponseHeader::build(200, Some(6))?;
    header.insert_header(CONTENT_TYPE, HeaderValue::from_static("application/json"))?;
    header.insert_header(CONTENT_LENGTH, HeaderValue::from(body.len()))?;
    answer_headers::on_any(&mut header, request)?;
    session.write_response_header(Box::new(header), false).await?;
    session.write_response_body(Some(body.into()), true).await
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
