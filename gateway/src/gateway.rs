//! What all requests share.

use std::sync::Arc;

use crate::key_cache::KeyCache;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::request_log::RequestLog;
use crate::steps::Balance;
use crate::table::Tables;

pub struct Gateway {
    pub tables: Arc<Tables>,
    pub keys: KeyCache,
    pub balance: Balance,
    pub limits: Limits,
    pub billing_url: String,
    pub log: Arc<RequestLog>,
    pub metrics: Arc<Metrics>,
}
