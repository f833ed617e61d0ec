//! Checkouts and customers: what does not agree with our own row changes nothing.

use ledger::stripe::{CheckoutEnd, CheckoutOutcome, CheckoutState, Effect, SubscriptionStatus};
use metering::{AccountId, Status};
use uuid::Uuid;

use super::shop::{Shop, at};
use crate::actors::{NOON, Operator, by};

#[tokio::test]
async fn a_checkout_that_does_not_agree_with_ours_is_parked_and_grants_nothing() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let thief = Shop::opens(&operator, "eve", Status::Pending).await;
    shop.opens_checkout(false).await;
    let good = shop.checkout_ended(CheckoutOutcome::Paid);
    let wrong = [
        ("checkout_unknown", CheckoutEnd { session: "cs_other".to_owned(), ..good.clone() }),
        ("account_mismatch", CheckoutEnd { account: Some(thief.account), ..good.clone() }),
        ("account_mismatch", CheckoutEnd { customer: thief.some("cus"), ..good.clone() }),
        ("amount_mismatch", CheckoutEnd { amount: Some(1), ..good.clone() }),
        ("amount_mismatch", CheckoutEnd { amount: None, ..good.clone() }),
        ("currency_mismatch", CheckoutEnd { currency: Some("usd".to_owned()), ..good.clone() }),
        ("currency_mismatch", CheckoutEnd { currency: None, ..good.clone() }),
    ];
    for (number, (code, end)) in wrong.into_iter().enumerate() {
        let pack = Effect::Paid(shop.pack("pi_1", at(2)));
        // The payment comes first, and is rolled back with the rest.
        let event = format!("evt_{number}");
        assert_eq!(shop.refuses(&event, &[pack, Effect::CheckoutEnded(end)]).await, code, "{event}");
    }
    assert!(shop.originals().await.is_empty());
    assert!(thief.originals().await.is_empty());
    assert_eq!(shop.status().await, Status::Pending);
    assert!(shop.mails().await.is_empty());
    let found = operator.db.ledger.checkout(&shop.id("cs")).await.unwrap().unwrap();
    assert_eq!(found.state, CheckoutState::Open);
    shop.takes("evt_good", &[Effect::CheckoutEnded(good), Effect::Paid(shop.pack("pi_1", at(2)))]).await;
    assert_eq!(shop.originals().await, [50]);
}

#[tokio::test]
async fn a_checkout_goes_on_and_never_back_in_whatever_order_it_is_told() {
    let operator = Operator::arrives().await;
    let outcomes =
        [CheckoutOutcome::Expired, CheckoutOutcome::Completed, CheckoutOutcome::Failed, CheckoutOutcome::Paid];
    for (first, one) in outcomes.iter().enumerate() {
        for (second, other) in outcomes.iter().enumerate() {
            let shop = Shop::opens(&operator, &format!("s{first}{second}"), Status::Pending).await;
            shop.opens_checkout(true).await;
            shop.takes("evt_1", &[Effect::CheckoutEnded(shop.checkout_ended(*one))]).await;
            shop.takes("evt_2", &[Effect::CheckoutEnded(shop.checkout_ended(*other))]).await;
            let found = operator.db.ledger.checkouts(shop.account, 10).await.unwrap().remove(0);
            assert_eq!(found.state.as_str(), one.max(other).as_str());
            assert_eq!((found.subscription, found.email.is_some()), (shop.some("sub"), true));
        }
    }
}

#[tokio::test]
async fn a_session_of_nobody_may_run_out_and_may_not_be_paid() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    shop.takes("evt_1", &[Effect::CheckoutEnded(shop.checkout_ended(CheckoutOutcome::Expired))]).await;
    let mut pack = shop.pack("pi_1", at(2));
    pack.session = Some("cs_of_nobody".to_owned());
    assert_eq!(shop.refuses("evt_2", &[Effect::Paid(pack)]).await, "checkout_unknown");
    assert!(shop.originals().await.is_empty());
}

