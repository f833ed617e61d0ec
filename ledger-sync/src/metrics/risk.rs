//! What a lost Redis would cost now, and whether it is set up so that it can be lost.

use frame::Register;
use prometheus::IntGaugeVec;

/// Figures of the shards this process owns.
pub struct RiskMetrics {
    /// Whether a shard stands because its Redis may forget money.
    pub redis_unsafe: IntGaugeVec,
    /// How much of the exposure caps is used up.
    pub exposure_percent: IntGaugeVec,
}

impl RiskMetrics {
    pub(super) fn new(new: &Register) -> Result<Self, prometheus::Error> {
        Ok(Self {
            redis_unsafe: new.gauges(
                "shard_redis_unsafe",
                "1 while the shard stands because its Redis is not set up to hold money",
                "shard",
            )?,
            exposure_percent: new.gauges(
                "exposure_percent",
                "How much of what a lost Redis may lose is lost now, of 100: events, credits or age, what is nearest to its cap",
                "shard",
            )?,
        })
    }
}
