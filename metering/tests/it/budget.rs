//! Monthly budgets: a hard cap, periods that begin by being in them, and the same arithmetic in Lua and in Rust.

use metering::live::{BudgetView, Refusal};
use metering::testing::GENEROUS_CAPS;
use metering::{AccountId, AccountImage, Change, Credits, TimeMs};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, lot, ten_days};
use crate::scene::Scene;

const MONTH_END: TimeMs = NEW_YEAR.plus_ms(31 * DAY);

fn over(limit: u64, used: u64, resets_at: TimeMs, price: u64) -> Refusal {
    let budget = BudgetView { limit: credits(limit), used: credits(used), resets_at };
    Refusal::BudgetExhausted { budget, price: credits(price) }
}

fn a_year(number: u64, remaining: u64) -> metering::LotImage {
    lot(number, remaining, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY))
}

#[tokio::test]
async fn bob_draws_up_to_his_budget_and_not_one_credit_more() {
    let scene = Scene::with(&bob(10, 1, vec![ten_days(1, 100)])).await;
    let nine = scene.draw(1, 9).await;
    assert_eq!(nine.budget, Some(BudgetView { limit: credits(10), used: credits(9), resets_at: MONTH_END }));
    assert_eq!(scene.refuse(2, 2).await, over(10, 9, MONTH_END, 2));
    assert_eq!(scene.draw(3, 1).await.budget.unwrap().left(), Credits::ZERO);
    assert_eq!(scene.refuse(4, 1).await, over(10, 10, MONTH_END, 1));
}

#[tokio::test]
async fn a_new_month_begins_at_midnight_utc_and_not_a_millisecond_earlier() {
    let mut scene = Scene::with(&bob(10, 1, vec![a_year(1, 100)])).await;
    scene.draw(1, 10).await;
    scene.at(MONTH_END.minus_ms(1)).await;
    assert_eq!(scene.refuse(2, 1).await, over(10, 10, MONTH_END, 1));
    scene.at(MONTH_END).await;
    let february_end = MONTH_END.plus_ms(28 * DAY);
    let budget = BudgetView { limit: credits(10), used: credits(4), resets_at: february_end };
    assert_eq!(scene.draw(3, 4).await.budget, Some(budget));
    assert_eq!(scene.refuse(4, 7).await, over(10, 4, february_end, 7));
}

#[tokio::test]
async fn a_month_can_begin_on_any_day_up_to_the_28th() {
    let mut scene = Scene::with(&bob(10, 15, vec![a_year(1, 100)])).await;
    let fifteenth = NEW_YEAR.plus_ms(14 * DAY);
    assert_eq!(scene.draw(1, 10).await.budget.unwrap().resets_at, fifteenth);
    scene.at(fifteenth).await;
    assert_eq!(scene.draw(2, 10).await.budget.unwrap().resets_at, MONTH_END.plus_ms(14 * DAY));
}

#[tokio::test]
async fn months_without_a_debit_are_passed_over() {
    let mut scene = Scene::with(&bob(10, 1, vec![a_year(1, 100)])).await;
    scene.draw(1, 10).await;
    scene.at(NEW_YEAR.plus_ms(200 * DAY)).await;
    assert_eq!(scene.draw(2, 3).await.budget.unwrap().used, credits(3));
}

#[tokio::test]
async fn a_budget_set_below_what_was_drawn_stops_at_once_and_one_raised_goes_on() {
    let mut scene = Scene::with(&bob(10, 1, vec![ten_days(1, 100)])).await;
    scene.draw(1, 8).await;
    scene.apply(Change::BudgetSet { limit: credits(5) }).await;
    assert_eq!(scene.refuse(2, 1).await, over(5, 8, MONTH_END, 1));
    scene.apply(Change::BudgetSet { limit: credits(9) }).await;
    scene.draw(3, 1).await;
    scene.apply(Change::BudgetSet { limit: Credits::ZERO }).await;
    assert_eq!(scene.draw(4, 50).await.budget, None, "no budget is no cap");
    scene.apply(Change::BudgetSet { limit: credits(60) }).await;
    assert_eq!(scene.refuse(5, 2).await, over(60, 59, MONTH_END, 2), "what was drawn without a cap counts");
}

/// One account for each anchor day, on one clock that walks over four centuries: by random steps, and to the very ends of periods.
#[tokio::test]
async fn the_period_in_lua_ends_when_the_period_in_rust_ends() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    let lots = vec![lot(1, 1_000_000, NEW_YEAR, TimeMs::new(u64::MAX))];
    let mut accounts = Vec::new();
    for day in 1..=28_u8 {
        let account = AccountId::from_uuid(Uuid::from_u128(u128::from(day)));
        let image = AccountImage { account, ..bob(1_000_000, day, lots.clone()) };
        scene.stage.install(&image).await;
        accounts.push(image);
    }
    let seed: u64 = rand::random();
    let mut random = StdRng::seed_from_u64(seed);
    let (mut now, mut debits) = (NEW_YEAR, 0);
    while now < NEW_YEAR.plus_ms(400 * 365 * DAY) {
        let image = &accounts[random.random_range(0..28)];
        let end = image.anchor.period_end(now);
        now = match random.random_range(0..4) {
            0 => end.minus_ms(1),
            1 => end,
            _ => now.plus_ms(random.random_range(0..90 * DAY)),
        };
        debits += 1;
        scene.stage.turn_clock(&image.account, now).await;
        let drawn = drawn(scene.meter.debit(&ask(image.account, debits, 1)).await.unwrap());
        let expected = image.anchor.period_end(now);
        let context = format!("anchor {} at {now}, seed {seed}", image.anchor.day());
        assert_eq!((drawn.at, drawn.budget.unwrap().resets_at), (now, expected), "{context}");
    }
    assert!(debits > 3_000, "{debits}");
}
