//! The end of a request: give back, settle, confirm or keep, count, one log line.

use std::time::Instant;

use pingora::proxy::Session;
use pingora::{Error, ErrorSource};

use crate::admission::Admission;
use crate::edge::HeaderDeadline;
use crate::gateway::Gateway;
use crate::journal::Served;
use crate::open_debit::{OpenDebit, Standing};
use crate::principal::Principal;
use crate::rejection::Code;
use crate::request::Request;
use crate::request_log::Line;
use crate::steps::confirm::confirm;
use crate::steps::give_back::Reason;
use crate::steps::settle_after_end;
use crate::traces::{Finished, Outcome};

pub async fn finish(gateway: &Gateway, session: &mut Session, error: Option<&Error>, request: &mut Request) {
    HeaderDeadline::request_over(session);
    settle_after_end(&gateway.balance, request, error).await;
    config::failpoint("finish.settled");
    let written = session.response_written().map(|header| header.status.as_u16());
    // A caller of gRPC who is refused reads 200 in HTTP; what it means is counted.
    let refused = request.answered.filter(|_| !request.is_upgraded());
    let status = written.map_or(0, |written| refused.map_or(written, Code::status));
    confirm(session, request, error);
    let served = Served {
        upstream_status: request.upstream.status,
        answer_bytes: u64::try_from(session.body_bytes_sent()).unwrap_or(u64::MAX),
    };
    if let Some(debit) = request.admission.as_mut().and_then(Admission::debit_mut) {
        debit.served(served);
        debit.keep();
    }
    config::failpoint("finish.kept");
    gateway.balance.journal.refused(request);
    if let Some(route) = &request.route {
        route.metrics.answered(status);
    }
    if let Some(code) = request.answered {
        gateway.metrics.rejection(code);
    }
    let went_well = request.answered.is_none() && error.is_none() && status < 500;
    let logged = !went_well || gateway.log.takes_next();
    let trace = gateway.traces.as_ref().zip(request.trace.take());
    if !logged && trace.is_none() {
        return;
    }
    let line = line(session, error, request, status);
    if let Some((traces, trace)) = trace {
        traces.send(Finished { trace, line: line.clone(), outcome: outcome(request) });
    }
    if logged {
        gateway.log.write(line);
    }
}

fn line(session: &Session, error: Option<&Error>, request: &Request, status: u16) -> Line {
    let debit = request.admission.as_ref().and_then(Admission::debit);
    let (mut credits, mut remaining) = match debit.map(OpenDebit::standing) {
        Some(Standing::Drawn(drawn) | Standing::Held(drawn)) => {
            (debit.map_or(0, |debit| debit.credits().get()), Some(drawn.remaining.get()))
        }
        Some(Standing::Settled { kept, remaining, .. }) => (kept.get(), remaining.map(metering::Credits::get)),
        Some(Standing::GivenBack { remaining }) => (0, remaining.map(metering::Credits::get)),
        Some(Standing::Nothing) | None => (0, None),
    };
    let paid = request.messages.as_ref().map(|messages| &messages.paid);
    if let Some(paid) = paid {
        credits += paid.credits;
        remaining = paid.remaining.or(remaining);
    }
    Line {
        at: request.began_at(),
        op: request.op,
        method: session.req_header().method.clone(),
        route: request.route.clone(),
        status,
        messages: paid.map(|paid| paid.messages),
        grpc_status: request.upstream.grpc.and_then(|answer| answer.status),
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

fn outcome(request: &Request) -> Outcome {
    Outcome {
        started: request.started,
        ended: Instant::now(),
        secure: request.way.secure,
        http2: request.way.http2,
        upstream_asked_at: request.upstream.asked_at,
        upstream_status: request.upstream.status,
        upstream_sends: request.upstream.sends,
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
