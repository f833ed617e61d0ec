//! What a reload exchanges as one: the routes, and the upstreams they name.

use std::sync::{Arc, PoisonError, RwLock};

use config::gateway::Settings;
use config::routes::Route;
use pingora::http::RequestHeader;

use crate::metrics::Metrics;
use crate::rejection::Rejection;
use crate::route_table::{self, RouteTable};
use crate::steps::canonical_target::CanonicalTarget;
use crate::upstreams::Upstreams;

pub struct Table {
    pub routes: RouteTable,
    pub upstreams: Upstreams,
}

impl Table {
    /// What has not changed since `before` keeps what is known of it.
    pub fn new(
        settings: &Settings,
        routes: Vec<Route>,
        metrics: &Metrics,
        before: Option<&Self>,
    ) -> anyhow::Result<Self> {
        let upstreams =
            Upstreams::new(&settings.upstreams, &metrics.upstreams, before.map(|before| &before.upstreams))?;
        let routes = RouteTable::new(routes, &upstreams, |name| metrics.route(name))?;
        Ok(Self { routes, upstreams })
    }
}

/// The table that new requests take; one under way keeps the one it was admitted with.
pub struct Tables(RwLock<Arc<Table>>);

impl Tables {
    pub fn new(first: Table) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    pub fn current(&self) -> Arc<Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The route that a request takes now.
    pub fn find(&self, header: &RequestHeader, target: &CanonicalTarget) -> Result<Arc<route_table::Route>, Rejection> {
        self.current().routes.find(&header.method, header, target).cloned()
    }

    pub fn exchange(&self, next: Arc<Table>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}
