//! What an upstream says after its answer's body: the price where the route reads it there, and nothing about credits to the caller.

use http::HeaderMap;

use crate::request::Request;
use crate::steps::answer_headers::remove_claims;

pub fn read_trailers(lines: &mut HeaderMap, request: &mut Request) {
    if let Some(report) = &mut request.price_report {
        report.trailers(lines);
    }
    remove_claims(lines, false);
}
