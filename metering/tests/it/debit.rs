//! Drawing credits.

use metering::live::Refusal;
use metering::testing::{RedisServer, Stage};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, credits, drawn, lot, refused, split};

#[tokio::test]
async fn ada_draws_the_earliest_expiring_lot_first_and_across_a_lot_boundary() {
    let redis = RedisServer::start();
    let mut stage = Stage::open(&redis.url(), 2, 1).await;
    let meter = stage.meter().await;
    let (soon, later) = (NEW_YEAR.plus_ms(DAY), NEW_YEAR.plus_ms(9 * DAY));
    let image = ada(vec![lot(1, 10, NEW_YEAR, later), lot(2, 3, NEW_YEAR, soon), lot(3, 4, NEW_YEAR.plus_ms(1), soon)]);
    stage.install(&image).await;
    stage.turn_clock(&image.account, NEW_YEAR.plus_ms(5)).await;

    let first = drawn(meter.debit(&ask(image.account, 1, 2)).await.unwrap());
    assert_eq!((split(&first).as_str(), first.remaining, first.seq), ("2:2", credits(15), 1));
    let second = drawn(meter.debit(&ask(image.account, 2, 6)).await.unwrap());
    assert_eq!((split(&second).as_str(), second.remaining), ("2:1,3:4,1:1", credits(9)));
    let third = refused(meter.debit(&ask(image.account, 3, 10)).await.unwrap());
    assert_eq!(third, Refusal::CreditsExhausted { remaining: credits(9), price: credits(10) });
    let last = drawn(meter.debit(&ask(image.account, 4, 9)).await.unwrap());
    assert_eq!((split(&last).as_str(), last.remaining), ("1:9", credits(0)));
    let nothing = refused(meter.debit(&ask(image.account, 5, 1)).await.unwrap());
    assert_eq!(nothing, Refusal::CreditsExhausted { remaining: credits(0), price: credits(1) });
    assert_eq!(stage.events(&image.account).await.len(), 1 + 1 + 3, "opened, installed and three debits");
}
