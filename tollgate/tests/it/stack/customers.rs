//! Customers: accounts with lots and keys, made as an operator makes them.

use std::time::{Duration, Instant};

use ledger::{By, Grant, NewAccount, NewKey};
use metering::{AccountId, BudgetAnchor, Credits, KeyId, KeyMode, LotId, Status, TimeMs};
use uuid::Uuid;

use super::{Call, PATIENCE, Stack, wait_until};

const MONTH_MS: u64 = 30 * 86_400_000;

/// An account and a key of it.
#[derive(Clone)]
pub struct Customer {
    pub account: AccountId,
    pub key: String,
    pub key_id: KeyId,
}

pub fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

pub fn by(at: TimeMs) -> By {
    By { actor: "operator".to_owned(), reason: "a story".to_owned(), at }
}

impl Stack {
    /// An active account with one lot for a month, and a key; known to live state when this returns.
    pub async fn customer(&self, lot: u64) -> Customer {
        let customer = self.customer_with(Status::Active, lot).await;
        self.wait_carried().await;
        customer
    }

    /// The same with a status of your choice, and live state may not know it yet. 0 credits is no lot.
    pub async fn customer_with(&self, status: Status, lot: u64) -> Customer {
        let now = self.now().await;
        let new = NewAccount { name: "Ada".to_owned(), email: None, status, anchor: BudgetAnchor::FIRST };
        let account = self.book.ledger.create_account(&new, &by(now)).await.unwrap();
        if lot > 0 {
            self.grant(account, lot, MONTH_MS).await;
        }
        let (key, key_id) = self.issue_key(account).await;
        Customer { account, key, key_id }
    }

    /// A lot that can be drawn at once and expires in `expires_in_ms`.
    pub async fn grant(&self, account: AccountId, lot: u64, expires_in_ms: u64) -> LotId {
        let now = self.now().await;
        let grant = Grant {
            credits: credits(lot),
            product: "pack".to_owned(),
            granted_at: now,
            expires_at: now.plus_ms(expires_in_ms),
            source: None,
        };
        self.book.ledger.grant_lot(account, &grant, &by(now)).await.unwrap()
    }

    pub async fn issue_key(&self, account: AccountId) -> (String, KeyId) {
        let random = [Uuid::now_v7().into_bytes(), Uuid::now_v7().into_bytes()].concat().try_into().unwrap();
        self.issue_this_key(account, KeyMode::Live, random).await
    }

    /// A key whose random part is known before.
    pub async fn issue_this_key(&self, account: AccountId, mode: KeyMode, random: [u8; 32]) -> (String, KeyId) {
        let new = NewKey {
            name: "laptop".to_owned(),
            mode,
            expires_at: None,
            policy: metering::KeyPolicy::default(),
            random,
        };
        let (key, id) = self.book.ledger.issue_key(account, &new, &by(self.now().await)).await.unwrap();
        (key.reveal().to_owned(), id)
    }

    pub async fn revoke(&self, key: KeyId) {
        self.book.ledger.revoke_key(key, &by(self.now().await)).await.unwrap();
    }

    pub async fn set_status(&self, account: AccountId, status: Status) {
        self.book.ledger.set_status(account, status, &by(self.now().await)).await.unwrap();
    }

    pub async fn set_budget(&self, account: AccountId, limit: u64) {
        self.book.ledger.set_budget(account, credits(limit), &by(self.now().await)).await.unwrap();
    }

    /// Until live state has confirmed every change of the book.
    pub async fn wait_carried(&self) {
        wait_until("live state knows every change", async || {
            self.book.number("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").await == 0
        })
        .await;
    }

    /// What the customer sees as remaining; asked again while Redis does not answer the gateway in time.
    pub async fn remaining(&self, customer: &Customer) -> u64 {
        let started = Instant::now();
        loop {
            let answer = self.send(&customer.key, Call::get("/v1/credits")).await;
            if answer.status != 503 || started.elapsed() > PATIENCE {
                return answer.json()["remaining"].as_u64().unwrap_or_else(|| panic!("no credits: {answer:?}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
