//! How accounts are found, and what is seen of one: nothing yet, very long, very much.

use ledger::{ActivityKind, NewAccount};
use metering::{BudgetAnchor, Status};
use serde_json::json;

use super::{Steps, WHY, operator};
use crate::house::{House, by, encoded};

#[tokio::test]
async fn an_account_is_found_by_whatever_is_known_of_it() {
    let house = House::start().await;
    let ann = house.account("Ann Lovelace & Söhne", Status::Active, 100).await;
    house.account("Bob", Status::Suspended, 0).await;
    let (key, id) = house.key(ann, "laptop").await;
    let now = house.now().await;
    house.book.ledger.link_customer(ann, "cus_ann", None, &by(now)).await.unwrap();
    let olga = operator(&house).await;
    let link = format!("href=\"/operator/accounts/{ann}\"");
    for known in ["lovel", "söhne", "Ann", &ann.to_string(), &id.to_string(), &key[..12], "cus_ann", "ann-lovelace"] {
        let page = house.get(&olga, &format!("/operator?q={}", encoded(known))).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.says(&link) && !page.says(">Bob<"), "{known}: {page:?}");
        let api = house.get(&olga, &format!("/api/operator/accounts?q={}", encoded(known))).await.json();
        assert_eq!(api["items"][0]["account"], ann.to_string(), "{known}");
    }
    for nothing in ["nobody", "%", "<script>alert(1)</script>", "_"] {
        let page = house.get(&olga, &format!("/operator?q={}", encoded(nothing))).await;
        assert!(page.says("No account has this.") && !page.text.contains("<script>alert"), "{nothing}: {page:?}");
    }
    let empty = house.get(&olga, "/operator").await;
    assert!(!empty.says("No account has this."), "{empty:?}");
    let long = house.get(&olga, &format!("/operator?q={}", "x".repeat(500))).await;
    assert_eq!(long.refused_page(), "422 invalid");
}

#[tokio::test]
async fn many_accounts_of_one_name_are_leafed_through() {
    let house = House::start().await;
    for _ in 0..53 {
        house.account("Twin", Status::Active, 0).await;
    }
    let olga = operator(&house).await;
    let first = house.get(&olga, "/operator?q=twin").await;
    assert_eq!(first.text.matches("href=\"/operator/accounts/").count(), 50);
    let next =
        first.text.split_once("rel=\"next\" href=\"").unwrap().1.split_once('"').unwrap().0.replace("&#38;", "&");
    let second = house.get(&olga, &next).await;
    assert_eq!(second.text.matches("href=\"/operator/accounts/").count(), 3, "{second:?}");
    assert!(second.says("First page") && !second.says("Next page"));
}

#[tokio::test]
async fn an_account_with_nothing_yet_and_one_with_a_hostile_name_are_shown() {
    let house = House::start().await;
    let olga = operator(&house).await;
    let new = NewAccount {
        name: format!("<script>alert(1)</script>{}", "W".repeat(170)),
        email: None,
        status: Status::Pending,
        anchor: BudgetAnchor::FIRST,
    };
    let now = house.now().await;
    let odd = house.book.ledger.create_account(&new, &by(now)).await.unwrap();
    let page = house.get(&olga, &format!("/operator/accounts/{odd}")).await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<script>alert"), "{page:?}");
    for empty in [
        "There are no lots to draw from.",
        "It has no keys.",
        "Nothing was drawn yet.",
        "No mail was queued for it.",
        "Stripe has delivered nothing about it.",
        "Not verified yet.",
        "nobody: the account has no address",
    ] {
        assert!(page.says(empty), "{empty}: {page:?}");
    }
    house.grant(odd, 9_007_199_254_740_991, "All", 86_400_000).await;
    let rich = house.get(&olga, &format!("/operator/accounts/{odd}")).await;
    assert!(rich.says("9 007 199 254 740 991"), "{rich:?}");
    let nobody = "/operator/accounts/acct_00000000000000000000000000000001";
    assert_eq!(house.get(&olga, nobody).await.refused_page(), "404 account_not_found");
    assert_eq!(house.get(&olga, "/operator/accounts/nonsense").await.refused_page(), "404 not_found");
}

