//! Checkout and portal: who may buy what, what Stripe is asked for, and what is left behind when Stripe is away.

use std::sync::Mutex;

use ledger::stripe::{CheckoutState, Effect, SubscriptionReport, SubscriptionStatus};
use metering::{AccountId, Status};
use payments::{CheckoutError, Opened, Stripe, open_checkout, open_portal};
use serde_json::{Value, json};

use crate::desk::{DAY_SECONDS, Desk, NOON, NOON_SECONDS, by};
use crate::pretend::{Answer, Asked, Pretend, error, missing};

async fn buy(
    desk: &Desk,
    stripe: Option<&Stripe>,
    account: AccountId,
    plan: &str,
    key: &str,
) -> Result<Opened, CheckoutError> {
    open_checkout(desk.ledger(), stripe, &desk.plans, account, plan, key, &desk.urls, &by()).await
}

async fn refusal(desk: &Desk, stripe: Option<&Stripe>, account: AccountId, plan: &str) -> &'static str {
    buy(desk, stripe, account, plan, "k").await.expect_err("refused").code()
}

fn session(asked: &Asked, id: &str, amount: u64) -> Value {
    json!({
        "id": id, "status": "open", "mode": asked.form["mode"], "amount_total": amount, "currency": "usd",
        "url": format!("https://checkout.example/{id}"), "expires_at": NOON_SECONDS + DAY_SECONDS,
    })
}

/// Makes customers and sessions as Stripe would, a session for each idempotency key.
async fn selling(amount: u64) -> Pretend {
    let keys: Mutex<Vec<String>> = Mutex::new(Vec::new());
    Pretend::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/v1/customers") => Answer::Json(200, json!({ "id": "cus_1", "object": "customer" })),
        ("POST", "/v1/checkout/sessions") => {
            let key = asked.header("idempotency-key").unwrap().to_owned();
            let mut keys = keys.lock().unwrap();
            let number = keys.iter().position(|known| *known == key).unwrap_or(keys.len());
            if number == keys.len() {
                keys.push(key);
            }
            Answer::Json(200, session(asked, &format!("cs_{number}"), amount))
        }
        ("GET", path) if path.starts_with("/v1/checkout/sessions/") => {
            let id = path.rsplit('/').next().unwrap();
            Answer::Json(200, json!({ "id": id, "status": "open", "url": format!("https://checkout.example/{id}") }))
        }
        ("POST", "/v1/billing_portal/sessions") => {
            Answer::Json(200, json!({ "id": "bps_1", "url": "https://portal.example/1" }))
        }
        ("POST", path) if path.ends_with("/expire") => Answer::Json(200, json!({ "id": "cs_0", "status": "expired" })),
        _ => missing(),
    })
    .await
}

#[tokio::test]
async fn a_pack_is_asked_for_with_its_account_and_stands_in_the_book_before_its_url_is_shown() {
    let (desk, pretend) = (Desk::open().await, selling(2_500).await);
    let account = desk.account(Status::Pending).await;
    let opened = buy(&desk, Some(&pretend.stripe()), account, "pack", "click-1").await.unwrap();
    assert_eq!(opened, Opened { session: "cs_0".into(), url: "https://checkout.example/cs_0".into() });
    let asked = pretend.asked();
    let customer = &asked[0];
    let name = account.to_string();
    assert_eq!(customer.form["metadata[account]"], name);
    assert_eq!((customer.form["email"].as_str(), customer.form["name"].as_str()), ("ada@example.com", "Ada"));
    assert!(customer.header("idempotency-key").unwrap().starts_with(&format!("tollgate-customer-{name}-")));
    let session = &asked[1];
    assert_eq!(session.header("idempotency-key"), Some(format!("tollgate-checkout-{name}-pack-click-1").as_str()));
    assert_eq!(session.header("content-type"), Some("application/x-www-form-urlencoded"));
    for (field, value) in [
        ("mode", "payment"),
        ("customer", "cus_1"),
        ("client_reference_id", &name),
        ("metadata[account]", &name),
        ("metadata[plan]", "pack"),
        ("payment_intent_data[metadata][account]", &name),
        ("line_items[0][price]", "price_tollgate_pack"),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://app.example/ok"),
        ("cancel_url", "https://app.example/no"),
    ] {
        assert_eq!(session.form[field], value, "{field}");
    }
    let row = desk.ledger().checkout("cs_0").await.unwrap().unwrap();
    assert_eq!((row.state, row.checkout.account, row.checkout.amount), (CheckoutState::Open, account, 2_500));
    assert_eq!((row.checkout.plan.as_str(), row.checkout.recurring), ("pack", false));
    assert_eq!(desk.ledger().stripe_customer(account).await.unwrap().as_deref(), Some("cus_1"));
    assert_eq!(desk.status(account).await, Status::Pending, "nothing is granted before the money is there");
}

