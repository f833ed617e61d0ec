//! A place at the upstream, before anything is drawn: a request that nobody would take costs nothing.

use crate::rejection::Rejection;
use crate::route_table::{Destination, Route};
use crate::upstreams::Place;

/// `None` where the gateway answers by itself.
pub fn reserve(route: &Route) -> Result<Option<Place>, Rejection> {
    match &route.destination {
        Destination::Upstream(group) => group.reserve().map(Some).ok_or(Rejection::UpstreamBusy),
        Destination::Credits => Ok(None),
    }
}
