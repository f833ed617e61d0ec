//! Whether drawn credits go back, by one rule: who was answered by the upstream pays, unless the route counts that answer
//! as a failure; who was answered by the gateway does not; who hangs up after the upstream was reached pays.

use config::routes::Failure;
use pingora::ErrorType::{ConnectTimedout, ReadTimedout, TLSHandshakeTimedout, WriteTimedout};
use pingora::{Error, ErrorSource};

use crate::admission::Admission;
use crate::request::Request;
use crate::route_table::Route;
use crate::steps::draw::Balance;

/// Why credits go back; in metrics and log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Failure(Failure),
    /// The gateway refused the request itself after the draw, or the caller left before the upstream was reached.
    NotServed,
}

impl Reason {
    pub const ALL: [Self; 5] = [
        Self::Failure(Failure::Unreachable),
        Self::Failure(Failure::Timeout),
        Self::Failure(Failure::ServerError),
        Self::Failure(Failure::BrokenStream),
        Self::NotServed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure(Failure::Unreachable) => "unreachable",
            Self::Failure(Failure::Timeout) => "timeout",
            Self::Failure(Failure::ServerError) => "server_error",
            Self::Failure(Failure::BrokenStream) => "broken_stream",
            Self::NotServed => "not_served",
        }
    }
}

/// The upstream's answer has begun.
pub fn after_header(request: &Request) -> Option<Reason> {
    let server_error = request.upstream.status.is_some_and(|status| status >= 500) || is_grpc_server_error(request);
    reason(request, server_error.then_some(Reason::Failure(Failure::ServerError)))
}

/// The request is over, well or with an error. An upgrade that the upstream took up was served, however it ends.
pub fn after_end(request: &Request, error: Option<&Error>) -> Option<Reason> {
    if request.is_upgraded() {
        return None;
    }
    let why = match error {
        None if is_cut(request) => Some(Reason::Failure(Failure::BrokenStream)),
        None => is_grpc_server_error(request).then_some(Reason::Failure(Failure::ServerError)),
        Some(error) => after_error(request, error),
    };
    reason(request, why)
}

/// A stream that ended cleanly, but before its own end: the terminal event of the route, or the status of a gRPC answer. A caller
/// of HTTP/1 could not read that status, and may have had all before it came.
pub fn is_cut(request: &Request) -> bool {
    request.terminal_event.as_ref().is_some_and(|terminal| !terminal.was_seen())
        || (request.way.http2 && request.upstream.grpc.is_some_and(|answer| answer.status.is_none()))
}

fn is_grpc_server_error(request: &Request) -> bool {
    let status = request.upstream.grpc.and_then(|answer| answer.status);
    let route = request.admission.as_ref().map(Admission::route);
    status.zip(route).is_some_and(|(status, route)| route.is_grpc_server_error(status))
}

fn after_error(request: &Request, error: &Error) -> Option<Reason> {
    let answer_begun = request.upstream.status.is_some();
    match error.esource() {
        // First, because a connection that takes too long is an upstream that could not be reached.
        ErrorSource::Upstream if !request.upstream.reached => Some(Reason::Failure(Failure::Unreachable)),
        ErrorSource::Upstream if is_timeout(error) => Some(Reason::Failure(Failure::Timeout)),
        ErrorSource::Upstream => Some(Reason::Failure(Failure::BrokenStream)),
        // Refused by us, for a body too large, too slow or broken; or gone before the upstream was reached.
        ErrorSource::Downstream => {
            let refused = request.rejection.is_some() && !answer_begun;
            (refused || !request.upstream.reached).then_some(Reason::NotServed)
        }
        ErrorSource::Internal | ErrorSource::Unset => (!answer_begun).then_some(Reason::NotServed),
    }
}

pub fn is_timeout(error: &Error) -> bool {
    matches!(error.etype(), ReadTimedout | WriteTimedout | ConnectTimedout | TLSHandshakeTimedout)
}

/// Only what was drawn can go back, and only for failures the route lists.
fn reason(request: &Request, why: Option<Reason>) -> Option<Reason> {
    let route: &Route = request.admission.as_ref()?.route();
    let why = why.filter(|_| request.has_drawn())?;
    match why {
        Reason::Failure(failure) if !route.gives_back(failure) => None,
        why => Some(why),
    }
}

pub async fn give_back(balance: &Balance, request: &mut Request, reason: Reason) {
    let Some(debit) = request.admission.as_mut().and_then(|admission| admission.debit_mut()) else { return };
    debit.give_back(&balance.meter, balance.wait_max).await;
    request.given_back = Some(reason);
    balance.metrics.give_back(reason);
}
