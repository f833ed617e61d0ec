//! The book's picture of an account or a key, as `install` writes it into live state.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, BudgetAnchor, Credits, IdempotencyMark, KeyCap, KeyCount, KeyDigest, KeyId, KeyPolicy, LotId, OpId,
    SessionVersions, Status, TimeMs,
};

/// An account as the book knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountImage {
    /// The account.
    pub account: AccountId,
    /// Number of its last event in the book; live state goes on from here.
    pub seq: u64,
    /// Version of the last control change included.
    pub control_version: u64,
    /// Outbox row of that change.
    pub control_row: u64,
    /// Its status.
    pub status: Status,
    /// Day of the month on which its budget period starts.
    pub anchor: BudgetAnchor,
    /// Monthly budget; 0 = no cap.
    pub budget_limit: Credits,
    /// Credits drawn in the period that ends at `budget_period_end`.
    pub budget_used: Credits,
    /// End of the period that `budget_used` counts; 0 when nothing was counted yet.
    pub budget_period_end: TimeMs,
    /// Keys that may draw no more.
    pub revoked_keys: Vec<KeyId>,
    /// Keys that may draw only so much, and those that count as one with them.
    pub key_caps: Vec<KeyCap>,
    /// What those have drawn, one for all that count as one.
    pub key_counts: Vec<KeyCount>,
    /// Its lots that are not swept and have credits left or time left.
    pub lots: Vec<LotImage>,
    /// Debits whose undo the book has not settled yet.
    pub open_undos: Vec<OpId>,
    /// Marks of requests with an `Idempotency-Key` that are not over a day old and were not given back.
    pub idempotency: Vec<IdempotencyMark>,
    /// Which of its sessions are still good.
    pub sessions: SessionVersions,
}

/// A lot as the book knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotImage {
    /// The lot.
    pub lot: LotId,
    /// Credits left in it.
    pub remaining: Credits,
    /// First instant at which it can be drawn.
    pub granted_at: TimeMs,
    /// First instant at which it can no longer be drawn.
    pub expires_at: TimeMs,
}

/// An API key as the book knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyImage {
    /// SHA-256 of the key.
    pub digest: KeyDigest,
    /// Whose key it is.
    pub account: AccountId,
    /// Its public name.
    pub key: KeyId,
    /// Whether it may be used.
    pub state: KeyState,
    /// The status of its account, for free routes that are closed to blocked accounts.
    pub account_status: Status,
    /// First instant at which it is refused, if it expires.
    pub expires_at: Option<TimeMs>,
    /// What it is held to.
    pub policy: KeyPolicy,
    /// The key whose rates it counts against: its own, or that of the key it was rotated from, so that rotating doubles nothing.
    pub rates_of: KeyId,
}

/// Whether a key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It may.
    Active,
    /// It was revoked.
    Revoked,
}
