//! What stands in the book before a story begins, written by the book's own functions.

use ledger::{By, Grant, NewAccount, NewKey};
use metering::{AccountId, BudgetAnchor, Credits, KeyId, KeyMode, KeyPolicy, LotId, Status, TimeMs};
use uuid::Uuid;

use super::House;

const MONTH_MS: u64 = 30 * 86_400_000;

pub fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

pub fn by(at: TimeMs) -> By {
    By { actor: "a story".to_owned(), reason: "it begins so".to_owned(), at }
}

impl House {
    /// An account with one lot for a month; 0 credits is no lot. With a ledger-sync, live state knows it when this returns.
    pub async fn account(&self, name: &str, status: Status, lot: u64) -> AccountId {
        let email = Some(format!(
            "{}@example.org",
            name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
        ))
        .filter(|email| email.len() <= 200);
        let new = NewAccount { name: name.to_owned(), email, status, anchor: BudgetAnchor::FIRST };
        let account = self.book.ledger.create_account(&new, &by(self.now().await)).await.unwrap();
        if lot > 0 {
            self.grant(account, lot, "Team", MONTH_MS).await;
        }
        if self.sync.is_some() {
            self.wait_carried().await;
        }
        account
    }

    /// A lot that can be drawn at once and expires in `expires_in_ms`.
    pub async fn grant(&self, account: AccountId, lot: u64, product: &str, expires_in_ms: u64) -> LotId {
        let now = self.now().await;
        let grant = Grant {
            credits: credits(lot),
            product: product.to_owned(),
            granted_at: now,
            expires_at: now.plus_ms(expires_in_ms),
            source: None,
        };
        self.book.ledger.grant_lot(account, &grant, &by(now)).await.unwrap()
    }

    /// A key: the text of it, and its id.
    pub async fn key(&self, account: AccountId, name: &str) -> (String, KeyId) {
        let random = [Uuid::now_v7().into_bytes(), Uuid::now_v7().into_bytes()].concat().try_into().unwrap();
        let new = NewKey {
            name: name.to_owned(),
            mode: KeyMode::Live,
            expires_at: None,
            policy: KeyPolicy::default(),
            random,
        };
        let (key, id) = self.book.ledger.issue_key(account, &new, &by(self.now().await)).await.unwrap();
        (key.reveal().to_owned(), id)
    }
}
