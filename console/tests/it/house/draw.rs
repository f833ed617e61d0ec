//! Credits drawn as the gateway draws them, for stories that need receipts; there has to be a ledger-sync.

use metering::live::{Debit, DebitOutcome, Meter};
use metering::{AccountId, KeyId, OpId};
use uuid::Uuid;

use super::{House, credits};

impl House {
    /// Draws at once; the book follows in a moment. Answers the op.
    pub async fn draw(&self, account: AccountId, key: Option<KeyId>, price: u64) -> OpId {
        let meter = Meter::connect(self.redis.url().as_str()).await.unwrap();
        let op = OpId::from_uuid(Uuid::now_v7());
        let ask = Debit {
            op,
            account,
            key,
            rates: None,
            credits: credits(price),
            not_after: self.now().await.plus_ms(60_000),
            route: "chat".parse().unwrap(),
            hold_until: None,
            idempotency: None,
        };
        let drawn = meter.debit(&ask).await.unwrap();
        assert!(matches!(drawn, DebitOutcome::Drawn(_)), "{drawn:?}");
        op
    }
}
