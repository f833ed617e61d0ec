//! What holds for a request from the moment its header is there: other deadlines, the way it came, HTTP/2 said as HTTP/1.

use std::net::IpAddr;

use http::Version;
use pingora::Result;
use pingora::proxy::Session;

use super::http2_fields::say_as_http1;
use crate::edge::HeaderDeadline;
use crate::gateway::Gateway;
use crate::request::Request;

/// The way a request came.
#[derive(Clone, Copy, Default)]
pub struct Way {
    pub address: Option<IpAddr>,
    /// Over TLS.
    pub secure: bool,
    /// As HTTP/2, which alone brings an answer's trailers back.
    pub http2: bool,
}

pub fn begin(gateway: &Gateway, session: &mut Session, request: &mut Request) -> Result<()> {
    HeaderDeadline::header_complete(session);
    gateway.limits.apply(session);
    request.trace = gateway.traces.as_ref().and_then(|traces| traces.begin(&session.req_header().headers, request.op));
    request.way = Way {
        address: session.client_addr().and_then(|address| Some(address.as_inet()?.ip())),
        secure: session.digest().is_some_and(|digest| digest.ssl_digest.is_some()),
        http2: session.req_header().version == Version::HTTP_2,
    };
    say_as_http1(session.req_header_mut())
}
