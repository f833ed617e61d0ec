//! Payments: each grants once, whoever reports it; changes of plan grant the difference; what can't be granted is parked, not lost.

use ledger::stripe::{CheckoutOutcome, Done, Effect, Outcome, Payment, SubscriptionStatus};
use metering::{Credits, Status};

use super::shop::{Shop, at};
use crate::actors::{DAY, NOON, Operator, by, credits};

#[tokio::test]
async fn a_payment_grants_one_lot_that_lives_as_long_as_it_pays_for_and_is_told_once() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let paid = [Effect::Paid(shop.invoice("in_1", at(1)))];
    let Outcome::Applied(done) = shop.hears("evt_1", &paid).await else { panic!("it is to be applied") };
    let view = operator.sees(shop.account).await;
    let lot = &view.lots[0];
    assert_eq!((lot.original.get(), lot.granted_at, lot.expires_at), (100, at(1), at(1).plus_ms(30 * DAY)));
    assert!(matches!(&done[0], Done::Granted { lot: granted, .. } if *granted == lot.lot), "{done:?}");
    assert_eq!(shop.mails().await, ["credits_granted", "plan_active"]);
    assert_eq!(operator.db.number("SELECT count(*) FROM outbox WHERE kind = 'lot_granted'").await, 1);
    operator.finds_no_difference(&[shop.account]).await;
    assert_eq!(shop.hears("evt_1", &paid).await, Outcome::Already);
    shop.takes("evt_2", &paid).await;
    assert_eq!(shop.originals().await, [100]);
    assert_eq!(shop.mails().await.len(), 2);
}

#[tokio::test]
async fn a_replay_is_harmless_and_remembers_whom_it_is_about() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.opens_checkout(true).await;
    let said = [
        Effect::CheckoutEnded(shop.checkout_ended(CheckoutOutcome::Paid)),
        Effect::Paid(shop.invoice("in_1", at(1))),
        shop.linked("in_1"),
        Effect::SubscriptionSeen(shop.subscription(SubscriptionStatus::Active, at(1))),
        shop.refund("in_1", 500),
    ];
    shop.takes("evt_1", &said).await;
    let versions = operator.sees(shop.account).await.control_version;
    let (mails, asked) = (shop.mails().await, shop.clawed("in_1").await);
    for _ in 0..2 {
        operator.db.ledger.replay_delivery(&shop.id("evt_1"), &by(at(60))).await.unwrap();
        shop.takes("evt_1", &said).await;
    }
    let view = operator.sees(shop.account).await;
    assert_eq!((view.control_version, view.status), (versions, Status::Active));
    assert_eq!((shop.mails().await, shop.clawed("in_1").await), (mails, asked));
    let found = operator.db.ledger.delivery(&shop.id("evt_1")).await.unwrap().unwrap();
    assert_eq!(found.account, Some(shop.account));
}

#[tokio::test]
async fn a_payment_under_its_intent_and_under_its_invoice_is_one_payment() {
    let operator = Operator::arrives().await;
    for (name, link_first) in [("ada", true), ("bob", false)] {
        let shop = Shop::opens(&operator, name, Status::Pending).await;
        let mut by_intent = shop.pack("pi_in_1", at(1));
        by_intent.payment_intent = Some(by_intent.payment.clone());
        let mut by_invoice = shop.pack("in_1", at(1));
        if link_first {
            shop.takes("evt_0", &[shop.linked("in_1")]).await;
        } else {
            by_invoice.payment_intent = by_intent.payment_intent.clone();
        }
        shop.takes("evt_1", &[Effect::Paid(by_intent)]).await;
        shop.takes("evt_2", &[Effect::Paid(by_invoice)]).await;
        assert_eq!(shop.originals().await, [50], "{name}");
    }
}

#[tokio::test]
async fn two_payments_that_turn_out_to_be_one_are_parked_for_an_operator() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.pack("pi_in_1", at(1)))]).await;
    shop.takes("evt_2", &[Effect::Paid(shop.pack("in_1", at(1)))]).await;
    assert_eq!(shop.refuses("evt_3", &[shop.linked("in_1")]).await, "paid_twice");
}

#[tokio::test]
async fn a_change_of_plan_grants_what_the_new_plan_is_above_the_old_for_the_same_period() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let end = at(1).plus_ms(30 * DAY);
    let change = |invoice: &str, second, allowance| {
        let whole = shop.invoice(invoice, at(second));
        Payment { prorated: true, credits: credits(allowance), period_end: Some(end), expires_at: end, ..whole }
    };
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    shop.takes("evt_2", &[Effect::Paid(change("in_2", 5, 300))]).await;
    assert_eq!(shop.originals().await, [100, 200]);
    shop.takes("evt_3", &[Effect::Paid(change("in_3", 6, 40))]).await;
    shop.takes("evt_4", &[Effect::Paid(change("in_4", 7, 350))]).await;
    assert_eq!(shop.originals().await, [100, 200, 50], "down grants nothing, up again the rest");
    shop.takes("evt_5", &[Effect::Paid(shop.invoice("in_5", at(20)))]).await;
    assert_eq!(shop.originals().await, [100, 200, 50, 100], "another period begins anew");

    let late = Shop::opens(&operator, "bob", Status::Pending).await;
    let mut first = change("in_2", 5, 300);
    first = Payment { payment: late.id("in_2"), subscription: late.some("sub"), customer: late.some("cus"), ..first };
    late.takes("evt_2", &[Effect::Paid(first.clone())]).await;
    late.takes("evt_1", &[Effect::Paid(late.invoice("in_1", at(1)))]).await;
    assert_eq!(late.originals().await, [300], "the same in sum, whatever comes first");
    first.period_end = None;
    first.payment = late.id("in_6");
    assert_eq!(late.refuses("evt_6", &[Effect::Paid(first)]).await, "invalid");
}

