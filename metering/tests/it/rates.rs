//! Rates of keys: what passes, what waits, what is counted, and that a plain model agrees.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metering::live::{Debit, DebitOutcome, KeyRates, RateOutcome, RateState, Refusal};
use metering::{KeyId, Rate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::accounts::{NEW_YEAR, ada, ask, bob, credits, drawn, key, refused, ten_days};
use crate::scene::Scene;

fn rates(of: KeyId, list: &[(&str, u32, u64, u32)]) -> KeyRates {
    let list: Vec<Rate> = list.iter().map(|(name, count, per_ms, burst)| rate(name, *count, *per_ms, *burst)).collect();
    KeyRates::new(of, &list).unwrap()
}

fn rate(name: &str, count: u32, per_ms: u64, burst: u32) -> Rate {
    Rate::new(name, count, per_ms, Some(burst)).unwrap()
}

/// A debit of 1 by key 7, held to these rates.
fn held(scene: &Scene, number: u128, rates: &KeyRates) -> Debit {
    Debit { key: Some(key(7)), rates: Some(rates.clone()), ..ask(scene.account, number, 1) }
}

fn limited(place: usize, wait_ms: u64) -> Refusal {
    Refusal::RateLimited { place, wait_ms }
}

#[tokio::test]
async fn a_burst_passes_then_one_at_a_time_and_what_waits_counts_nothing() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    let slow = rates(key(7), &[("minute", 60, 60_000, 2)]);
    let first = drawn(scene.meter.debit(&held(&scene, 1, &slow)).await.unwrap());
    assert_eq!(first.rates, [RateState { left: 1, reset_ms: 1_000 }]);
    let second = drawn(scene.meter.debit(&held(&scene, 2, &slow)).await.unwrap());
    assert_eq!(second.rates, [RateState { left: 0, reset_ms: 2_000 }]);
    let before = scene.everything().await;
    for number in 3..6 {
        assert_eq!(refused(scene.meter.debit(&held(&scene, number, &slow)).await.unwrap()), limited(0, 1_000));
    }
    scene.nothing_changed_since(&before, "refused by a rate").await;
    scene.at(NEW_YEAR.plus_ms(999)).await;
    assert_eq!(refused(scene.meter.debit(&held(&scene, 6, &slow)).await.unwrap()), limited(0, 1));
    scene.at(NEW_YEAR.plus_ms(1_000)).await;
    drawn(scene.meter.debit(&held(&scene, 7, &slow)).await.unwrap());
    assert_eq!(refused(scene.meter.debit(&held(&scene, 8, &slow)).await.unwrap()), limited(0, 1_000));
}

#[tokio::test]
async fn the_rate_that_lets_nothing_pass_is_named_and_the_others_count_only_what_passed() {
    let scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    let two = rates(key(7), &[("second", 5, 1_000, 5), ("day", 3, 86_400_000, 3)]);
    for number in 1..=3 {
        drawn(scene.meter.debit(&held(&scene, number, &two)).await.unwrap());
    }
    assert_eq!(refused(scene.meter.debit(&held(&scene, 4, &two)).await.unwrap()), limited(1, 28_800_000));
    let RateOutcome::Limited { place: 1, .. } = scene.meter.pass_rates(scene.account, &two).await.unwrap() else {
        panic!("a free request counts against the same rates");
    };
}

#[tokio::test]
async fn a_debit_that_is_refused_for_money_uses_no_rate() {
    let scene = Scene::with(&bob(2, 1, vec![ten_days(1, 100)])).await;
    let rate = rates(key(7), &[("minute", 3, 60_000, 3)]);
    for number in 1..=2 {
        drawn(scene.meter.debit(&held(&scene, number, &rate)).await.unwrap());
    }
    for number in 3..8 {
        let refusal = refused(scene.meter.debit(&held(&scene, number, &rate)).await.unwrap());
        assert!(matches!(refusal, Refusal::BudgetExhausted { .. }), "{refusal:?}");
    }
    let passed = scene.meter.pass_rates(scene.account, &rate).await.unwrap();
    assert_eq!(passed, RateOutcome::Passed(vec![RateState { left: 0, reset_ms: 60_000 }]));
}

