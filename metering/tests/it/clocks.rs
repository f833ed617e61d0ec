//! The clock of the store turned back and forward under a shard, and the days of the calendar that are easily got wrong.

use metering::live::{BudgetView, Debit, GiveBackOutcome, KeyRates, Refusal};
use metering::testing::{RedisServer, Stage, turnable};
use metering::{AccountImage, Rate, TimeMs};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, key, lot, refused, split};
use crate::scene::{Scene, connect, give_back};

const HOUR: u64 = 3_600_000;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
/// Longer than any step of a story takes.
const SOON: u64 = 60_000;

/// A scene whose store shows the right time; made of what an account is to be at that time.
async fn turned(image: impl FnOnce(TimeMs) -> AccountImage) -> Option<(Scene, TimeMs)> {
    let redis = RedisServer::start_with(turnable()?);
    let mut stage = Stage::open(&redis.url(), 2, 1).await;
    let meter = stage.meter().await;
    let connection = connect(&redis.url()).await;
    let now = meter.store_now();
    let image = image(now);
    stage.install(&image).await;
    Some((Scene { redis, stage, meter, account: image.account, connection }, now))
}

impl Scene {
    /// Turns the clock of the store, and learns of it as a gateway does.
    async fn turn(&self, seconds: i64) {
        self.redis.turn_clock(seconds);
        self.meter.ping().await.unwrap();
    }

    /// A debit as a gateway asks for it, given two seconds.
    async fn ask_in_time(&self, number: u128) -> metering::live::Drawn {
        let not_after = self.meter.shard_now_of(&self.account).plus_ms(2_000);
        drawn(self.meter.debit(&Debit { not_after, ..ask(self.account, number, 1) }).await.unwrap())
    }
}

fn for_ever(number: u64, remaining: u64) -> metering::LotImage {
    lot(number, remaining, TimeMs::EPOCH, NEW_YEAR.plus_ms(366 * DAY))
}

#[tokio::test]
async fn a_store_whose_clock_goes_back_an_hour_revives_no_lot() {
    let half_an_hour = |now: TimeMs| lot(1, 10, TimeMs::EPOCH, now.plus_ms(HOUR / 2));
    let Some((scene, now)) = turned(|now| ada(vec![half_an_hour(now), for_ever(2, 10)])).await else { return };
    let first = scene.draw(1, 4).await;
    assert_eq!(split(&first), "1:4");
    scene.turn(HOUR_S).await;
    let second = scene.draw(2, 1).await;
    assert_eq!((split(&second).as_str(), second.remaining), ("2:1", credits(9)), "the first lot has ended");
    scene.turn(0).await;
    assert!(scene.meter.store_now() < now.plus_ms(SOON), "the store shows the right time again");
    let third = scene.draw(3, 1).await;
    assert_eq!((split(&third).as_str(), third.remaining), ("2:1", credits(8)));
    assert!(third.at >= second.at && third.at < second.at.plus_ms(SOON), "the shard's time has not gone back");
    let lapsed = GiveBackOutcome::Returned { returned: credits(0), lapsed: credits(4), remaining: credits(8) };
    assert_eq!(scene.give_back(1, &first).await, lapsed);
    assert_eq!(scene.meter.credits(scene.account).await.unwrap().remaining, credits(8));
}

#[tokio::test]
async fn a_budget_turns_once_however_often_the_clock_crosses_the_end_of_the_month() {
    let Some((scene, _)) = turned(|_| bob(10, 1, vec![for_ever(1, 100)])).await else { return };
    let this_month = scene.draw(1, 10).await.budget.unwrap();
    scene.turn(31 * DAY_S).await;
    let next_month = scene.draw(2, 6).await.budget.unwrap();
    assert!(next_month.resets_at > this_month.resets_at);
    assert_eq!(next_month.used, credits(6));
    for seconds in [0, 31 * DAY_S, -HOUR_S, 31 * DAY_S, 0] {
        scene.turn(seconds).await;
        let full = BudgetView { used: credits(6), ..next_month };
        assert_eq!(scene.refuse(3, 5).await, Refusal::BudgetExhausted { budget: full, price: credits(5) }, "{seconds}");
    }
    // What was drawn in the month before goes back to its lot and leaves this month alone.
    scene.turn(0).await;
    assert_eq!(scene.draw(4, 4).await.budget.unwrap().used, credits(10));
}

#[tokio::test]
async fn debits_are_asked_for_in_time_though_the_store_s_clock_was_ahead_for_a_while() {
    let Some((scene, now)) = turned(|_| ada(vec![for_ever(1, 100)])).await else { return };
    scene.ask_in_time(1).await;
    scene.turn(DAY_S).await;
    assert!(scene.ask_in_time(2).await.at >= now.plus_ms(DAY));
    for (number, seconds) in [(3, 0), (4, 0), (5, -HOUR_S), (6, -HOUR_S), (7, 0)] {
        scene.turn(seconds).await;
        assert!(scene.ask_in_time(number).await.at >= now.plus_ms(DAY), "{number}");
        scene.meter.ping().await.unwrap();
    }
    // What people agreed on goes by the time that the store shows.
    assert!(scene.meter.store_now() < now.plus_ms(SOON));
    // By that time a debit would be refused for as long as the shard is ahead.
    let not_after = scene.meter.store_now().plus_ms(2_000);
    let by_the_store = Debit { not_after, ..ask(scene.account, 8, 1) };
    assert_eq!(refused(scene.meter.debit(&by_the_store).await.unwrap()), Refusal::TooLate);
    assert_eq!(scene.snapshot().await.cached_total, credits(93));
}

