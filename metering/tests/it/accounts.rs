//! The people of these stories: accounts with lots.

use metering::live::{Debit, DebitOutcome, Drawn, Refusal};
use metering::{AccountId, AccountImage, BudgetAnchor, Credits, LotId, LotImage, OpId, Status, TimeMs};
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
        lots,
        open_undos: vec![],
    }
}

pub fn ask(account: AccountId, op: u128, price: u64) -> Debit {
    Debit {
        op: OpId::from_uuid(Uuid::from_u128(op)),
        account,
        key: None,
        credits: credits(price),
        not_after: TimeMs::new(u64::MAX),
        route: "v1.messages".parse().unwrap(),
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