#[tokio::test]
async fn the_same_key_gives_the_same_session_and_a_customer_is_made_once() {
    let (desk, pretend) = (Desk::open().await, selling(2_500).await);
    let (stripe, account) = (pretend.stripe(), desk.account(Status::Active).await);
    let first = buy(&desk, Some(&stripe), account, "pack", "click-1").await.unwrap();
    assert_eq!(buy(&desk, Some(&stripe), account, "pack", "click-1").await.unwrap(), first);
    assert_eq!(buy(&desk, Some(&stripe), account, "pack", "click-2").await.unwrap().session, "cs_1");
    assert_eq!(pretend.asked().iter().filter(|asked| asked.path == "/v1/customers").count(), 1);
    assert_eq!(desk.ledger().checkouts(account, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_first_subscription_begins_with_its_trial_and_a_later_one_does_not() {
    let (desk, free) = (Desk::open().await, selling(0).await);
    let account = desk.account(Status::Pending).await;
    buy(&desk, Some(&free.stripe()), account, "starter", "k").await.unwrap();
    let asked = free.asked().pop().unwrap();
    assert_eq!(asked.form["subscription_data[trial_period_days]"], "14");
    assert_eq!(asked.form["subscription_data[metadata][account]"], account.to_string());
    let other = desk.account(Status::Pending).await;
    desk.ledger().link_customer(other, "cus_2", None, &by()).await.unwrap();
    desk.applies(&[subscription(other, SubscriptionStatus::Canceled, "starter")]).await;
    let paid = selling(1_900).await;
    buy(&desk, Some(&paid.stripe()), other, "starter", "k").await.unwrap();
    assert!(!paid.asked().pop().unwrap().form.contains_key("subscription_data[trial_period_days]"));
}

fn subscription(account: AccountId, status: SubscriptionStatus, plan: &str) -> Effect {
    Effect::SubscriptionSeen(SubscriptionReport {
        subscription: format!("sub_{account}"),
        customer: None,
        account: Some(account),
        status,
        was: None,
        invoice: None,
        plan: Some(plan.to_owned()),
        period_end: None,
        cancel_at_period_end: false,
        trial_end: None,
        as_of: NOON,
    })
}

#[tokio::test]
async fn two_clicks_on_a_subscription_show_one_session_and_another_plan_closes_it() {
    let (desk, pretend) = (Desk::open().await, selling(9_900).await);
    let (stripe, account) = (pretend.stripe(), desk.account(Status::Pending).await);
    let first = buy(&desk, Some(&stripe), account, "team", "click-1").await.unwrap();
    assert_eq!(buy(&desk, Some(&stripe), account, "team", "click-2").await.unwrap(), first);
    let refused = buy(&desk, Some(&stripe), account, "starter", "click-3").await.unwrap_err();
    assert_eq!(refused.code(), "price_differs", "this Stripe asks 99 dollars for everything");
    let closed: Vec<_> = pretend.asked().into_iter().filter(|asked| asked.path.ends_with("/expire")).collect();
    assert_eq!((closed.len(), closed[0].path.as_str()), (1, "/v1/checkout/sessions/cs_0/expire"));
}

#[tokio::test]
async fn a_session_that_was_just_completed_is_waited_for() {
    let (desk, pretend) = (Desk::open().await, selling(9_900).await);
    let account = desk.account(Status::Pending).await;
    buy(&desk, Some(&pretend.stripe()), account, "team", "click-1").await.unwrap();
    let complete = Pretend::start(|_| Answer::Json(200, json!({ "id": "cs_0", "status": "complete" }))).await;
    assert_eq!(refusal(&desk, Some(&complete.stripe()), account, "team").await, "checkout_completing");
    assert_eq!(refusal(&desk, Some(&complete.stripe()), account, "starter").await, "checkout_completing");
}

#[tokio::test]
async fn who_may_not_buy_is_told_why_and_stripe_is_not_asked() {
    let (desk, pretend) = (Desk::open().await, selling(9_900).await);
    let (stripe, account) = (pretend.stripe(), desk.account(Status::Pending).await);
    assert_eq!(refusal(&desk, Some(&stripe), account, "absent").await, "plan_unknown");
    assert_eq!(refusal(&desk, Some(&stripe), account, "scale").await, "plan_unpriced");
    assert_eq!(refusal(&desk, None, account, "team").await, "checkout_not_configured");
    let nobody = "acct_00000000000000000000000000000009".parse().unwrap();
    assert_eq!(refusal(&desk, Some(&stripe), nobody, "team").await, "account_not_found");
    let suspended = desk.account(Status::Suspended).await;
    assert_eq!(refusal(&desk, Some(&stripe), suspended, "team").await, "account_suspended");
    desk.ledger().link_customer(account, "cus_9", None, &by()).await.unwrap();
    desk.applies(&[subscription(account, SubscriptionStatus::Active, "team")]).await;
    assert_eq!(refusal(&desk, Some(&stripe), account, "team").await, "plan_current");
    assert_eq!(refusal(&desk, Some(&stripe), account, "starter").await, "subscribed_already");
    assert_eq!(pretend.asked().len(), 0);
}

#[tokio::test]
async fn a_price_that_differs_at_stripe_is_never_shown() {
    let desk = Desk::open().await;
    let account = desk.account(Status::Active).await;
    for amount in [2_499, 2_501, 0] {
        let pretend = selling(amount).await;
        assert_eq!(refusal(&desk, Some(&pretend.stripe()), account, "pack").await, "price_differs", "{amount}");
    }
    assert_eq!(desk.ledger().checkouts(account, 10).await.unwrap(), []);
}

#[tokio::test]
async fn while_stripe_is_away_nothing_is_written_and_the_same_call_may_come_again() {
    let desk = Desk::open().await;
    let account = desk.account(Status::Pending).await;
    let away = Pretend::start(|_| error(503, "api_error", "later")).await;
    let refused = buy(&desk, Some(&away.stripe()), account, "pack", "click-1").await.unwrap_err();
    assert_eq!((refused.code(), refused.is_passing()), ("stripe_unavailable", true));
    assert_eq!(desk.ledger().stripe_customer(account).await.unwrap(), None);
    assert_eq!(desk.ledger().checkouts(account, 10).await.unwrap(), []);
    let back = selling(2_500).await;
    let key = |pretend: &Pretend| pretend.asked()[0].header("idempotency-key").unwrap().to_owned();
    buy(&desk, Some(&back.stripe()), account, "pack", "click-1").await.unwrap();
    assert_eq!(key(&away), key(&back), "the customer is asked for under the same key");
}

#[tokio::test]
async fn the_portal_opens_for_those_whom_stripe_knows() {
    let (desk, pretend) = (Desk::open().await, selling(1).await);
    let (stripe, account) = (pretend.stripe(), desk.account(Status::PaymentFailed).await);
    let by = by();
    let open = |stripe| open_portal(desk.ledger(), stripe, account, "https://app.example/billing", &by);
    assert_eq!(open(Some(&stripe)).await.unwrap_err().code(), "customer_missing");
    assert_eq!(open(None).await.unwrap_err().code(), "portal_not_configured");
    desk.ledger().link_customer(account, "cus_7", None, &by).await.unwrap();
    assert_eq!(open(Some(&stripe)).await.unwrap(), "https://portal.example/1");
    let asked = pretend.asked().pop().unwrap();
    assert_eq!(
        (asked.form["customer"].as_str(), asked.form["return_url"].as_str()),
        ("cus_7", "https://app.example/billing")
    );
    let away = Pretend::start(|_| error(500, "api_error", "later")).await;
    let refused = open(Some(&away.stripe())).await.unwrap_err();
    assert_eq!((refused.code(), refused.is_passing()), ("stripe_unavailable", true));
}