#[tokio::test]
async fn items_of_one_call_share_their_key_s_rates_and_others_do_not() {
    let scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    let (seven, eight) = (rates(key(7), &[("minute", 2, 60_000, 2)]), rates(key(8), &[("minute", 1, 60_000, 1)]));
    let rotated = Debit { key: Some(key(9)), ..held(&scene, 3, &seven) }; // another key, the same rates
    let asks = [
        held(&scene, 1, &seven),
        held(&scene, 2, &seven),
        rotated,
        held(&scene, 4, &eight),
        held(&scene, 5, &eight),
        ask(scene.account, 6, 1),
    ];
    let outcomes = scene.meter.debit_many(scene.account.shard(scene.stage.count), &asks).await.unwrap();
    let passed: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, DebitOutcome::Drawn(_))).collect();
    assert_eq!(passed, [true, true, false, true, false, true]);
    assert_eq!(refused(outcomes[2].clone()), limited(0, 30_000));
    assert_eq!(scene.snapshot().await.cached_total, credits(96));
    assert_eq!(refused(scene.meter.debit(&held(&scene, 7, &seven)).await.unwrap()), limited(0, 30_000));
}

#[tokio::test]
async fn ten_thousand_calls_on_a_rate_of_a_thousand_let_exactly_a_thousand_pass() {
    let scene = Arc::new(Scene::with(&ada(vec![ten_days(1, 20_000)])).await);
    let rate = rates(key(7), &[("day", 1_000, 86_400_000, 1_000)]);
    let (asked, passed) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicU64::new(0)));
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (scene, rate, asked, passed) = (scene.clone(), rate.clone(), asked.clone(), passed.clone());
            async move {
                loop {
                    let number = asked.fetch_add(1, Ordering::Relaxed);
                    if number > 10_000 {
                        return;
                    }
                    let outcome = scene.meter.debit(&held(&scene, u128::from(number), &rate)).await.unwrap();
                    let drew = u64::from(matches!(outcome, DebitOutcome::Drawn(_)));
                    passed.fetch_add(drew, Ordering::Relaxed);
                }
            }
        })
        .collect();
    futures::future::join_all(callers).await;
    assert_eq!(passed.load(Ordering::Relaxed), 1_000);
    assert_eq!(scene.snapshot().await.cached_total, credits(19_000));
}

/// What a rate lets pass, said plainly: the instants at which the requests that passed are worked off, one after the other.
#[derive(Default)]
struct Model {
    idle_at_us: u64,
}

impl Model {
    fn passes(&mut self, rate: &Rate, now_us: u64) -> Result<RateState, u64> {
        let (emission, burst) = (rate.emission_us(), u64::from(rate.burst()));
        let waiting = self.idle_at_us.saturating_sub(now_us); // of what has passed, not worked off yet
        if waiting + emission > burst * emission {
            return Err((waiting + emission - burst * emission).div_ceil(1_000));
        }
        self.idle_at_us = now_us + waiting + emission;
        let left = (burst * emission - waiting - emission) / emission;
        Ok(RateState { left, reset_ms: (waiting + emission).div_ceil(1_000) })
    }
}

#[test]
fn a_plain_model_says_the_same_whatever_the_rate_and_whenever_it_is_asked() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let scene = RefCell::new(runtime.block_on(Scene::with(&ada(vec![ten_days(1, 1_000_000)]))));
    let (now, number) = (Cell::new(NEW_YEAR), Cell::new(0_u128));
    let next = || number.replace(number.get() + 1);
    let written = (1..2_000_u32, 1_000..3_600_000_u64, 1..50_u32);
    let history = prop::collection::vec((0..5_000_u64, any::<bool>()), 1..60);
    TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() })
        .run(&(written, history), |((count, per_ms, burst), history)| {
            let rate = rate("r", count, per_ms, burst);
            let held_to = KeyRates::new(key(1_000_000 + next()), std::slice::from_ref(&rate)).unwrap();
            let mut model = Model::default();
            for (wait_ms, free) in history {
                now.set(now.get().plus_ms(wait_ms));
                let expected = model.passes(&rate, now.get().as_u64() * 1_000);
                runtime.block_on(scene.borrow_mut().at(now.get()));
                let said = runtime.block_on(ask_for(&scene.borrow(), &held_to, free, next()));
                assert_eq!(said, expected, "{count} in {per_ms} ms, {burst} at once");
            }
            Ok(())
        })
        .unwrap();
}

/// One request, for nothing or for a credit: the state of its one rate, or how long it has to wait.
async fn ask_for(scene: &Scene, held_to: &KeyRates, free: bool, number: u128) -> Result<RateState, u64> {
    if free {
        return match scene.meter.pass_rates(scene.account, held_to).await.unwrap() {
            RateOutcome::Passed(states) => Ok(states[0]),
            RateOutcome::Limited { wait_ms, .. } => Err(wait_ms),
        };
    }
    match scene.meter.debit(&held(scene, number, held_to)).await.unwrap() {
        DebitOutcome::Drawn(drawn) => Ok(drawn.rates[0]),
        DebitOutcome::Refused(Refusal::RateLimited { wait_ms, .. }) => Err(wait_ms),
        DebitOutcome::Refused(other) => panic!("{other:?}"),
    }
}
