//! An account's status follows from all that was said of its subscriptions and packs, in whatever order.

use ledger::stripe::{Effect, SubscriptionReport, SubscriptionStatus};
use metering::Status;

use super::shop::{Shop, at};
use crate::actors::{Operator, by};

use SubscriptionStatus::{Active, Canceled, Incomplete, PastDue, Paused, Trialing};

#[tokio::test]
async fn a_renewal_that_fails_stops_the_account_and_its_payment_lets_it_go_on() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    shop.takes("evt_2", &[Effect::InvoiceFailed(shop.failed("in_2", at(10)))]).await;
    assert_eq!(shop.status().await, Status::PaymentFailed);
    shop.takes("evt_3", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    assert_eq!(shop.status().await, Status::PaymentFailed, "the old payment told again clears nothing");
    shop.takes("evt_4", &[Effect::Paid(shop.invoice("in_2", at(20)))]).await;
    assert_eq!(shop.status().await, Status::Active);
    shop.takes("evt_5", &[Effect::InvoiceFailed(shop.failed("in_2", at(25)))]).await;
    assert_eq!(shop.status().await, Status::Active, "an invoice that is paid did not fail");
    assert_eq!(shop.mails().await.iter().filter(|kind| **kind == "payment_failed").count(), 1);
}

#[tokio::test]
async fn the_failure_of_a_first_invoice_or_one_that_waits_for_a_confirmation_stops_nothing() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Trial).await;
    let mut failed = shop.failed("in_1", at(10));
    failed.first = true;
    shop.takes("evt_1", &[Effect::InvoiceFailed(failed.clone())]).await;
    (failed.first, failed.action_required) = (false, true);
    shop.takes("evt_2", &[Effect::InvoiceFailed(failed)]).await;
    assert_eq!((shop.status().await, shop.mails().await), (Status::Trial, vec!["action_required"]));
}

#[tokio::test]
async fn late_and_older_reports_end_at_the_same_status_in_every_order() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let seen = |status, second| shop.subscription(status, at(second));
    let was = |status, second, was| SubscriptionReport { was: Some(was), ..seen(status, second) };
    let histories: [(Vec<SubscriptionReport>, Status); 6] = [
        (vec![seen(Incomplete, 1), was(Active, 1, Incomplete), seen(PastDue, 3)], Status::PaymentFailed),
        (vec![seen(Trialing, 1), seen(Active, 2), was(PastDue, 2, Active), was(Active, 3, PastDue)], Status::Active),
        (vec![seen(Active, 1), seen(PastDue, 5), was(Active, 5, PastDue)], Status::Active),
        (vec![seen(Active, 9), seen(Canceled, 8), seen(PastDue, 7)], Status::Pending),
        (vec![seen(Active, 1), seen(Paused, 2), seen(Trialing, 1)], Status::Pending),
        (vec![seen(Active, 1), seen(PastDue, 1)], Status::PaymentFailed),
    ];
    for (number, (reports, status)) in histories.into_iter().enumerate() {
        for (turn, order) in orders(&reports).into_iter().enumerate() {
            let shop = Shop::opens(&operator, &format!("s{number}x{turn}"), Status::Trial).await;
            for (event, report) in order.iter().enumerate() {
                let names = (shop.id("sub"), shop.some("cus"));
                let report = SubscriptionReport { subscription: names.0, customer: names.1, ..report.clone() };
                shop.takes(&format!("evt_{event}"), &[Effect::SubscriptionSeen(report)]).await;
            }
            assert_eq!(shop.status().await, status, "{order:?}");
        }
    }
}

fn orders<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<T>| {
        (0..=order.len()).map(move |place| [&order[..place], std::slice::from_ref(first), &order[place..]].concat())
    };
    orders(rest).into_iter().flat_map(insert).collect()
}

#[tokio::test]
async fn what_an_operator_has_suspended_or_approved_stays_whatever_stripe_says() {
    let operator = Operator::arrives().await;
    for status in [Status::Suspended, Status::Approved] {
        let shop = Shop::opens(&operator, status.as_str(), status).await;
        shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
        shop.takes("evt_2", &[Effect::InvoiceFailed(shop.failed("in_2", at(10)))]).await;
        shop.takes("evt_3", &[Effect::SubscriptionSeen(shop.subscription(Canceled, at(20)))]).await;
        assert_eq!(shop.status().await, status);
        assert_eq!(shop.originals().await, [100], "what was paid is granted");
        assert_eq!(shop.mails().await, ["credits_granted"]);
    }
    // Let in again, the account stands where its facts say.
    let shop = Shop::opens(&operator, "eve", Status::Suspended).await;
    shop.takes("evt_1", &[Effect::InvoiceFailed(shop.failed("in_2", at(10)))]).await;
    operator.db.ledger.set_status(shop.account, Status::Active, &by(at(50))).await.unwrap();
    shop.takes("evt_2", &[Effect::SubscriptionSeen(shop.subscription(PastDue, at(10)))]).await;
    assert_eq!(shop.status().await, Status::PaymentFailed);
}

