//! What keys may draw in a day and in a month: refused with the numbers, counted across rotation, uncounted by what comes back.

use metering::live::owner::ControlOutcome;
use metering::live::{Debit, DebitOutcome, Refusal};
use metering::{AccountImage, CapPeriod, Change, Credits, KeyCap, KeyCaps, KeyCount, KeyId, TimeMs};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, key, op, refused, ten_days};
use crate::scene::{Scene, give_back};

fn caps(day: Option<u64>, month: Option<u64>) -> KeyCaps {
    KeyCaps { day: day.map(credits), month: month.map(credits) }
}

fn capped(of: u128, number: u128, caps: KeyCaps) -> KeyCap {
    KeyCap { key: key(number), of: key(of), caps }
}

fn by(scene: &Scene, number: u128, price: u64, key: KeyId) -> Debit {
    Debit { key: Some(key), ..ask(scene.account, number, price) }
}

fn refusal(which: CapPeriod, cap: u64, used: u64, resets_at: TimeMs, price: u64) -> Refusal {
    Refusal::KeyCapExhausted { which, cap: credits(cap), used: credits(used), resets_at, price: credits(price) }
}

async fn counted(scene: &Scene) -> Vec<(KeyId, u64, u64)> {
    let counts = scene.snapshot().await.key_counts;
    counts.iter().map(|count| (count.of, count.day_used.get(), count.period_used.get())).collect()
}

#[tokio::test]
async fn a_key_draws_up_to_its_cap_of_a_day_and_again_from_midnight_on() {
    let image =
        AccountImage { key_caps: vec![capped(7, 7, caps(Some(5), Some(12)))], ..bob(1_000, 1, vec![ten_days(1, 100)]) };
    let mut scene = Scene::with(&image).await;
    drawn(scene.meter.debit(&by(&scene, 1, 3, key(7))).await.unwrap());
    let before = scene.everything().await;
    let tomorrow = NEW_YEAR.plus_ms(DAY);
    let too_much = refused(scene.meter.debit(&by(&scene, 2, 3, key(7))).await.unwrap());
    assert_eq!(too_much, refusal(CapPeriod::Day, 5, 3, tomorrow, 3));
    scene.nothing_changed_since(&before, "refused by a cap").await;
    drawn(scene.meter.debit(&by(&scene, 3, 2, key(7))).await.unwrap());
    drawn(scene.meter.debit(&by(&scene, 4, 90, key(8))).await.unwrap()); // another key has no cap
    scene.at(tomorrow.minus_ms(1)).await;
    let full = refused(scene.meter.debit(&by(&scene, 5, 1, key(7))).await.unwrap());
    assert_eq!(full, refusal(CapPeriod::Day, 5, 5, tomorrow, 1));
    scene.at(tomorrow).await;
    drawn(scene.meter.debit(&by(&scene, 6, 5, key(7))).await.unwrap());
    scene.at(tomorrow.plus_ms(DAY)).await;
    let month_full = refused(scene.meter.debit(&by(&scene, 7, 3, key(7))).await.unwrap());
    assert_eq!(month_full, refusal(CapPeriod::Month, 12, 10, NEW_YEAR.plus_ms(31 * DAY), 3));
    assert_eq!(counted(&scene).await, [(key(7), 5, 10)]);
}

#[tokio::test]
async fn a_rotated_key_counts_against_the_same_cap() {
    let image = AccountImage {
        key_caps: vec![capped(7, 7, caps(Some(5), None)), capped(7, 9, caps(Some(5), None))],
        ..ada(vec![ten_days(1, 100)])
    };
    let scene = Scene::with(&image).await;
    drawn(scene.meter.debit(&by(&scene, 1, 3, key(7))).await.unwrap());
    drawn(scene.meter.debit(&by(&scene, 2, 2, key(9))).await.unwrap());
    for number in [7, 9] {
        let full = refused(scene.meter.debit(&by(&scene, number, 1, key(number))).await.unwrap());
        assert_eq!(full, refusal(CapPeriod::Day, 5, 5, NEW_YEAR.plus_ms(DAY), 1));
    }
}

#[tokio::test]
async fn items_of_one_call_see_what_those_before_them_drew() {
    let image = AccountImage { key_caps: vec![capped(7, 7, caps(Some(5), None))], ..ada(vec![ten_days(1, 100)]) };
    let scene = Scene::with(&image).await;
    let asks: Vec<Debit> = (1..=4).map(|number| by(&scene, number, 2, key(7))).collect();
    let shard = scene.account.shard(scene.stage.count);
    let outcomes = scene.meter.debit_many(shard, &asks).await.unwrap();
    let passed = outcomes.iter().filter(|outcome| matches!(outcome, DebitOutcome::Drawn(_))).count();
    assert_eq!((passed, counted(&scene).await), (2, vec![(key(7), 4, 4)]));
}