#[tokio::test]
async fn the_audit_of_all_accounts_is_narrowed_by_kind_account_and_days() {
    let house = House::start().await;
    let (ann, bob) = (house.account("Ann", Status::Active, 100).await, house.account("Bob", Status::Active, 0).await);
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    steps.done(&format!("/operator/accounts/{bob}/status/suspend"), &[("reason", WHY)]).await;
    let audit = async |query: &str| house.get(&olga, &format!("/operator/audit?{query}")).await;
    let all = audit("").await;
    assert!(all.says(WHY) && all.says("olga@example.org") && all.says(&ann.to_string()), "{all:?}");
    assert!(all.says("Status set from Active to Suspended"), "{all:?}");
    let status = audit("kind=status&account=").await;
    assert!(status.says(WHY) && !status.says("Team"), "{status:?}");
    let of_ann = audit(&format!("account={ann}&kind=&from=&until=")).await;
    assert!(!of_ann.says(WHY) && of_ann.says(&format!("/operator/accounts/{ann}")), "{of_ann:?}");
    let today = jiff::Timestamp::from_millisecond(i64::try_from(house.now().await.as_u64()).unwrap()).unwrap();
    let day = today.strftime("%Y-%m-%d").to_string();
    assert!(audit(&format!("from={day}&until={day}")).await.says(WHY));
    assert!(audit("until=2020-01-01").await.says("Nothing like this has happened."));
    for wrong in ["kind=nonsense", "from=26.11.2026", "account=ann", "after=x"] {
        assert_eq!(audit(wrong).await.refused_page(), "400 bad_request", "{wrong}");
    }
    for kind in ActivityKind::ALL {
        assert_eq!(audit(&format!("kind={kind}")).await.status, 200);
    }
    let api = house.get(&olga, &format!("/api/operator/activity?kind=status&account={bob}&limit=1")).await.json();
    assert_eq!((&api["items"][0]["what"], &api["items"][0]["reason"]), (&json!("status_set"), &json!(WHY)));
    assert!(api["next"].is_string(), "{api}");
}

#[tokio::test]
async fn incidents_are_listed_with_what_they_cost_and_the_first_live_state_of_a_shard_is_none() {
    let house = House::start().await;
    let olga = operator(&house).await;
    let shard = metering::Shard { kind: metering::ShardKind::Accounts, number: 0 };
    let begins = json!({ "why": "there was none", "replaced": 0, "incarnation": 1 });
    house.book.ledger.report_incident(shard, "rebuild", &begins).await.unwrap();
    let emptied = json!({ "why": "<b>Redis</b> came back empty", "replaced": 1, "incarnation": 2 });
    house.book.ledger.report_incident(shard, "rebuild", &emptied).await.unwrap();
    let home = house.get(&olga, "/operator").await;
    assert!(home.says("<span class=\"count some\">1</span> Incidents"), "{home:?}");
    let list = house.get(&olga, "/operator/incidents").await;
    assert!(list.says("&#60;b&#62;Redis&#60;/b&#62; came back empty") && !list.text.contains("<b>Redis"), "{list:?}");
    let api = house.get(&olga, "/api/operator/incidents?limit=1").await.json();
    let number = api["items"][0]["incident"].as_u64().unwrap();
    assert_eq!(api["next"], number.to_string());
    let one = house.get(&olga, &format!("/operator/incidents/{number}")).await;
    assert!(one.says("not final") && one.says("no gateway posts a journal"), "{one:?}");
    let first = house.get(&olga, &format!("/operator/incidents/{}", number - 1)).await;
    assert!(first.says("An incident of this kind costs nobody credits."), "{first:?}");
    assert_eq!(house.get(&olga, "/operator/incidents/999").await.refused_page(), "404 not_found");
    assert!(house.get(&olga, "/operator/losses").await.says("Nothing was lost."));
    let losses = house.get(&olga, "/api/operator/losses").await.json();
    assert_eq!((&losses["debits"], &losses["lost"]), (&json!(0), &json!(0)));
}
