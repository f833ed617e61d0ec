//! The people of these stories: accounts with lots.

use metering::live::{Debit, DebitOutcome, Drawn, Refusal};
use metering::{
    AccountId, AccountImage, BudgetAnchor, Credits, KeyId, LotId, LotImage, OpId, SessionVersions, Status, TimeMs,
};
use uuid::Uuid;

/// 2030-01-01T00:00:00Z: ahead of the machine's clock, so that a test can turn the shard's clock at will.
pub const NEW_YEAR: TimeMs = TimeMs::new(1_893_456_000_000);
pub const DAY: u64 = 86_400_000;

pub fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

pub fn lot(number: u64, remaining: u64, granted_at: TimeMs, expires_at: TimeMs) -> LotImage {
    LotImage { lot: LotId::new(number).unwrap(), remaining: credits(remaining), granted_at, expires_at }
}

pub fn op(number: u128) -> OpId {
    OpId::from_uuid(Uuid::from_u128(number))
}

pub fn key(number: u128) -> KeyId {
    KeyId::from_uuid(Uuid::from_u128(number))
}

/// A lot that can be drawn for ten days from [`NEW_YEAR`] on.
pub fn ten_days(number: u64, remaining: u64) -> LotImage {
    lot(number, remaining, NEW_YEAR, NEW_YEAR.plus_ms(10 * DAY))
}

/// Ada pays for her requests and has no budget.
pub fn ada(lots: Vec<LotImage>) -> AccountImage {
    AccountImage {
        account: AccountId::from_uuid(Uuid::from_u128(0xada)),
        seq: 0,
        control_version: 1,
        control_row: 1,
        status: Status::Active,
        anchor: BudgetAnchor::FIRST,
        budget_limit: Credits::ZERO,
        budget_used: Credits::ZERO,
        budget_period_end: TimeMs::EPOCH,
        revoked_keys: vec![],
        key_caps: vec![],
        key_counts: vec![],
        lots,
        open_undos: vec![],
        idempotency: vec![],
        sessions: SessionVersions::default(),
    }
}

/// Bob pays too, may draw up to a limit a month, and his month begins on an anchor day.
pub fn bob(limit: u64, anchor: u8, lots: Vec<LotImage>) -> AccountImage {
    AccountImage {
        account: AccountId::from_uuid(Uuid::from_u128(0xb0b)),
        budget_limit: credits(limit),
        anchor: BudgetAnchor::new(anchor).unwrap(),
        ..ada(lots)
    }
}

pub fn ask(account: AccountId, number: u128, price: u64) -> Debit {
    Debit {
        op: op(number),
        account,
        key: None,
        rates: None,
        credits: credits(price),
        not_after: TimeMs::new(u64::MAX),
        route: "v1.messages".parse().unwrap(),
        hold_until: None,
        idempotency: None,
    }
}

pub fn drawn(outcome: DebitOutcome) -> Drawn {
    match outcome {
        DebitOutcome::Drawn(drawn) => drawn,
        DebitOutcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

pub fn refused(outcome: DebitOutcome) -> Refusal {
    match outcome {
        DebitOutcome::Refused(refusal) => refusal,
        DebitOutcome::Drawn(drawn) => panic!("drawn: {drawn:?}"),
    }
}

pub fn split(drawn: &Drawn) -> String {
    metering::lots::write(&drawn.split)
}