#[tokio::test]
async fn what_comes_back_is_uncounted_in_the_day_and_the_month_of_its_debit_only() {
    let image = AccountImage { key_caps: vec![capped(7, 7, caps(Some(50), Some(90)))], ..ada(vec![ten_days(1, 100)]) };
    let mut scene = Scene::with(&image).await;
    let yesterday = drawn(scene.meter.debit(&by(&scene, 1, 4, key(7))).await.unwrap());
    scene.at(NEW_YEAR.plus_ms(DAY)).await;
    let today = drawn(scene.meter.debit(&by(&scene, 2, 6, key(7))).await.unwrap());
    drawn(scene.meter.debit(&by(&scene, 3, 1, key(7))).await.unwrap());
    assert_eq!(counted(&scene).await, [(key(7), 7, 11)]);
    scene.meter.give_back(&give_back(scene.account, 1, &yesterday)).await.unwrap();
    assert_eq!(counted(&scene).await, [(key(7), 7, 7)]);
    scene.meter.give_back(&give_back(scene.account, 2, &today)).await.unwrap();
    assert_eq!(counted(&scene).await, [(key(7), 1, 1)]);
}

#[tokio::test]
async fn a_settled_undo_is_uncounted_too() {
    let image = AccountImage { key_caps: vec![capped(7, 7, caps(Some(50), None))], ..ada(vec![ten_days(1, 100)]) };
    let mut scene = Scene::with(&image).await;
    let debit = drawn(scene.meter.debit(&by(&scene, 1, 4, key(7))).await.unwrap());
    scene.undo(1).await;
    let period_end = NEW_YEAR.plus_ms(31 * DAY);
    let (split, key_of_it) = (debit.split, Some(key(7)));
    let settled =
        Change::UndoSettled { debit_op: op(1), split, period_end, counted: true, key: key_of_it, debited_at: NEW_YEAR };
    scene.apply(settled).await;
    assert_eq!(counted(&scene).await, [(key(7), 0, 0)]);
}

#[tokio::test]
async fn a_cap_comes_by_an_install_and_its_change_writes_nothing() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    let before = scene.everything().await;
    let change = Change::KeyCapped { key: key(7), caps: caps(None, Some(3)) };
    assert_eq!(scene.control(change).await, ControlOutcome::NeedsInstall);
    scene.nothing_changed_since(&before, "a cap").await;
}

#[tokio::test]
async fn an_install_brings_what_the_book_has_counted() {
    let count = KeyCount {
        of: key(7),
        day: NEW_YEAR.day(),
        day_used: credits(2),
        period_end: NEW_YEAR.plus_ms(31 * DAY),
        period_used: credits(8),
    };
    let image = AccountImage {
        key_caps: vec![capped(7, 7, caps(Some(3), Some(10)))],
        key_counts: vec![count],
        budget_period_end: NEW_YEAR.plus_ms(31 * DAY),
        ..ada(vec![ten_days(1, 100)])
    };
    let mut scene = Scene::with(&image).await;
    assert_eq!(scene.snapshot().await.key_counts, [count]);
    let full = refused(scene.meter.debit(&by(&scene, 1, 2, key(7))).await.unwrap());
    assert_eq!(full, refusal(CapPeriod::Day, 3, 2, NEW_YEAR.plus_ms(DAY), 2));
    scene.at(NEW_YEAR.plus_ms(DAY)).await;
    let full = refused(scene.meter.debit(&by(&scene, 2, 3, key(7))).await.unwrap());
    assert_eq!(full, refusal(CapPeriod::Month, 10, 8, NEW_YEAR.plus_ms(31 * DAY), 3));
    assert_eq!(drawn(scene.meter.debit(&by(&scene, 3, 2, key(7))).await.unwrap()).remaining, credits(98));
}

#[tokio::test]
async fn ten_thousand_calls_at_once_on_a_cap_of_a_thousand_draw_exactly_a_thousand() {
    let image =
        AccountImage { key_caps: vec![capped(7, 7, caps(None, Some(1_000)))], ..ada(vec![ten_days(1, 1_000_000)]) };
    let scene = Scene::with(&image).await;
    let meter = scene.meter.clone().with_debit_wait(std::time::Duration::from_mins(1));
    let asks: Vec<Debit> = (1..=10_000).map(|number| by(&scene, number, 1, key(7))).collect();
    let outcomes = futures::future::join_all(asks.iter().map(|ask| meter.debit(ask))).await;
    let drew = |outcome: &Result<DebitOutcome, _>| matches!(outcome, Ok(DebitOutcome::Drawn(_)));
    let passed = outcomes.iter().filter(|outcome| drew(outcome)).count();
    assert_eq!((passed, counted(&scene).await), (1_000, vec![(key(7), 1_000, 1_000)]));
    assert_eq!(scene.snapshot().await.cached_total, Credits::new(999_000).unwrap());
}
