//! Says why a shard can't be served: once for each reason, and how long to wait before trying again.

use std::time::{Duration, Instant};

use frame::chain;
use metering::Shard;
use metering::live::owner::OwnerError;
use tracing::{error, info, warn};

use crate::interruption::Interruption;
use crate::service::Service;

/// The same reason is said again after this long.
const AGAIN: Duration = Duration::from_secs(30);
/// Redis may be back at any moment.
const SOON: Duration = Duration::from_millis(100);
/// Somebody has to look first; each try closes the shard and reads its stream.
const LATER: Duration = Duration::from_secs(5);

/// Remembers what was said of a shard.
pub struct Reporter {
    shard: Shard,
    said: Option<(String, Instant)>,
}

impl Reporter {
    /// Nothing was said yet.
    pub const fn new(shard: Shard) -> Self {
        Self { shard, said: None }
    }

    /// Says why the shard is interrupted, raises the alarm where somebody has to look, and answers when to try again.
    pub fn report(&mut self, service: &Service, interruption: &Interruption) -> Duration {
        let stands = matches!(
            interruption,
            Interruption::Broken(..) | Interruption::Recertify(OwnerError::Unsafe(_) | OwnerError::ShardCount { .. })
        );
        service.metrics.broken(self.shard, stands);
        let forgets = matches!(interruption, Interruption::Recertify(OwnerError::Unsafe(_)));
        service.metrics.redis_unsafe(self.shard, forgets);
        let text = chain(interruption);
        let fresh = self.said.as_ref().is_none_or(|(said, at)| *said != text || at.elapsed() >= AGAIN);
        if fresh {
            let shard = self.shard;
            match interruption {
                Interruption::Lost(_) => info!(%shard, "shard {shard} is given up: {text}"),
                _ if stands => error!(%shard, error = text, "shard {shard} stands until somebody looks: {text}"),
                _ => warn!(%shard, error = text, "shard {shard} is interrupted: {text}"),
            }
            self.said = Some((text, Instant::now()));
        }
        if stands { LATER } else { SOON }
    }

    /// The shard is served again: what comes next is news.
    pub fn recovered(&mut self, service: &Service) {
        service.metrics.broken(self.shard, false);
        service.metrics.redis_unsafe(self.shard, false);
        self.said = None;
    }
}
