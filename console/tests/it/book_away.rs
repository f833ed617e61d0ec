//! Postgres is away: pages and API say so, promise nothing, and come back by themselves.

use metering::Status;
use serde_json::json;

use crate::house::{House, Plan, wait_until};

#[tokio::test]
async fn while_the_book_is_away_a_page_says_so_and_when_it_is_back_the_page_is_too() {
    let house = House::with(Plan { wire: true, ..Plan::default() }).await;
    let account = house.account("Ann", Status::Active, 10).await;
    let ann = house.person(account, "billing_owner");
    assert_eq!(house.get(&ann, "/billing").await.status, 200);

    house.wire.as_ref().unwrap().cut();
    let page = house.get(&ann, "/billing").await;
    assert_eq!(
        (page.refused_page().as_str(), page.header("retry-after")),
        ("503 book_unavailable", Some("5")),
        "{page:?}"
    );
    let saved = house.form(&ann, "/billing/budget", &[("limit", "40")]).await;
    assert_eq!(saved.refused_page(), "503 book_unavailable");
    let api = house.put(&ann, "/api/billing/budget", &json!({ "limit": 40 })).await;
    assert_eq!((api.problem().as_str(), api.header("retry-after")), ("503 book_unavailable", Some("5")));
    assert!(!api.text.contains("127.0.0.1") && !api.text.contains("sqlx"), "what broke inside stays inside: {api:?}");
    wait_until("it is not ready", async || house.console.readiness().await.0 == 503).await;
    assert!(house.console.readiness().await.1.contains("the book does not answer"));
    assert_eq!(house.ask(reqwest::Method::GET, "/assets/console.css").send().await.status, 200);

    house.wire.as_ref().unwrap().mend();
    wait_until("the page is back", async || house.get(&ann, "/billing").await.status == 200).await;
    house.console.wait_ready().await;
    let saved = house.form(&ann, "/billing/budget", &[("limit", "40")]).await;
    assert_eq!(saved.location(), "/billing?done=budget_saved");
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_ends_cleanly() {
    let mut house = House::start().await;
    house.console.signal("TERM");
    let ended = house.console.ended().await;
    assert_eq!(ended.code(), Some(0), "{}", house.console.log());
}
