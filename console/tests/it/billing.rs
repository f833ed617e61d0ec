//! The Billing screen and its API: what people see, what they set and buy, and the receipts of what was drawn.

mod budget;
mod buying;
mod live;
mod receipts;
mod screen;
mod usage;

use std::sync::Mutex;

use metering::live::{Debit, DebitOutcome, Drawn, GiveBack, GiveBackOutcome, Meter};
use metering::{AccountId, KeyId, OpId, TimeMs};
use uuid::Uuid;

use crate::house::{House, Plan, credits, wait_until};

/// A house whose credits can be drawn.
async fn open_house() -> House {
    House::with(Plan { sync: true, ..Plan::default() }).await
}

/// What a gateway does with credits, by the same meter.
struct Draws(Meter);

impl Draws {
    async fn of(house: &House) -> Self {
        Self(Meter::connect(house.redis.url().as_str()).await.unwrap())
    }

    /// Draws for one request.
    async fn draw(&self, account: AccountId, price: u64, route: &str, key: Option<KeyId>) -> (OpId, Drawn) {
        let drawn = Mutex::new(None);
        wait_until("credits are drawn", async || {
            let debit = Debit {
                op: new_op(),
                account,
                key,
                rates: None,
                credits: credits(price),
                not_after: TimeMs::new(u64::MAX),
                route: route.parse().unwrap(),
                hold_until: None,
                idempotency: None,
            };
            match self.0.debit(&debit).await {
                Ok(DebitOutcome::Drawn(found)) => *drawn.lock().unwrap() = Some((debit.op, found)),
                other => eprintln!("not yet: {other:?}"),
            }
            drawn.lock().unwrap().is_some()
        })
        .await;
        drawn.into_inner().unwrap().unwrap()
    }

    /// Gives it back.
    async fn give_back(&self, account: AccountId, (op, drawn): &(OpId, Drawn)) {
        let ask = GiveBack {
            op: new_op(),
            account,
            debit_op: *op,
            debit_event: drawn.event,
            debit_not_after: TimeMs::new(u64::MAX),
            idempotency: None,
        };
        let given_back = self.0.give_back(&ask).await.unwrap();
        assert!(matches!(given_back, GiveBackOutcome::Returned { .. }), "{given_back:?}");
    }
}

fn new_op() -> OpId {
    OpId::from_uuid(Uuid::now_v7())
}

/// Until the book has so many entries of a kind.
async fn wait_recorded(house: &House, kind: &str, count: i64) {
    let query = format!("SELECT count(*) FROM entries WHERE kind = '{kind}'");
    wait_until(&format!("the book has {count} {kind}s"), async || house.book.number(&query).await == count).await;
}
