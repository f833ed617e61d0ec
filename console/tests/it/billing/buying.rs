//! Plans, checkout and customer portal on a pretend Stripe: credits and status change by signed deliveries, and by nothing else.

use metering::Status;
use reqwest::Method;
use serde_json::json;

use crate::house::{Answer, House, Person, Plan};

async fn shop() -> House {
    House::with(Plan { stripe: true, ..Plan::default() }).await
}

/// Where a page of ours leads on to.
fn leads_to(page: &Answer) -> &str {
    assert_eq!(page.status, 200, "{page:?}");
    let (_, rest) = page.text.split_once("<meta http-equiv=\"refresh\" content=\"0; url=").unwrap();
    let (url, _) = rest.split_once('"').unwrap();
    assert!(page.says(&format!("href=\"{url}\">Go on to Stripe</a>")), "{page:?}");
    url
}

/// Chooses a plan, and answers the session that was opened.
async fn choose(house: &House, person: &Person, plan: &str, key: &str) -> String {
    let page = house.form(person, "/billing/checkout", &[("plan", plan), ("key", key)]).await;
    leads_to(&page).rsplit_once('/').unwrap().1.to_owned()
}

/// The page that a browser comes back to, redirects followed.
async fn returned(house: &House, person: &Person, session: &str) -> Answer {
    let first = house.get(person, &format!("/billing?checkout={session}")).await;
    if first.status == 303 { house.get(person, first.location()).await } else { first }
}

#[tokio::test]
async fn a_plan_is_bought_and_its_credits_come_with_the_delivery() {
    let house = shop().await;
    let account = house.account("Ann", Status::Pending, 0).await;
    let owner = house.person(account, "billing_owner");
    let page = house.get(&owner, "/billing").await;
    let wanted =
        ["12 000 shared credits", "99.00 USD per", "25.00 USD once", "14 days free at first, with 100 credits."];
    assert!(wanted.iter().all(|words| page.says(words)), "{page:?}");
    assert!(page.says("There is no customer at Stripe yet; it comes with the first checkout."), "{page:?}");
    house.stripe().order("switches", &json!({ "hold": true })).await;

    let session = choose(&house, &owner, "team", "one").await;
    assert_eq!(choose(&house, &owner, "team", "one").await, session, "pressed twice it is one checkout");
    house.stripe().order(&format!("sessions/{session}/pay"), &json!({})).await;
    let waiting = returned(&house, &owner, &session).await;
    let wanted = [
        "We are waiting for Stripe",
        "name=\"look-again\" content=\"3\"",
        "Look again now</a>",
        "remaining_shown\">0<",
    ];
    assert!(wanted.iter().all(|words| waiting.says(words)), "{waiting:?}");
    let late = house.get(&owner, &format!("/billing?checkout={session}&since=1000")).await;
    assert!(late.says("Refresh this page later") && !late.text.contains("look-again\" content"), "{late:?}");

    house.stripe().order("deliveries/release", &json!({})).await;
    house.stripe().clear("switches").await;
    house.stripe().delivered().await;
    crate::house::wait_until("the credits are granted", async || {
        returned(&house, &owner, &session).await.says("Done: 12 000 credits are there")
    })
    .await;
    let done = returned(&house, &owner, &session).await;
    assert!(!done.text.contains("look-again\" content") && done.says(">Active</span>"), "{done:?}");
    assert!(done.says(">Current plan</button>") && done.says("This account has a subscription already"), "{done:?}");
    let plans = house.get(&owner, "/api/billing/plans").await.json();
    let team = &plans["items"][1];
    assert_eq!(
        (&team["code"], &team["current"], &team["why_not"]["code"]),
        (&"team".into(), &true.into(), &"plan_current".into())
    );
    let again = house.post(&owner, "/api/billing/checkout", &json!({ "plan": "team" })).await;
    assert_eq!(again.problem(), "409 plan_current");

    let portal = house.form(&owner, "/billing/portal", &[]).await;
    assert!(leads_to(&portal).starts_with(&house.stripe().url), "{portal:?}");
    let portal = house.ask(Method::POST, "/api/billing/portal").of(&owner).send().await;
    assert!(portal.json()["url"].as_str().unwrap().starts_with(&house.stripe().url), "{portal:?}");
    let member = house.person(account, "member");
    assert_eq!(house.form(&member, "/billing/portal", &[]).await.refused_page(), "403 role_missing");
}

