//! How far the clocks of Redis and Postgres are apart: lots begin and end by the one, deadlines of leases and reports by the other.

use metering::live::owner::OwnerLink;
use metering::{Shard, TimeMs};
use tracing::warn;

use crate::interruption::Interruption;
use crate::service::Service;

/// Above this somebody should look: lots begin and end that much early or late.
const ALARM_MS: u64 = 2_000;
/// Above this no shard is certified: a lot that has ended for one of them may be spent by the other.
const REFUSE_MS: u64 = 30_000;

/// Compares the clocks; a shard is not served by a Redis whose clock is far off.
pub async fn check(service: &Service, link: &mut OwnerLink, shard: Shard) -> Result<(), Interruption> {
    let before = service.book.book_now().await?;
    let redis = link.now().await?;
    let after = service.book.book_now().await?;
    let skew_ms = apart(before, redis, after);
    service.metrics.clock_skew(skew_ms);
    if skew_ms > REFUSE_MS {
        let text = format!(
            "the clocks of redis and postgres are {skew_ms} ms apart, more than {REFUSE_MS} ms: set them right"
        );
        return Err(Interruption::Broken(text, None));
    }
    if skew_ms > ALARM_MS {
        warn!(%shard, skew_ms, "the clocks of redis and postgres are {skew_ms} ms apart");
    }
    Ok(())
}

/// How far Redis is from the book, ms, where the book was asked before and after: what lies between is the time that asking took.
fn apart(before: TimeMs, redis: TimeMs, after: TimeMs) -> u64 {
    before.since(redis).max(redis.since(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_no_skew_and_a_clock_ahead_or_behind_is() {
        let at = TimeMs::new;
        assert_eq!(apart(at(1_000), at(1_400), at(9_000)), 0);
        assert_eq!(apart(at(1_000), at(900), at(9_000)), 100);
        assert_eq!(apart(at(1_000), at(12_000), at(9_000)), 3_000);
    }
}
