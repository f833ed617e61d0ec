//! The end of a request: give back, settle or keep, count, one log line.

use metering::TimeMs;
use pingora::proxy::Session;
use pingora::{Error, ErrorSource};

use crate::admission::Admission;
use crate::edge::HeaderDeadline;
use crate::gateway::Gateway;
use crate::open_debit::{OpenDebit, Standing};
use crate::principal::Principal;
use crate::rejection::Code;
use crate::request::Request;
use crate::request_log::Line;
use crate::steps::give_back::Reason;
use crate::steps::settle_after_end;

pub async fn finish(gateway: &Gateway, session: &Session, error: Option<&Error>, request: &mut Request) {
    HeaderDeadline::request_over(session);
    settle_after_end(&gateway.balance, request, error).await;
    let status = session.response_written().map_or(0, |header| header.status.as_u16());
    if let Some(debit) = request.admission.as_mut().and_then(Admission::debit_mut) {
        debit.keep();
    }
    if let Some(route) = &request.route {
        route.metrics.answered(status);
    }
    if let Some(code) = request.answered {
        gateway.metrics.rejection(code);
    }
    let went_well = request.answered.is_none() && error.is_none() && status < 500;
    if !went_well || gateway.log.takes_next() {
        gateway.log.write(line(session, error, request, status));
    }
}

fn line(session: &Session, error: Option<&Error>, request: &Request, status: u16) -> Line {
    let debit = request.admission.as_ref().and_then(Admission::debit);
    let (credits, remaining) = match debit.map(OpenDebit::standing) {
        Some(Standing::Drawn(drawn) | Standing::Held(drawn)) => {
            (debit.map_or(0, |debit| debit.credits().get()), Some(drawn.remaining.get()))
        }
        Some(Standing::Settled { kept, remaining, .. }) => (kept.get(), remaining.map(metering::Credits::get)),
        Some(Standing::GivenBack { remaining }) => (0, remaining.map(metering::Credits::get)),
        Some(Standing::Nothing) | None => (0, None),
    };
    Line {
        at: TimeMs::new(request.op.as_uuid().get_timestamp().map_or(0, |time| {
            let (seconds, nanos) = time.to_unix();
            seconds * 1_000 + u64::from(nanos) / 1_000_000
        })),
        op: request.op,
        method: session.req_header().method.clone(),
        route: request.route.clone(),
        status,
        code: request.answered.map(Code::as_str),
        account: request.caller.as_ref().map(Principal::account),
        key: request.caller.as_ref().and_then(Principal::key),
        credits,
        given_back: request.given_back.map(Reason::as_str),
        remaining,
        upstream_ms: request.upstream.seconds.map(|seconds| seconds * 1e3),
        total_ms: request.started.elapsed().as_secs_f64() * 1e3,
        answer_bytes: session.body_bytes_sent(),
        fault: error.map(fault),
    }
}

/// What broke and on which side, in pingora's words; its longer explanations may quote the caller.
fn fault(error: &Error) -> String {
    let side = match error.esource() {
        ErrorSource::Upstream => "upstream",
        ErrorSource::Downstream => "caller",
        ErrorSource::Internal | ErrorSource::Unset => "gateway",
    };
    format!("{side}: {}", error.etype().as_str())
}