#[tokio::test]
async fn a_payment_that_fails_and_a_checkout_that_runs_out_are_told() {
    let house = shop().await;
    let account = house.account("Ann", Status::Active, 0).await;
    let owner = house.person(account, "billing_owner");
    let later = choose(&house, &owner, "pack", "later").await;
    house.stripe().order(&format!("sessions/{later}/pay"), &json!({ "later": true })).await;
    house.stripe().delivered().await;
    crate::house::wait_until("the money is on its way", async || {
        returned(&house, &owner, &later).await.says("the payment is on its way")
    })
    .await;
    house.stripe().order(&format!("sessions/{later}/settle"), &json!({ "succeeds": false })).await;
    let over = choose(&house, &owner, "pack", "over").await;
    house.stripe().order(&format!("sessions/{over}/expire"), &json!({})).await;
    house.stripe().delivered().await;
    for (session, says) in [(&later, "The payment failed, so nothing was granted."), (&over, "This checkout ran out")] {
        crate::house::wait_until(says, async || returned(&house, &owner, session).await.says(says)).await;
    }
    assert_eq!(house.book.number("SELECT count(*) FROM lots").await, 0);
}

#[tokio::test]
async fn nobody_is_told_of_the_checkout_of_another_account() {
    let house = shop().await;
    let ann = house.account("Ann", Status::Active, 0).await;
    let bob = house.account("Bob", Status::Active, 0).await;
    let session = choose(&house, &house.person(ann, "billing_owner"), "pack", "k").await;
    let bob = house.person(bob, "billing_owner");
    for asked in [session.as_str(), "cs_nobody", "cs_%00", "x", ""] {
        let page = house.get(&bob, &format!("/billing?checkout={asked}")).await;
        assert_eq!(page.status, 200, "{asked}: {page:?}");
        assert!(!page.text.contains("look-again\" content") && !page.says("confirmation"), "{asked}: {page:?}");
    }
}

#[tokio::test]
async fn a_plan_that_can_not_be_bought_is_refused_with_its_reason() {
    let house = shop().await;
    let owner = house.person(house.account("Ann", Status::Active, 0).await, "billing_owner");
    let suspended = house.person(house.account("Bob", Status::Suspended, 0).await, "billing_owner");
    let member = house.person(owner.account, "member");
    let buy =
        async |person: &Person, plan: &str| house.post(person, "/api/billing/checkout", &json!({ "plan": plan })).await;
    assert_eq!(buy(&owner, "scale").await.problem(), "409 plan_unpriced");
    assert_eq!(buy(&owner, "nothing").await.problem(), "404 plan_unknown");
    assert_eq!(buy(&owner, &"x".repeat(5_000)).await.problem(), "404 not_found");
    assert_eq!(buy(&suspended, "team").await.problem(), "409 account_suspended");
    assert_eq!(buy(&member, "team").await.problem(), "403 role_missing");
    let key = house.ask(Method::POST, "/api/billing/checkout").of(&owner).header("idempotency-key", "a b");
    assert_eq!(key.json(&json!({ "plan": "team" })).send().await.problem(), "422 idempotency_key_unsound");
    let page = house.get(&suspended, "/billing").await;
    assert!(page.says("This account is suspended and can"), "{page:?}");
    let page = house.get(&member, "/billing").await;
    assert!(page.says("An admin or the billing owner of this account can choose a plan."), "{page:?}");
    let unwired = House::start().await;
    let owner = unwired.person(unwired.account("Ann", Status::Active, 0).await, "billing_owner");
    let refused = unwired.post(&owner, "/api/billing/checkout", &json!({ "plan": "team" })).await;
    assert_eq!(refused.problem(), "409 checkout_not_configured");
    assert_eq!(unwired.form(&owner, "/billing/portal", &[]).await.refused_page(), "409 portal_not_configured");
}

#[tokio::test]
async fn a_stripe_that_is_away_is_told_and_nothing_is_opened() {
    let house = shop().await;
    let owner = house.person(house.account("Ann", Status::Active, 0).await, "billing_owner");
    house.stripe().order("outage", &json!({ "answer": "500" })).await;
    let form = house.form(&owner, "/billing/checkout", &[("plan", "team"), ("key", "k")]).await;
    assert_eq!(form.refused_page(), "503 stripe_unavailable");
    assert!(form.says("Nothing was charged"), "{form:?}");
    let api = house.post(&owner, "/api/billing/checkout", &json!({ "plan": "team" })).await;
    assert_eq!((api.problem().as_str(), api.header("retry-after")), ("503 stripe_unavailable", Some("5")));
    house.stripe().clear("outage").await;
    choose(&house, &owner, "team", "k").await;
    assert_eq!(house.book.number("SELECT count(*) FROM stripe_checkouts").await, 1);
}
