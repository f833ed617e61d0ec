//! How holds came to their prices.

use prometheus::{IntCounter, Registry};

use super::counter;

pub struct HoldMetrics {
    pub capped: IntCounter,
    pub settled_to_zero: IntCounter,
    pub unreported: IntCounter,
    pub released_before: IntCounter,
}

impl HoldMetrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |short, help| counter(registry, short, help);
        Ok(Self {
            capped: counter(
                "holds_capped_total",
                "Holds whose upstream reported more than was held; alert on any: hold more.",
            )?,
            settled_to_zero: counter("holds_settled_to_zero_total", "Holds that were settled to nothing.")?,
            unreported: counter(
                "holds_unreported_total",
                "Holds whose upstream reported no price that can be read; the route's `unreported` was charged.",
            )?,
            released_before: counter(
                "holds_released_before_total",
                "Holds whose time was over before their request was; nothing was charged. Alert on any: hold_ms_max is too short.",
            )?,
        })
    }
}
