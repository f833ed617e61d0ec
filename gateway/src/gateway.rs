//! What all requests share.

use std::sync::Arc;

use metering::TimeMs;
use sessions::Sessions;

use crate::account_standings::AccountStandings;
use crate::key_cache::KeyCache;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::request_log::RequestLog;
use crate::steps::Balance;
use crate::table::Tables;
use crate::traces::Traces;

pub struct Gateway {
    pub tables: Arc<Tables>,
    pub keys: KeyCache,
    /// `None` while sessions are off.
    pub sessions: Option<Sessions>,
    pub standings: AccountStandings,
    pub balance: Balance,
    pub limits: Limits,
    pub billing_url: String,
    pub log: Arc<RequestLog>,
    /// `None` while traces are off.
    pub traces: Option<Arc<Traces>>,
    pub metrics: Arc<Metrics>,
}

impl Gateway {
    /// The time in Redis, by which it is judged whether a key or a session has ended.
    pub fn store_now(&self) -> TimeMs {
        self.balance.meter.store_now()
    }

    /// The name of the session's cookie; `None` while sessions are off.
    pub fn session_cookie(&self) -> Option<&str> {
        self.sessions.as_ref().map(|sessions| sessions.rules().cookie.as_str())
    }
}
