//! Who appears in the stories: an operator who changes things, and live state as a stream of events.

pub mod entry;
mod stream;

use ledger::testing::{TestDatabase, database};
use ledger::{AccountView, By, Grant, LedgerError, NewAccount, NewKey};
use metering::{
    AccountId, ApiKey, BudgetAnchor, Credits, KeyId, KeyMode, KeyPolicy, LotId, OpId, Shard, ShardCount, Status, TimeMs,
};
use uuid::Uuid;

pub use stream::Stream;

/// 2026-01-15T12:00:00Z.
pub const NOON: TimeMs = TimeMs::new(1_768_478_400_000);
pub const DAY: u64 = 86_400_000;

pub fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

pub fn op(number: u128) -> OpId {
    OpId::from_uuid(Uuid::from_u128(number))
}

pub fn by(at: TimeMs) -> By {
    By { actor: "olga".to_owned(), reason: "a test".to_owned(), at }
}

/// End of the calendar month that holds an instant.
pub fn period_end(at: TimeMs) -> TimeMs {
    BudgetAnchor::FIRST.period_end(at)
}

pub fn shard_of(account: AccountId) -> Shard {
    account.shard(ShardCount::new(4).unwrap())
}

/// A database and the operator who works on it.
pub struct Operator {
    pub db: TestDatabase,
}

impl Operator {
    pub async fn arrives() -> Self {
        Self { db: database().await }
    }

    pub async fn account(&self, status: Status) -> AccountId {
        let new = NewAccount { name: "Ada".to_owned(), email: None, status, anchor: BudgetAnchor::FIRST };
        self.db.ledger.create_account(&new, &by(NOON)).await.unwrap()
    }

    /// An active account of a given shard: ids are made until one falls there.
    pub async fn account_in(&self, shard: Shard) -> AccountId {
        loop {
            let account = self.account(Status::Active).await;
            if shard_of(account) == shard {
                return account;
            }
        }
    }

    pub async fn grants(&self, account: AccountId, count: u64, days: u64) -> LotId {
        self.tries_to_grant(account, count, days).await.unwrap()
    }

    pub async fn tries_to_grant(&self, account: AccountId, count: u64, days: u64) -> Result<LotId, LedgerError> {
        let grant = Grant {
            credits: credits(count),
            product: "adjustment".to_owned(),
            granted_at: NOON,
            expires_at: NOON.plus_ms(days * DAY),
            source: None,
        };
        self.db.ledger.grant_lot(account, &grant, &by(NOON)).await
    }

    /// A live key that may do everything for ever, made of a number.
    pub async fn issues(&self, account: AccountId, name: &str, seed: u8) -> (ApiKey, KeyId) {
        let (name, mode, policy) = (name.to_owned(), KeyMode::Live, KeyPolicy::default());
        let new = NewKey { name, mode, expires_at: None, policy, random: [seed; 32] };
        self.db.ledger.issue_key(account, &new, &by(NOON)).await.unwrap()
    }

    pub async fn sees(&self, account: AccountId) -> AccountView {
        self.db.ledger.account_view(account, NOON.plus_ms(60_000)).await.unwrap()
    }

    /// What remains of a lot in the book.
    pub async fn remaining(&self, lot: LotId) -> u64 {
        let sql = format!("SELECT remaining FROM lots WHERE lot_id = {}", lot.as_u64());
        u64::try_from(self.db.number(&sql).await).unwrap()
    }

    /// Kinds of the account's entries, oldest first.
    pub async fn entry_kinds(&self, account: AccountId) -> Vec<&'static str> {
        let entries = self.db.ledger.entries(account, None, 1_000).await.unwrap();
        entries.iter().rev().map(|entry| entry.kind.as_str()).collect()
    }

    pub async fn finds_no_difference(&self, accounts: &[AccountId]) {
        let differences = self.db.ledger.recompute(accounts).await.unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }
}

/// An active account with a lot of so many credits for so many days, and a stream that has told live state about both.
pub async fn settled(granted: u64, days: u64) -> (Operator, AccountId, LotId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, granted, days).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lot, stream)
}
