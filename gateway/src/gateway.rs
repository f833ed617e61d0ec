//! What all requests share.

use std::sync::Arc;

use crate::key_cache::KeyCache;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::request_log::RequestLog;
use crate::route_table::RouteTable;
use crate::steps::Balance;

pub struct Gateway {
    pub routes: RouteTable,
    pub keys: KeyCache,
    pub balance: Balance,
    pub limits: Limits,
    pub billing_url: String,
    pub log: Arc<RequestLog>,
    pub metrics: Arc<Metrics>,
}
