//! The proof that a request passed every check. It can be had in one way only, and later phases need it.

use std::sync::Arc;

use config::routes::Upgrade;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};

use crate::key_cache::Caller;
use crate::open_debit::OpenDebit;
use crate::route_table::{Destination, Route};
use crate::steps::authenticate::Authenticated;
use crate::steps::canonical_target::CanonicalTarget;
use crate::steps::draw::Payment;
use crate::steps::screen::Screened;
use crate::upstreams::Upstream;

/// Each part is the finding of one step, and only that step can make it.
pub struct Admission {
    screened: Screened,
    target: CanonicalTarget,
    route: Arc<Route>,
    caller: Authenticated,
    payment: Payment,
}

impl Admission {
    pub fn new(
        screened: Screened,
        target: CanonicalTarget,
        route: Arc<Route>,
        caller: Authenticated,
        payment: Payment,
    ) -> Self {
        Self { screened, target, route, caller, payment }
    }

    pub fn has_untrusted_headers(&self) -> bool {
        self.screened.has_untrusted
    }

    pub fn target(&self) -> &CanonicalTarget {
        &self.target
    }

    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// `None` when the gateway answers by itself.
    pub fn upstream(&self) -> Option<&Arc<Upstream>> {
        match &self.route.destination {
            Destination::Upstream(upstream) => Some(upstream),
            Destination::Credits => None,
        }
    }

    /// Where and how to connect; `None` while the upstream's name can't be resolved.
    pub fn peer(&self) -> Option<Box<HttpPeer>> {
        let mut peer = self.upstream()?.peer(&self.route.timeouts)?;
        if self.route.upgrade == Some(Upgrade::Websocket) {
            peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::standard();
        }
        Some(peer)
    }

    /// `None` on a route without auth.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        self.caller.caller()
    }

    /// `None` on a free route.
    pub fn debit(&self) -> Option<&OpenDebit> {
        self.payment.debit()
    }

    pub fn debit_mut(&mut self) -> Option<&mut OpenDebit> {
        self.payment.debit_mut()
    }
}
