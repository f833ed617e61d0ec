//! Everything of one account that a path may name.

use metering::{AccountId, KeyId, LotId, OpId, Status};
use uuid::Uuid;

use crate::house::{House, encoded, wait_until};

pub struct Ids {
    pub account: AccountId,
    key: KeyId,
    lot: LotId,
    op: OpId,
}

impl Ids {
    /// Of an account that has one of each.
    pub async fn of(house: &House, name: &str) -> Self {
        let account = house.account(name, Status::Active, 0).await;
        let lot = house.grant(account, 100, "Team", 86_400_000).await;
        let (_, key) = house.key(account, "ci").await;
        house.wait_carried().await;
        let op = house.draw(account, Some(key), 1).await;
        let reader = house.person(account, "member");
        wait_until("the book has the receipt", async || {
            house.get(&reader, &format!("/api/billing/receipts/{op}")).await.status == 200
        })
        .await;
        Self { account, key, lot, op }
    }

    /// A path or a body with these ids in it.
    pub fn fill(&self, text: &str) -> String {
        let address = encoded("ann@example.org");
        let nonce = Uuid::now_v7().simple().to_string();
        let ids = [
            ("{account}", self.account.to_string()),
            ("{key}", self.key.to_string()),
            ("{lot}", self.lot.to_string()),
            ("{op}", self.op.to_string()),
            ("{address}", address),
            ("{nonce}", nonce),
            ("{name}", "console.css".to_owned()),
            ("{word}", "suspended".to_owned()),
            ("{shard}", "s000".to_owned()),
            ("{event}", "1-1".to_owned()),
            ("{mail}", "1".to_owned()),
            ("{incident}", "1".to_owned()),
            ("{decision}", "1".to_owned()),
        ];
        let filled = ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id));
        assert!(!filled.contains('{') || filled.starts_with('{'), "an id that nobody knows: {filled}");
        filled
    }
}
