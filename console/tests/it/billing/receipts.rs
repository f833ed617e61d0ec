//! Receipts: each draw leaves one, it says whether it stands, and nobody reads another account's.

use metering::Status;

use super::{Draws, open_house, wait_recorded};
use crate::house::House;

#[tokio::test]
async fn a_draw_leaves_a_receipt_and_a_give_back_is_told_in_it() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "member");
    let (_, key) = house.key(account, "Production <server>").await;
    house.wait_carried().await;
    let draws = Draws::of(&house).await;
    let stays = draws.draw(account, 30, "chat", None).await;
    let back = draws.draw(account, 5, "messages", Some(key)).await;
    draws.give_back(account, &back).await;
    wait_recorded(&house, "give_back", 1).await;

    let list = house.get(&owner, "/receipts").await;
    let places = ["Production &#60;server&#62;", ">Given back</span>", "Chat session", ">Drawn</span>"];
    let places = places.map(|words| list.text.find(words).unwrap_or_else(|| panic!("{words}: {list:?}")));
    assert!(places.is_sorted(), "the latest first: {places:?}");
    let page = house.get(&owner, &format!("/receipts/{}", stays.0)).await;
    for words in [
        "30 credits</dd>",
        "It stands",
        "<td class=\"number\">100</td><td class=\"number\">30</td><td class=\"number\">70</td>",
    ] {
        assert!(page.says(words), "{words}: {page:?}");
    }
    let page = house.get(&owner, &format!("/receipts/{}", back.0)).await;
    for words in [
        "nothing of it stays drawn",
        "Production &#60;server&#62;",
        "What came after",
        "<td class=\"number\">30</td><td class=\"number\">35</td>",
    ] {
        assert!(page.says(words), "{words}: {page:?}");
    }
    let receipt = house.get(&owner, &format!("/api/billing/receipts/{}", back.0)).await.json();
    assert_eq!(
        (&receipt["credits"], &receipt["kept"], &receipt["state"]),
        (&5.into(), &0.into(), &"given_back".into())
    );
    assert_eq!((&receipt["key"], &receipt["after"][0]["credits"]), (&key.to_string().into(), &5.into()));
    assert_eq!((&receipt["budget"]["used_before"], &receipt["budget"]["used_after"]), (&30.into(), &35.into()));
    assert_eq!(receipt["lots"][0]["drawn"], 5);
}

#[tokio::test]
async fn a_receipt_of_another_account_is_not_there() {
    let house = open_house().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let bob = house.account("Bob", Status::Active, 100).await;
    let (op, _) = Draws::of(&house).await.draw(ann, 1, "chat", None).await;
    wait_recorded(&house, "debit", 1).await;
    let [ann, bob] = [ann, bob].map(|account| house.person(account, "billing_owner"));
    let paths = [format!("/receipts/{op}"), format!("/api/billing/receipts/{op}")];
    assert_eq!(house.get(&ann, &paths[0]).await.status, 200);
    let nobodys = paths[1].replace(&op.to_string(), &super::new_op().to_string());
    let not_there = house.get(&ann, &nobodys).await;
    let others = house.get(&bob, &paths[1]).await;
    assert_eq!((others.problem(), &others.text), (not_there.problem(), &not_there.text), "nothing is learnt by asking");
    assert_eq!(house.get(&bob, &paths[0]).await.refused_page(), "404 not_found");
    assert_eq!(house.get(&bob, "/receipts/x").await.refused_page(), "404 not_found");
    assert_eq!(house.get(&bob, "/api/billing/receipts/x").await.problem(), "404 not_found");
}

#[tokio::test]
async fn receipts_are_read_page_by_page_each_once() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    let pen = Draws::of(&house).await;
    let mut drawn = Vec::new();
    for price in 1..=5 {
        drawn.push(pen.draw(account, price, "chat", None).await.0.to_string());
    }
    wait_recorded(&house, "debit", 5).await;
    drawn.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/billing/receipts?limit=2".to_owned());
    loop {
        let page = house.get(&owner, &path).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["op"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/billing/receipts?limit=2&after={next}");
    }
    assert_eq!(seen, drawn);
    for wrong in ["limit=0", "limit=201", "limit=x", "after=", "after=x", "before=1"] {
        let refused = house.get(&owner, &format!("/api/billing/receipts?{wrong}")).await;
        assert_eq!(refused.problem(), "400 bad_request", "{wrong}");
    }
    assert_eq!(house.get(&owner, "/receipts?after=x").await.refused_page(), "400 bad_request");
    assert_eq!(house.get(&owner, "/api/billing/receipts?limit=200").await.status, 200);
}

#[tokio::test]
async fn a_screen_with_many_receipts_shows_the_latest_and_leads_to_the_others() {
    let house = open_house().await;
    let account = house.account("Ann", Status::Active, 100).await;
    let owner = house.person(account, "billing_owner");
    let rows =
        async |house: &House, path: &str| house.get(&owner, path).await.text.matches("href=\"/receipts/").count();
    let draws = Draws::of(&house).await;
    for _ in 0..11 {
        draws.draw(account, 1, "chat", None).await;
    }
    wait_recorded(&house, "debit", 11).await;
    assert_eq!((rows(&house, "/billing").await, rows(&house, "/receipts").await), (10, 11));
    assert!(house.get(&owner, "/billing").await.says("href=\"/receipts\">All receipts</a>"));
}
