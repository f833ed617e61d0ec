//! What the screen says: of an account with nothing, of each status, of what is very long or very large, and without live state.

use metering::{Credits, Status};

use super::{Draws, open_house};
use crate::house::{House, wait_until};

const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn an_account_with_nothing_is_told_what_there_is_and_what_is_missing() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Trial, 0).await;
    let page = house.get(&house.person(account, "billing_owner"), "/billing").await;
    assert_eq!(page.status, 200, "{page:?}");
    for words in [
        "<h1>Billing</h1>",
        "Chat and API share the same credit pool.",
        "← Back to chat</a>",
        ">Chat</a></li>",
        "<dt>Remaining</dt><dd data-value=\"remaining_shown\">0</dd>",
        "<dt>Used (this period)</dt><dd data-value=\"used_shown\">0</dd>",
        ">Trial</span>",
        "Monthly budget controls",
        "<dt>Budget limit</dt><dd>No cap</dd>",
        "Budget controls appear after the account is approved.",
        "There are no credits left.",
        "Checkout is not configured here.",
        "This plan has no price yet.",
        "The customer portal is not configured here: no key of Stripe is set.",
        "There are no lots to draw from.",
        "There is no pace yet",
        "Nothing was used from",
        "Nothing was drawn yet.",
        "Not verified yet",
    ] {
        assert!(page.says(words), "{words}: {page:?}");
    }
    let presets: Vec<&str> = page.text.match_indices("aria-pressed=").map(|(at, _)| &page.text[at..]).collect();
    let names = presets.iter().map(|rest| rest.split_once('>').unwrap().1.split_once('<').unwrap().0);
    assert_eq!(names.collect::<Vec<_>>(), ["No cap", "40 credits", "80 credits", "200 credits", "800 credits"]);
    assert_eq!(
        page.text.matches("disabled aria-describedby=\"budget-off\">").count(),
        7,
        "presets, their set, and the button"
    );
}

#[tokio::test]
async fn each_status_that_refuses_is_shown_with_its_way_out() {
    let house = House::start().await;
    for (status, says) in [
        (Status::PaymentFailed, "The last payment failed."),
        (Status::Suspended, "This account is suspended."),
        (Status::Pending, "This account is not active yet."),
    ] {
        let account = house.account("Ann", status, 50).await;
        let page = house.get(&house.person(account, "billing_owner"), "/billing").await;
        let wanted = [says, "and draw no credits.", "href=\"https://support.example/\"", "remaining_shown\">50<"];
        assert!(wanted.iter().all(|words| page.says(words)), "{status}: {page:?}");
    }
    for status in [Status::Trial, Status::Active, Status::Approved] {
        let account = house.account("Ann", status, 50).await;
        let page = house.get(&house.person(account, "member"), "/billing").await;
        assert!(!page.text.contains("class=\"banner"), "{status}: {page:?}");
    }
}

#[tokio::test]
async fn what_is_very_long_or_very_large_or_looks_like_markup_is_shown_as_it_is() {
    let house = House::start().await;
    let name = "ü".repeat(200);
    let account = house.account(&name, Status::Active, 0).await;
    house.grant(account, Credits::MAX.get(), &"x".repeat(200), 900 * DAY_MS).await;
    let owner = house.person_called(account, "<i>@example.org", &["billing_owner"]);
    let page = house.get(&owner, "/billing").await;
    assert!(page.says("remaining_shown\">9 007 199 254 740 991<"), "{page:?}");
    assert!(
        page.says(&"x".repeat(200)) && page.says("&#60;i&#62;@example.org") && !page.text.contains("<i>"),
        "{page:?}"
    );
    let summary = house.get(&owner, "/api/billing").await.json();
    assert_eq!((&summary["remaining"], &summary["name"]), (&Credits::MAX.get().into(), &name.into()));
    let lots = house.get(&owner, "/api/billing/lots").await.json();
    assert_eq!(lots["items"][0]["original"], Credits::MAX.get());
}

#[tokio::test]
async fn what_was_drawn_is_gone_at_once_and_without_live_state_the_book_is_shown_and_named() {
    let mut house = open_house().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    let draws = Draws::of(&house).await;
    draws.draw(account, 7, "chat", None).await;
    let page = house.get(&owner, "/billing").await;
    assert!(page.says("remaining_shown\">93<") && page.says("used_shown\">7<"), "{page:?}");
    assert!(page.says("source_shown\"></p>"), "{page:?}");
    let lots = house.get(&owner, "/api/billing/lots").await.json();
    assert_eq!((&lots["items"][0]["remaining"], &lots["items"][0]["state"]), (&93.into(), &"live".into()));
    super::wait_recorded(&house, "debit", 1).await;
    house.redis.kill();
    let page = house.get(&owner, "/billing").await;
    assert!(page.says("remaining_shown\">93<") && page.says("As of the book:"), "{page:?}");
    let summary = house.get(&owner, "/api/billing").await.json();
    assert_eq!((&summary["remaining"], &summary["source"]), (&93.into(), &"book".into()));
}

#[tokio::test]
async fn lots_stand_in_burn_order_and_those_that_are_over_are_folded_away() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 0).await;
    house.grant(account, 10, "Second", 20 * DAY_MS).await;
    house.grant(account, 20, "First", DAY_MS).await;
    house.grant(account, 30, "Short", 1).await;
    let owner = house.person(account, "member");
    wait_until("the shortest lot is over", async || {
        house.get(&owner, "/billing").await.says("Expired and used up (1)")
    })
    .await;
    let page = house.get(&owner, "/billing").await;
    let places = ["First<br>", "Second<br>", "Expired and used up (1)", "Short <span class=\"badge\">Expired</span>"]
        .map(|words| page.text.find(words).unwrap_or_else(|| panic!("{words}: {page:?}")));
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.says("Lots and their expiry are managed by operators."), "{page:?}");
    let first = house.get(&owner, "/api/billing/lots?limit=1").await.json();
    let next = first["next"].as_str().unwrap();
    let rest = house.get(&owner, &format!("/api/billing/lots?limit=2&after={next}")).await.json();
    let named = |list: &serde_json::Value| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lot| lot["product"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!([named(&first), named(&rest)].concat(), ["Short", "First", "Second"]);
    assert_eq!(rest["next"], serde_json::Value::Null);
    let wrong = house.get(&owner, "/api/billing/lots?after=lot_0").await;
    assert_eq!(wrong.problem(), "400 bad_request");
}

#[tokio::test]
async fn an_account_that_was_found_true_says_up_to_where() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    Draws::of(&house).await.draw(account, 1, "chat", None).await;
    wait_until("the account is verified", async || {
        let page = house.get(&owner, "/billing").await;
        page.says("Verified to #") && page.says(" ago</time>, difference 0.")
    })
    .await;
    let summary = house.get(&owner, "/api/billing").await.json();
    assert!(summary["verified"]["seq"].as_u64().is_some() && summary["verified"]["difference"] == 0, "{summary}");
}
