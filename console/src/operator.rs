//! What operators see and do, of any account: plain functions for pages and API alike.

pub mod account;
pub mod deliveries;
pub mod diagnosis;
pub mod letters;
pub mod lots;
pub mod mails;
pub mod plain;
pub mod reason;
pub mod rebuild;
pub mod reconcile;
pub mod status;
pub mod verify;
pub mod wrong;

use metering::TimeMs;

const DAY_MS: u64 = 86_400_000;
/// How far back mails and incidents wait for somebody: older ones were seen, or do not matter any more.
pub const ATTENTION_DAYS: u64 = 14;

/// From when on mails and incidents count among what waits.
pub fn attention_since(now: TimeMs) -> TimeMs {
    now.minus_ms(ATTENTION_DAYS * DAY_MS)
}
