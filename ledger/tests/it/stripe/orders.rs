//! Any part of a small world, told in any order, again and at once, ends where the plain model says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use futures::future::join_all;
use ledger::stripe::{Effect, Outcome, Payment, SubscriptionReport, SubscriptionStatus};
use metering::Status;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::model::{ALL, Expected, Told, expected};
use super::shop::{Shop, at};
use crate::actors::{DAY, Operator, credits};
use crate::histories::shares_out;

/// The effects of one delivery.
fn effects(shop: &Shop<'_>, told: Told) -> Vec<Effect> {
    let seen = |status, second| shop.subscription(status, at(second));
    let was = |status, second, was| SubscriptionReport { was: Some(was), ..seen(status, second) };
    let effect = match told {
        Told::Incomplete => Effect::SubscriptionSeen(seen(SubscriptionStatus::Incomplete, 1)),
        // Within the second of the payment, as Stripe does it.
        Told::Active => Effect::SubscriptionSeen(was(SubscriptionStatus::Active, 1, SubscriptionStatus::Incomplete)),
        Told::FirstPaid => Effect::Paid(shop.invoice("in_1", at(1))),
        Told::FirstLinked => shop.linked("in_1"),
        Told::SecondFailed => Effect::InvoiceFailed(shop.failed("in_2", at(10))),
        Told::PastDue => {
            let invoice = shop.some("in_2");
            Effect::SubscriptionSeen(SubscriptionReport {
                invoice,
                ..was(SubscriptionStatus::PastDue, 10, SubscriptionStatus::Active)
            })
        }
        Told::SecondPaid => Effect::Paid(shop.invoice("in_2", at(20))),
        Told::ActiveAgain => Effect::SubscriptionSeen(was(SubscriptionStatus::Active, 20, SubscriptionStatus::PastDue)),
        Told::Changed => Effect::Paid(Payment {
            prorated: true,
            credits: credits(300),
            period_end: Some(at(20).plus_ms(30 * DAY)),
            ..shop.invoice("in_3", at(25))
        }),
        Told::Canceled => Effect::SubscriptionSeen(seen(SubscriptionStatus::Canceled, 30)),
        Told::Pack => Effect::Paid(shop.pack("in_9", at(5))),
        Told::PackLinked => shop.linked("in_9"),
        Told::FirstRefunded => shop.refund("in_1", 500),
        Told::FirstRefundedMore => shop.refund("in_1", 1_000),
        Told::FirstDisputed => shop.dispute("in_1"),
        Told::PackRefunded => shop.refund("in_9", 2_000),
    };
    vec![effect]
}

/// Tells one delivery until it no longer has to wait for others.
async fn tells(shop: &Shop<'_>, told: Told, copy: usize) {
    let event = format!("evt_{told:?}_{copy}");
    while let Outcome::Postponed(_) = shop.hears(&event, &effects(shop, told)).await {}
}

async fn found(shop: &Shop<'_>) -> Expected {
    let ledger = &shop.operator.db.ledger;
    let payments = ledger.payments_of(shop.account, 100).await.unwrap();
    let find = |name: &str| payments.iter().find(|view| view.payment.payment == shop.id(name));
    let granted = |name: &str| find(name).map(|view| view.granted.get());
    let asked = |name: &str| find(name).map_or(0, |view| view.asked.get());
    // Copies of one delivery count once. All histories of a run share the book, so lists, which end somewhere, won't do.
    let parked = format!(
        "SELECT count(DISTINCT split_part(event, '_', 2)) FROM stripe_deliveries WHERE state = 'parked' AND split_part(event, '_', 4) = '{}'",
        shop.name
    );
    Expected {
        status: shop.status().await,
        first: granted("in_1"),
        second_period: granted("in_2").unwrap_or(0) + granted("in_3").unwrap_or(0),
        pack: granted("in_9"),
        first_asked: asked("in_1"),
        pack_asked: asked("in_9"),
        parked: usize::try_from(shop.operator.db.number(&parked).await).unwrap(),
    }
}

#[derive(Debug, Clone)]
struct History {
    told: Vec<(Told, usize)>,
    /// How many are told at once.
    together: usize,
}

fn history() -> impl Strategy<Value = History> {
    let some = prop::sample::subsequence(ALL.to_vec(), 1..=ALL.len());
    let doubled = some.prop_flat_map(|told| {
        let copies = prop::collection::vec(1..3_usize, told.len());
        copies.prop_map(move |copies| {
            told.iter().zip(copies).flat_map(|(told, copies)| (0..copies).map(move |copy| (*told, copy))).collect()
        })
    });
    (doubled.prop_shuffle(), 1..5_usize).prop_map(|(told, together): (Vec<_>, _)| History { told, together })
}

/// Histories of a usual run, and of a full one.
const CASES: u32 = 160;
const CASES_FULL: u32 = 10_000;
/// So many share a database: what is asked of it goes through all it was told.
const HISTORIES_A_BOOK: u32 = 250;

/// It happens in a book that others may have been told to before, in a shop of its own.
async fn happens(history: &History, operator: &Operator, number: u32) -> Result<(), TestCaseError> {
    let shop = Shop::opens(operator, &format!("n{number}"), Status::Pending).await;
    for group in history.told.chunks(history.together) {
        join_all(group.iter().map(|&(told, copy)| tells(&shop, told, copy))).await;
    }
    let told: BTreeSet<Told> = history.told.iter().map(|(told, _)| *told).collect();
    prop_assert_eq!(found(&shop).await, expected(&told));
    operator.finds_no_difference(&[shop.account]).await;
    Ok(())
}

fn whatever_happens_the_book_says_what_the_model_says(cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases, max_shrink_iters: 300, failure_persistence: None, ..Config::default() };
    let (numbers, book) = (Cell::new(0), RefCell::new(None));
    TestRunner::new(config)
        .run(&history(), |history| {
            let number = numbers.replace(numbers.get() + 1);
            runtime.block_on(async {
                let operator = match book.take() {
                    Some(operator) if number % HISTORIES_A_BOOK != 0 => operator,
                    _ => Operator::arrives().await,
                };
                let happened = happens(&history, &operator, number).await;
                book.replace(Some(operator));
                happened
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async { drop(book.take()) });
}

#[test]
fn whatever_part_of_the_world_is_told_in_whatever_order_the_book_says_what_the_model_says() {
    shares_out(ledger::testing::cases(CASES, CASES_FULL), whatever_happens_the_book_says_what_the_model_says);
}