#[tokio::test]
async fn a_trial_of_nothing_is_recorded_and_says_nothing_of_being_active() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let trial = Payment { amount: 0, credits: Credits::ZERO, ..shop.invoice("in_1", at(1)) };
    shop.takes("evt_1", &[Effect::Paid(trial)]).await;
    assert_eq!(shop.status().await, Status::Pending);
    shop.takes("evt_2", &[Effect::SubscriptionSeen(shop.subscription(SubscriptionStatus::Trialing, at(1)))]).await;
    assert_eq!((shop.status().await, shop.originals().await), (Status::Trial, vec![]));
    let ends = Effect::TrialEnding { subscription: shop.id("sub"), at: at(90) };
    shop.takes("evt_3", &[ends]).await;
    assert_eq!(shop.mails().await, ["trial_started", "trial_ending"]);
}

#[tokio::test]
async fn what_is_paid_for_an_account_that_is_full_waits_until_there_is_room() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let lots = "INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version) \
                SELECT account_id, shard, 'many', 1, 1, '2026-01-01', '2027-01-01', 1 FROM accounts, generate_series(1, 1000)";
    operator.db.execute(lots).await.unwrap();
    let paid = [Effect::Paid(shop.invoice("in_1", at(1)))];
    assert_eq!(shop.refuses("evt_1", &paid).await, "too_many_lots");
    assert_eq!(shop.status().await, Status::Pending, "nothing of it is in the book");
    operator.db.execute("UPDATE lots SET remaining = 0 WHERE lot_id = (SELECT min(lot_id) FROM lots)").await.unwrap();
    operator.db.ledger.replay_delivery(&shop.id("evt_1"), &by(at(200))).await.unwrap();
    shop.takes("evt_1", &paid).await;
    assert_eq!((shop.originals().await.len(), shop.status().await), (1_001, Status::Active));
}

#[tokio::test]
async fn what_has_expired_when_it_arrives_is_parked() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let paid = [Effect::Paid(shop.invoice("in_1", at(1)))];
    let end = at(1).plus_ms(30 * DAY);
    let late = shop.hears_at("evt_1", &paid, end).await;
    assert!(matches!(&late, Outcome::Parked(why) if why.code == "expired_on_arrival"), "{late:?}");
    let in_time = shop.hears_at("evt_2", &paid, end.minus_ms(1)).await;
    assert!(matches!(in_time, Outcome::Applied(_)));
}

#[tokio::test]
async fn a_clock_of_stripe_that_is_ahead_grants_from_now_on() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.hears_at("evt_1", &[Effect::Paid(shop.invoice("in_1", at(70)))], at(60)).await;
    assert_eq!(operator.sees(shop.account).await.lots[0].granted_at, at(60));
}

#[tokio::test]
async fn values_that_the_book_refuses_park_the_delivery_and_leave_nothing() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let invoice = || shop.invoice("in_1", at(1));
    let bad = [
        Payment { product: String::new(), ..invoice() },
        Payment { amount: u64::MAX, ..invoice() },
        Payment { payment: "x".repeat(256), ..invoice() },
        Payment { charge: Some("a\0b".to_owned()), ..invoice() },
        Payment { plan: "p".repeat(300), ..invoice() },
        Payment { currency: "\0".to_owned(), ..invoice() },
    ];
    for (number, payment) in bad.into_iter().enumerate() {
        let event = format!("evt_{number}");
        assert_eq!(shop.refuses(&event, &[Effect::Paid(payment)]).await, "invalid", "{event}");
    }
    assert!(shop.originals().await.is_empty());
    assert_eq!(operator.db.number("SELECT count(*) FROM stripe_payments").await, 0);
}

#[tokio::test]
async fn a_look_at_stripe_grants_through_the_same_rules_without_a_delivery() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let ledger = &operator.db.ledger;
    let paid = [Effect::Paid(shop.invoice("in_1", at(1)))];
    let found = ledger.apply_effects(&paid, &by(at(60))).await.unwrap();
    assert!(matches!(found, Outcome::Applied(_)));
    shop.takes("evt_1", &paid).await;
    assert_eq!(shop.originals().await, [100]);
    let refund = ledger.apply_effects(&[shop.refund("in_2", 1)], &by(at(60))).await.unwrap();
    assert!(matches!(&refund, Outcome::Parked(why) if why.code == "payment_unknown"), "{refund:?}");
    assert_eq!(ledger.unsettled_reversals(10).await.unwrap().len(), 1, "the fact is kept");
    let page = ledger.payments(NOON, None, 10).await.unwrap();
    assert_eq!(page.len(), 1);
    assert!(ledger.payments(NOON, Some(&page[0].cursor()), 10).await.unwrap().is_empty());
    assert_eq!(ledger.payments_of(shop.account, 10).await.unwrap(), page);
}
