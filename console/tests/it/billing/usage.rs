//! Usage by day, key and route, and the forecast that follows from it.

use metering::Status;

use super::{Draws, open_house};
use crate::house::{House, wait_until};

#[tokio::test]
async fn what_was_used_is_shown_by_day_by_key_and_by_route() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 1_000).await;
    let owner = house.person(account, "member");
    let (_, key) = house.key(account, "Production").await;
    house.wait_carried().await;
    let draws = Draws::of(&house).await;
    draws.draw(account, 30, "chat", None).await;
    draws.draw(account, 12, "messages", Some(key)).await;
    let back = draws.draw(account, 100, "messages", Some(key)).await;
    draws.give_back(account, &back).await;
    super::wait_recorded(&house, "give_back", 1).await;
    wait_until("usage has followed", async || house.get(&owner, "/api/billing/usage").await.json()["credits"] == 42)
        .await;
    let usage = house.get(&owner, "/api/billing/usage").await.json();
    let days = usage["days"].as_array().unwrap();
    assert_eq!((&days.last().unwrap()["credits"], &days.last().unwrap()["calls"]), (&42.into(), &2.into()), "{usage}");
    assert_eq!((&usage["keys"][0]["key"], &usage["keys"][0]["credits"]), (&serde_json::Value::Null, &30.into()));
    assert_eq!((&usage["keys"][1]["name"], &usage["keys"][1]["credits"]), (&"Production".into(), &12.into()));
    assert_eq!((&usage["routes"][0]["route"], &usage["routes"][1]["route"]), (&"chat".into(), &"messages".into()));
    for path in ["/billing", "/billing?usage=30-days", "/billing?usage=nothing"] {
        let page = house.get(&owner, path).await;
        let wanted = ["42 credits from", "<rect class=\"bar\"", "Chat (signed-in sessions)", "Production", "71 %"];
        assert!(wanted.iter().all(|words| page.says(words)), "{path}: {page:?}");
    }
    let summary = house.get(&owner, "/api/billing").await.json();
    assert_eq!(summary["used"], 42, "with no budget set, too");
}

#[tokio::test]
async fn a_span_of_days_has_a_beginning_an_end_and_a_length() {
    let house = House::start().await;
    let owner = house.person(house.account("Ann", Status::Active, 1).await, "member");
    let asked = async |query: &str| house.get(&owner, &format!("/api/billing/usage?{query}")).await;
    let one = asked("from=2026-02-28&until=2026-03-01").await.json();
    assert_eq!(one["days"].as_array().unwrap().len(), 1);
    assert_eq!(asked("from=2025-01-01&until=2026-02-05").await.json()["days"].as_array().unwrap().len(), 400);
    for wrong in [
        "from=2025-01-01&until=2026-02-06",
        "from=2026-03-01&until=2026-03-01",
        "from=2026-03-02&until=2026-03-01",
        "from=2026-02-30",
        "from=yesterday",
        "until=1970-01-01",
        "from=9999-01-01",
        "since=2026-01-01",
    ] {
        assert_eq!(asked(wrong).await.problem(), "400 bad_request", "{wrong}");
    }
}

#[tokio::test]
async fn the_forecast_goes_on_as_the_last_full_days_were() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 0).await;
    let owner = house.person(account, "member");
    let none = house.get(&owner, "/api/billing/forecast").await.json();
    assert_eq!((&none["pace_days"], &none["last_until"]), (&0.into(), &serde_json::Value::Null));
    let ten_days = 10 * 86_400_000;
    let wasted = house.grant(account, 1_000, "Wasted", ten_days).await;
    house.grant(account, 50, "Used", 4 * ten_days).await;
    house.book.execute("UPDATE accounts SET created_at = now() - interval '90 days'").await.unwrap();
    let used = "INSERT INTO usage_days SELECT account_id, (now() AT TIME ZONE 'UTC')::date - day, NULL, 'chat', 10, 10 \
                FROM accounts, generate_series(1, 14) AS day";
    house.book.execute(used).await.unwrap();
    let forecast = house.get(&owner, "/api/billing/forecast").await.json();
    assert_eq!((&forecast["pace_credits"], &forecast["pace_days"]), (&140.into(), &14.into()));
    assert_eq!(forecast["unused"][0]["lot"], wasted.to_string());
    let left = forecast["unused"][0]["credits"].as_u64().unwrap();
    assert!((900..=901).contains(&left), "ten a day for ten days: {forecast}");
    let page = house.get(&owner, "/billing").await;
    assert!(page.says("At this pace credits last until") && page.says("of Wasted (<code>"), "{page:?}");
    assert!(page.says("140 credits were used in the last 14 full days."), "{page:?}");
}
