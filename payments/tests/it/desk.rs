//! A book of the test's own, with the hands that write in it.

use ledger::stripe::Outcome;
use ledger::testing::{TestDatabase, database};
use ledger::{By, Ledger, NewAccount};
use metering::{AccountId, BudgetAnchor, Status, TimeMs};
use payments::{Plans, Urls};

/// 2026-01-15T12:00:00Z: the schema of tests has the months around it.
pub const NOON: TimeMs = TimeMs::new(1_768_478_400_000);
/// The same in Stripe's seconds.
pub const NOON_SECONDS: u64 = 1_768_478_400;
pub const DAY_SECONDS: u64 = 86_400;

pub struct Desk {
    pub db: TestDatabase,
    pub plans: Plans,
    pub urls: Urls,
}

impl Desk {
    pub async fn open() -> Self {
        let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
        let urls = Urls { success: "https://app.example/ok".to_owned(), cancel: "https://app.example/no".to_owned() };
        Self { db: database().await, plans, urls }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.db.ledger
    }

    pub async fn account(&self, status: Status) -> AccountId {
        let new = NewAccount {
            name: "Ada".to_owned(),
            email: Some("ada@example.com".to_owned()),
            status,
            anchor: BudgetAnchor::new(1).unwrap(),
        };
        self.ledger().create_account(&new, &by()).await.unwrap()
    }

    pub async fn lots(&self, account: AccountId) -> Vec<u64> {
        let view = self.ledger().account_view(account, NOON).await.unwrap();
        view.lots.iter().map(|lot| lot.original.get()).collect()
    }

    pub async fn status(&self, account: AccountId) -> Status {
        self.ledger().account_view(account, NOON).await.unwrap().status
    }

    pub async fn applies(&self, effects: &[ledger::stripe::Effect]) {
        let outcome = self.ledger().apply_effects(effects, &by()).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
}

pub fn by() -> By {
    By { actor: "test".to_owned(), reason: "a story".to_owned(), at: NOON }
}