#[tokio::test]
async fn an_event_that_names_an_account_that_is_not_the_customers_or_is_none_is_parked() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let other = Shop::opens(&operator, "bob", Status::Pending).await;
    let nobody = AccountId::from_uuid(Uuid::from_u128(7));
    let mut forged = shop.invoice("in_1", at(1));
    forged.account = Some(other.account);
    assert_eq!(shop.refuses("evt_1", &[Effect::Paid(forged.clone())]).await, "account_mismatch");
    forged.customer = Some("cus_new".to_owned());
    forged.account = Some(nobody);
    forged.subscription = None;
    assert_eq!(shop.refuses("evt_2", &[Effect::Paid(forged.clone())]).await, "account_unknown");
    forged.account = None;
    assert_eq!(shop.refuses("evt_3", &[Effect::Paid(forged)]).await, "account_unknown");
    let mut taken = shop.subscription(SubscriptionStatus::Active, at(1));
    shop.takes("evt_4", &[Effect::SubscriptionSeen(taken.clone())]).await;
    taken.customer = other.some("cus");
    assert_eq!(shop.refuses("evt_5", &[Effect::SubscriptionSeen(taken)]).await, "account_mismatch");
    assert!(shop.originals().await.is_empty() && other.originals().await.is_empty());
    assert_eq!(other.status().await, Status::Pending);
}

#[tokio::test]
async fn what_was_parked_for_an_unknown_customer_waits_again_once_the_customer_is_known() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let stranger = Some("cus_late".to_owned());
    let mut invoice = shop.invoice("in_1", at(1));
    (invoice.customer, invoice.subscription) = (stranger.clone(), Some("sub_late".to_owned()));
    assert_eq!(shop.refuses("evt_1", &[Effect::Paid(invoice.clone())]).await, "account_unknown");
    shop.opens_checkout(true).await;
    let mut end = shop.checkout_ended(CheckoutOutcome::Paid);
    end.customer = stranger;
    shop.takes("evt_2", &[Effect::CheckoutEnded(end)]).await;
    assert_eq!(shop.state_of("evt_1").await, "waiting");
    shop.takes("evt_1", &[Effect::Paid(invoice)]).await;
    assert_eq!((shop.originals().await, shop.status().await), (vec![100], Status::Active));
}

#[tokio::test]
async fn an_account_uses_one_customer_also_when_two_are_made_at_once_and_another_once_it_is_deleted() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let account = operator.account(Status::Pending).await;
    let by = by(NOON);
    let (one, two) = tokio::join!(
        ledger.link_customer(account, "cus_1", None, &by),
        ledger.link_customer(account, "cus_2", None, &by)
    );
    let stands = one.unwrap();
    assert_eq!(stands, two.unwrap(), "both go on with the same");
    assert_eq!(ledger.stripe_customer(account).await.unwrap(), Some(stands.clone()));
    let other = operator.account(Status::Pending).await;
    assert_eq!(ledger.link_customer(other, &stands, None, &by).await.unwrap_err().code(), "invalid");
    assert_eq!(ledger.stripe_customer(other).await.unwrap(), None);

    let gone = Effect::CustomerDeleted { customer: stands.clone(), as_of: at(9) };
    ledger.apply_effects(&[gone], &by).await.unwrap();
    assert_eq!(ledger.stripe_customer(account).await.unwrap(), None);
    assert_eq!(ledger.link_customer(account, "cus_3", None, &by).await.unwrap(), "cus_3");
    let late = Effect::CustomerSeen { customer: stands, account: None, email: None, as_of: at(8) };
    ledger.apply_effects(&[late], &by).await.unwrap();
    assert_eq!(ledger.stripe_customer(account).await.unwrap().as_deref(), Some("cus_3"), "what is gone stays gone");
}

#[tokio::test]
async fn an_older_address_of_a_customer_never_replaces_a_newer_one() {
    let operator = Operator::arrives().await;
    let shop = Shop::opens(&operator, "ada", Status::Pending).await;
    let seen = |email: &str, as_of| Effect::CustomerSeen {
        customer: shop.id("cus"),
        account: Some(shop.account),
        email: Some(email.to_owned()),
        as_of,
    };
    shop.takes("evt_2", &[seen("new@example.com", at(2))]).await;
    shop.takes("evt_1", &[seen("old@example.com", at(1))]).await;
    assert_eq!(operator.db.text("SELECT email FROM stripe_customers").await, "new@example.com");
}
