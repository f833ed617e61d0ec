//! Every order of a first payment's deliveries, each told more than once and all at once: one grant, the right status.

use futures::future::join_all;
use ledger::stripe::{CheckoutOutcome, Effect, Outcome, SubscriptionReport, SubscriptionStatus};
use metering::Status;

use super::shop::{Shop, at};
use crate::actors::{Operator, by};

fn first_payment(shop: &Shop<'_>) -> [Vec<Effect>; 3] {
    let active = SubscriptionReport {
        was: Some(SubscriptionStatus::Incomplete),
        ..shop.subscription(SubscriptionStatus::Active, at(2))
    };
    [
        vec![Effect::CheckoutEnded(shop.checkout_ended(CheckoutOutcome::Paid))],
        vec![Effect::Paid(shop.invoice("in_1", at(2))), shop.linked("in_1")],
        vec![Effect::SubscriptionSeen(active)],
    ]
}

async fn has_one_grant(shop: &Shop<'_>, told: &str) {
    assert_eq!(shop.originals().await, [100], "{told}");
    assert_eq!(shop.status().await, Status::Active, "{told}");
    let mut mails = shop.mails().await;
    mails.sort_unstable();
    assert_eq!(mails, ["credits_granted", "plan_active"], "{told}");
    let state = shop.operator.db.ledger.checkout(&shop.id("cs")).await.unwrap().unwrap().state;
    assert_eq!(state.as_str(), "paid", "{told}");
}

#[tokio::test]
async fn every_order_with_duplicates_ends_in_one_grant() {
    let operator = Operator::arrives().await;
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (number, order) in orders.into_iter().enumerate() {
        for repeated in 0..3 {
            let shop = Shop::opens(&operator, &format!("o{number}x{repeated}"), Status::Pending).await;
            shop.opens_checkout(true).await;
            let deliveries = first_payment(&shop);
            let told = format!("{order:?}, {repeated} again");
            for place in order {
                shop.takes(&format!("evt_{place}"), &deliveries[place]).await;
                // The same event again, and the same content under another event.
                let again = shop.hears(&format!("evt_{place}"), &deliveries[place]).await;
                assert_eq!(again, Outcome::Already, "{told}");
                shop.takes(&format!("evt_{place}_again"), &deliveries[repeated]).await;
            }
            has_one_grant(&shop, &told).await;
        }
    }
}

#[tokio::test]
async fn all_at_once_many_times_over_ends_in_one_grant() {
    let operator = Operator::arrives().await;
    for round in 0..12 {
        let shop = Shop::opens(&operator, &format!("r{round}"), Status::Pending).await;
        shop.opens_checkout(true).await;
        let deliveries = first_payment(&shop);
        let told = (0..9).map(|number| {
            let (shop, effects) = (&shop, &deliveries[(number + round) % 3]);
            let event = format!("evt_{}", number % 5);
            async move {
                let outcome = shop.hears(&event, effects).await;
                assert!(matches!(outcome, Outcome::Applied(_) | Outcome::Already), "{outcome:?}");
            }
        });
        join_all(told).await;
        for (number, effects) in deliveries.iter().enumerate() {
            shop.takes(&format!("evt_last_{number}"), effects).await;
        }
        has_one_grant(&shop, &format!("round {round}")).await;
    }
}

#[tokio::test]
async fn one_event_that_several_workers_apply_at_once_is_applied_by_one() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.receives("evt_1").await;
    let effects = [Effect::Paid(shop.invoice("in_1", at(1)))];
    let (event, by) = (shop.id("evt_1"), by(at(60)));
    let told = join_all((0..8).map(|_| operator.db.ledger.apply_delivery(&event, &effects, &by))).await;
    let applied = told.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Applied(_)))).count();
    let already = told.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Already))).count();
    assert_eq!((applied, already), (1, 7), "{told:?}");
}

#[tokio::test]
async fn a_refund_and_its_payment_at_once_end_in_one_clawback_also_when_only_a_link_joins_them() {
    let operator = Operator::arrives().await;
    for round in 0..20 {
        let shop = Shop::opens(&operator, &format!("r{round}"), Status::Pending).await;
        let (refund, dispute) = ([shop.refund("in_1", 1_000)], [shop.dispute("in_1")]);
        let (paid, linked) = ([Effect::Paid(shop.invoice("in_1", at(1)))], [shop.linked("in_1")]);
        tokio::join!(
            shop.hears("evt_1", &refund),
            shop.hears("evt_2", &paid),
            shop.hears("evt_3", &linked),
            shop.hears("evt_4", &dispute),
        );
        assert_eq!(shop.clawed("in_1").await.0, 100, "round {round}");
        for event in ["evt_1", "evt_2", "evt_3", "evt_4"] {
            assert_eq!(shop.state_of(event).await, "applied", "round {round}, {event}");
        }
    }
    let asked = "SELECT sum((payload ->> 'credits')::bigint)::bigint FROM outbox WHERE kind = 'lot_reduced'";
    assert_eq!(operator.db.number(asked).await, 20 * 100);
}

#[tokio::test]
async fn deliveries_of_several_accounts_in_any_order_of_locking_never_stand_in_each_others_way() {
    let operator = Operator::arrives().await;
    let (ada, bob) =
        (Shop::opens(&operator, "ada", Status::Pending).await, Shop::opens(&operator, "bob", Status::Pending).await);
    let both = |first: &Shop<'_>, second: &Shop<'_>, number: u64| {
        let paid = |shop: &Shop<'_>| Effect::Paid(shop.invoice(&format!("in_{number}"), at(number)));
        vec![paid(first), paid(second)]
    };
    for numbers in (1..25).collect::<Vec<u64>>().chunks(4) {
        let told = numbers.iter().map(|&number| {
            let (first, second) = if number % 2 == 0 { (&ada, &bob) } else { (&bob, &ada) };
            let effects = both(first, second, number);
            async move { first.takes(&format!("evt_{number}"), &effects).await }
        });
        join_all(told).await;
    }
    assert_eq!((ada.originals().await.len(), bob.originals().await.len()), (24, 24));
}
