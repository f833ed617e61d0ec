//! Says how a request ended whose debit waits for that word; a debit that was given back waits for none.

use metering::{Ended, RequestOutcome};
use pingora::proxy::Session;
use pingora::{Error, ErrorSource};

use crate::admission::Admission;
use crate::open_debit::OpenDebit;
use crate::request::Request;
use crate::steps::give_back::is_cut;

pub fn confirm(session: &Session, request: &mut Request, error: Option<&Error>) {
    if !request.admission.as_ref().and_then(Admission::debit).is_some_and(OpenDebit::has_deadline) {
        return;
    }
    let outcome = RequestOutcome {
        upstream_status: request.upstream.status,
        answer_bytes: u64::try_from(session.body_bytes_sent()).unwrap_or(u64::MAX),
        duration_ms: u64::try_from(request.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        ended: ended(request, error),
    };
    if let Some(debit) = request.admission.as_mut().and_then(Admission::debit_mut) {
        debit.confirm(outcome);
    }
}

fn ended(request: &Request, error: Option<&Error>) -> Ended {
    match error.map(Error::esource) {
        None if is_cut(request) => Ended::UpstreamFailed,
        None => Ended::Complete,
        Some(ErrorSource::Upstream) => Ended::UpstreamFailed,
        Some(ErrorSource::Downstream) => Ended::CallerLeft,
        Some(ErrorSource::Internal | ErrorSource::Unset) => Ended::GatewayFailed,
    }
}
