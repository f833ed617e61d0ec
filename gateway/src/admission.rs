//! The proof that a request passed every check. It can be had in one way only, and later phases need it.

use std::sync::Arc;

use metering::live::RateState;

use crate::open_debit::OpenDebit;
use crate::principal::Principal;
use crate::route_table::Route;
use crate::steps::authenticate::Authenticated;
use crate::steps::canonical_target::CanonicalTarget;
use crate::steps::draw::Payment;
use crate::steps::screen::Screened;
use crate::upstreams::Place;

/// Each part is the finding of one step, and only that step can make it.
pub struct Admission {
    screened: Screened,
    target: CanonicalTarget,
    route: Arc<Route>,
    caller: Authenticated,
    /// `None` when the gateway answers by itself.
    place: Option<Place>,
    payment: Payment,
}

impl Admission {
    pub fn new(
        screened: Screened,
        target: CanonicalTarget,
        route: Arc<Route>,
        caller: Authenticated,
        place: Option<Place>,
        payment: Payment,
    ) -> Self {
        Self { screened, target, route, caller, place, payment }
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
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    pub fn place_mut(&mut self) -> Option<&mut Place> {
        self.place.as_mut()
    }

    /// `None` on a route without auth.
    pub fn caller(&self) -> Option<&Principal> {
        self.caller.principal()
    }

    /// `None` on a free route.
    pub fn debit(&self) -> Option<&OpenDebit> {
        self.payment.debit()
    }

    /// What the rates of the caller's key have let pass; empty without rates.
    pub fn rates(&self) -> &[RateState] {
        self.payment.rates()
    }

    pub fn debit_mut(&mut self) -> Option<&mut OpenDebit> {
        self.payment.debit_mut()
    }
}