#[tokio::test]
async fn whoever_buys_a_pack_after_the_plan_has_ended_is_active() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    shop.takes("evt_2", &[Effect::SubscriptionSeen(shop.subscription(Canceled, at(5)))]).await;
    assert_eq!(shop.status().await, Status::Pending);
    shop.takes("evt_3", &[Effect::Paid(shop.pack("pi_1", at(6)))]).await;
    assert_eq!(shop.status().await, Status::Active);
    let names = operator.db.ledger.subscription(&shop.id("sub")).await.unwrap().unwrap();
    assert_eq!((names.status, names.account), (Canceled, shop.account));
    assert_eq!(shop.mails().await, ["credits_granted", "plan_active", "plan_ended", "credits_granted", "plan_active"]);
}

#[tokio::test]
async fn a_subscription_shows_what_its_newest_report_says() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let mut newer = shop.subscription(Active, at(9));
    (newer.cancel_at_period_end, newer.period_end, newer.plan) = (true, Some(at(99)), Some("gold".to_owned()));
    let mut older = shop.subscription(Active, at(8));
    (older.period_end, older.trial_end) = (Some(at(500)), Some(at(3)));
    shop.takes("evt_1", &[Effect::SubscriptionSeen(newer)]).await;
    shop.takes("evt_2", &[Effect::SubscriptionSeen(older)]).await;
    let listed = operator.db.ledger.subscriptions(Some(shop.account), None, 10).await.unwrap();
    let [found] = listed.as_slice() else { panic!("one subscription: {listed:?}") };
    assert_eq!((found.plan.as_deref(), found.period_end, found.as_of), (Some("gold"), Some(at(99)), at(9)));
    assert_eq!((found.cancel_at_period_end, found.trial_end), (true, None));
    let after = operator.db.ledger.subscriptions(None, Some(&found.subscription), 10).await.unwrap();
    assert!(after.is_empty());
}

#[tokio::test]
async fn a_mail_goes_to_the_checkout_then_the_customer_then_the_account_and_its_audit_names_the_event() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::Paid(shop.invoice("in_1", at(1)))]).await;
    shop.opens_checkout(true).await;
    let paid = shop.checkout_ended(ledger::stripe::CheckoutOutcome::Paid);
    shop.takes("evt_2", &[Effect::CheckoutEnded(paid), Effect::Paid(shop.invoice("in_2", at(2)))]).await;
    let nobody = Shop { operator: &operator, account: operator.account(Status::Pending).await, name: "nobody".into() };
    let mut pack = nobody.pack("pi_1", at(3));
    (pack.customer, pack.account) = (None, Some(nobody.account));
    nobody.takes("evt_3", &[Effect::Paid(pack)]).await;
    let mails = operator.db.ledger.queued_mails(0, 100).await.unwrap();
    let granted: Vec<Option<&str>> = mails
        .iter()
        .filter(|mail| mail.kind.as_str() == "credits_granted")
        .map(|mail| mail.address.as_deref())
        .collect();
    assert_eq!(granted, [Some("ada@example.com"), Some("payer-ada@example.com"), None]);
    assert_eq!(operator.db.ledger.queued_mails(mails[0].mail, 100).await.unwrap(), mails[1..]);

    shop.receives("evt_9").await;
    let stored = operator.db.ledger.delivery(&shop.id("evt_9")).await.unwrap().unwrap();
    let by = stored.delivery.by(at(100));
    operator
        .db
        .ledger
        .apply_delivery(&shop.id("evt_9"), &[Effect::Paid(shop.invoice("in_9", at(9)))], &by)
        .await
        .unwrap();
    let audited =
        "SELECT count(*) FROM audit WHERE actor = 'stripe' AND reason = 'evt_9_ada test' AND action = 'lot_granted'";
    assert_eq!(operator.db.number(audited).await, 1);
}
