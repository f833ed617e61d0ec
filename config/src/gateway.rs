//! Settings of `gateway`; `gateway.toml` says what each means.

mod journal;
mod tls;
mod traces;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use figment::value::magic::RelativePathBuf;
use serde::Deserialize;

use crate::error::ConfigError;
use crate::files::named;
use crate::log::Format;
use crate::redis::Redis;
use crate::routes::{self, Auth, Route, SessionCookie};
use crate::sessions::Sessions;
use crate::upstream::Upstream;

pub use journal::{Journal, JournalRules};
pub use tls::{Certificate, Http2, Tls};
pub use traces::{TraceRules, Traces};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    routes: RelativePathBuf,
    pub threads: usize,
    pub billing_url: String,
    pub redis: Redis,
    pub upstreams: BTreeMap<String, Upstream>,
    pub tls: Tls,
    pub http2: Http2,
    pub limits: Limits,
    pub meter: Meter,
    pub idempotency: Idempotency,
    pub key_cache: KeyCache,
    pub sessions: Sessions,
    pub reload: Reload,
    pub stop: Stop,
    pub upgrade: Upgrade,
    pub traces: Traces,
    pub journal: Journal,
    pub log: Log,
}

impl Settings {
    /// Reads the route table that the settings name and checks it against the upstreams they name.
    pub fn read_routes(&self) -> Result<Vec<Route>, ConfigError> {
        let routes = self.parse_routes()?;
        if self.sessions.rules()?.is_some() {
            return Ok(routes);
        }
        let needs = |route: &Route| match (route.auth, route.session_cookie) {
            (Auth::Session, _) => Some("takes sessions only, and they are off: nobody could use it"),
            (_, SessionCookie::Keep) => Some("keeps the session's cookie, and sessions are off: no cookie is theirs"),
            _ => None,
        };
        match routes.iter().find_map(|route| Some((&route.name, needs(route)?))) {
            Some((name, why)) => Err(ConfigError::about_key("sessions.algorithm", format!("route `{name}` {why}"))),
            None => Ok(routes),
        }
    }

    fn parse_routes(&self) -> Result<Vec<Route>, ConfigError> {
        let Some(file) = self.routes_file() else {
            return routes::parse("config/routes.toml (compiled in)", routes::DEMO, &self.upstreams);
        };
        let text = std::fs::read_to_string(&file).map_err(|error| ConfigError::in_file(&file, error))?;
        routes::parse(&file.display().to_string(), &text, &self.upstreams)
    }

    /// `None` = the compiled-in routes.
    #[must_use]
    pub fn routes_file(&self) -> Option<PathBuf> {
        named(&self.routes)
    }

    /// The keys in which `next` differs and that a running gateway does not take up: all but routes and upstreams.
    #[must_use]
    pub fn needs_restart(&self, next: &Self) -> Vec<&'static str> {
        // Every field by name, so that a new one can't be forgotten.
        let Self {
            listen,
            admin_listen,
            routes: _,
            threads,
            billing_url,
            redis,
            upstreams: _,
            tls,
            http2,
            limits,
            meter,
            idempotency,
            key_cache,
            sessions,
            reload,
            stop,
            upgrade,
            traces,
            journal,
            log,
        } = self;
        let differs = [
            ("listen", *listen != next.listen),
            ("admin_listen", *admin_listen != next.admin_listen),
            ("threads", *threads != next.threads),
            ("billing_url", *billing_url != next.billing_url),
            ("redis", !redis.same_as(&next.redis)),
            ("tls", *tls != next.tls),
            ("http2", *http2 != next.http2),
            ("limits", *limits != next.limits),
            ("meter", *meter != next.meter),
            ("idempotency", *idempotency != next.idempotency),
            ("key_cache", *key_cache != next.key_cache),
            ("sessions", *sessions != next.sessions),
            ("reload", *reload != next.reload),
            ("stop", *stop != next.stop),
            ("upgrade", *upgrade != next.upgrade),
            ("traces", *traces != next.traces),
            ("journal", !journal.same_as(&next.journal)),
            ("log", *log != next.log),
        ];
        differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub header_bytes_max: usize,
    pub header_count_max: usize,
    pub header_ms_max: u64,
    pub body_ms_max: u64,
    pub idle_ms_max: u64,
    pub write_ms_max: u64,
    pub connections_per_address_max: usize,
    pub connections_max: usize,
    pub upstream_connections_idle_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    pub wait_ms_max: u64,
    pub op_lifetime_ms: u64,
    pub restitutions_max: usize,
    pub restitution_pause_ms_min: u64,
    pub restitution_pause_ms_max: u64,
    pub ping_ms: u64,
    pub fsync_ms_max: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    pub in_use_ms_max: u64,
    pub body_bytes_max: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCache {
    pub entries_max: u64,
    pub fresh_ms: u64,
    pub unknown_fresh_ms: u64,
    pub stale_ms_max: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    pub poll_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    pub grace_seconds: u64,
    pub keep_alive_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// Empty = none.
    pub socket: PathBuf,
    pub ready_ms_max: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: Format,
    pub level: String,
    pub request_one_in: u32,
}