#[tokio::test]
async fn a_store_that_jumps_on_refuses_what_was_asked_before_and_takes_what_is_asked_after() {
    let Some((scene, now)) = turned(|now| ada(vec![lot(1, 5, TimeMs::EPOCH, now.plus_ms(DAY)), for_ever(2, 5)])).await
    else {
        return;
    };
    let not_after = scene.meter.shard_now_of(&scene.account).plus_ms(2_000);
    scene.redis.turn_clock(2 * DAY_S);
    let before = Debit { not_after, ..ask(scene.account, 1, 1) };
    assert_eq!(refused(scene.meter.debit(&before).await.unwrap()), Refusal::TooLate);
    // The refusal has told the shard's time, and no ping was needed.
    let after = scene.ask_in_time(2).await;
    assert_eq!((split(&after).as_str(), after.remaining), ("2:1", credits(4)), "the first lot has ended");
    assert!(after.at >= now.plus_ms(2 * DAY));
}

#[tokio::test]
async fn a_rate_keeps_nobody_waiting_longer_than_it_says_when_the_clock_goes_back() {
    let Some((scene, _)) = turned(|_| ada(vec![for_ever(1, 100)])).await else { return };
    let rates = KeyRates::new(key(7), &[Rate::new("minute", 2, 60_000, Some(2)).unwrap()]).unwrap();
    let held = |number| Debit { key: Some(key(7)), rates: Some(rates.clone()), ..ask(scene.account, number, 1) };
    for number in [1, 2] {
        drawn(scene.meter.debit(&held(number)).await.unwrap());
    }
    scene.turn(-HOUR_S).await;
    for number in [3, 4] {
        let Refusal::RateLimited { place: 0, wait_ms } = refused(scene.meter.debit(&held(number)).await.unwrap())
        else {
            panic!("the jump has made no room");
        };
        assert!(wait_ms <= 30_000, "{wait_ms}");
    }
    scene.turn(DAY_S).await;
    for number in [5, 6] {
        drawn(scene.meter.debit(&held(number)).await.unwrap());
    }
    assert!(matches!(refused(scene.meter.debit(&held(7)).await.unwrap()), Refusal::RateLimited { .. }));
}

/// 2028-02-29T00:00:00Z, before the clock of other stories.
const LEAP_DAY: TimeMs = TimeMs::new(1_835_395_200_000);

/// A scene whose shard shows this time: all else that could show is long before it.
async fn scene_at(at: TimeMs, image: &AccountImage) -> Scene {
    let redis = RedisServer::start();
    let mut stage = Stage::open(&redis.url(), 2, 1).await;
    stage.turn_clock(&image.account, at).await;
    stage.install(image).await;
    let meter = stage.meter().await;
    let connection = connect(&redis.url()).await;
    Scene { redis, stage, meter, account: image.account, connection }
}

#[tokio::test]
async fn the_leap_day_belongs_to_february_and_a_month_that_begins_on_the_28th_holds_it() {
    for (anchor, resets_at) in [(1, LEAP_DAY.plus_ms(DAY)), (28, LEAP_DAY.plus_ms(28 * DAY))] {
        let mut scene = scene_at(LEAP_DAY.minus_ms(1), &bob(10, anchor, vec![for_ever(1, 100)])).await;
        let budget = BudgetView { limit: credits(10), used: credits(6), resets_at };
        assert_eq!(scene.draw(1, 6).await.budget, Some(budget), "{anchor}");
        for at in [LEAP_DAY, resets_at.minus_ms(1)] {
            scene.at(at).await;
            assert_eq!(scene.refuse(2, 5).await, Refusal::BudgetExhausted { budget, price: credits(5) }, "{anchor}");
        }
        scene.at(resets_at).await;
        let next = scene.draw(3, 5).await.budget.unwrap();
        assert_eq!((next.used, next.resets_at), (credits(5), resets_at.plus_ms(31 * DAY)), "{anchor}");
    }
}

#[tokio::test]
async fn at_the_end_of_a_month_one_lot_ends_another_begins_and_the_budget_turns_in_the_same_millisecond() {
    let end = LEAP_DAY.plus_ms(DAY);
    let lots = vec![lot(1, 9, TimeMs::EPOCH, end), lot(2, 7, end, end.plus_ms(1))];
    let mut scene = scene_at(end.minus_ms(1), &bob(8, 1, lots)).await;
    let before = scene.draw(1, 8).await;
    assert_eq!((split(&before).as_str(), before.remaining), ("1:8", credits(1)));
    assert!(matches!(scene.refuse(2, 1).await, Refusal::BudgetExhausted { .. }));
    scene.at(end).await;
    let after = scene.draw(3, 7).await;
    assert_eq!((split(&after).as_str(), after.remaining), ("2:7", credits(0)), "the second lot alone");
    assert_eq!(after.budget.unwrap().used, credits(7), "of the new month");
    let lapsed = GiveBackOutcome::Returned { returned: credits(0), lapsed: credits(8), remaining: credits(0) };
    assert_eq!(scene.meter.give_back(&give_back(scene.account, 1, &before)).await.unwrap(), lapsed);
    scene.at(end.plus_ms(1)).await;
    assert_eq!(
        scene.give_back(3, &after).await,
        GiveBackOutcome::Returned { returned: credits(0), lapsed: credits(7), remaining: credits(0) }
    );
    assert_eq!(scene.refuse(4, 1).await, Refusal::CreditsExhausted { remaining: credits(0), price: credits(1) });
    assert_eq!(scene.meter.credits(scene.account).await.unwrap().budget.unwrap().used, credits(0));
}
