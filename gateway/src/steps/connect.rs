//! The way to the upstream. While nothing went out another server may be tried, whatever the request costs.

use std::time::Instant;

use config::routes::Upgrade;
use pingora::prelude::HttpPeer;
use pingora::upstreams::peer::HttpUpstreamRequestPolicy;
use pingora::{Error, ErrorType, Result};

use crate::admission::Admission;
use crate::request::Request;
use crate::upstreams::Place;

/// Where and how to connect for this request.
pub fn find_peer(request: &mut Request) -> Result<Box<HttpPeer>> {
    let mut now = Instant::now();
    request.upstream_asked(now);
    let nowhere = || Error::explain(ErrorType::ConnectNoRoute, "the upstream's name is not resolved").into_up();
    let admission = request.admission.as_mut().ok_or_else(nowhere)?;
    let (timeouts, upgrade) = (admission.route().timeouts, admission.route().upgrade);
    let place = admission.place_mut().ok_or_else(nowhere)?;
    loop {
        match place.peer(&timeouts, now) {
            Some(mut peer) => {
                if upgrade == Some(Upgrade::Websocket) {
                    peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::standard();
                }
                return Ok(peer);
            }
            None if place.move_on() => now = Instant::now(),
            None => return Err(nowhere()),
        }
    }
}

/// No connection could be made: whether the request has moved to another server.
pub fn try_elsewhere(request: &mut Request) -> bool {
    request.admission.as_mut().and_then(Admission::place_mut).is_some_and(Place::move_on)
}
