//! API keys: made, looked at, held to something, replaced, revoked; on pages and by the API, each secret shown once.

use metering::{AccountId, ApiKey, KeyId, Status};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{Answer, House, Person, Plan, wait_until};

const KEYS: &str = "/api/billing/keys";

/// What stands between two texts of a page.
#[track_caller]
fn between<'a>(page: &'a Answer, before: &str, after: &str) -> &'a str {
    let found = page.text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.unwrap_or_else(|| panic!("`{before}…{after}` in {page:?}")).0
}

async fn nonce_of(house: &House, person: &Person, path: &str) -> String {
    let form = house.get(person, path).await;
    assert_eq!(form.status, 200, "{form:?}");
    between(&form, "name=\"nonce\" value=\"", "\"").to_owned()
}

/// Makes a key by the API; the answer's id.
async fn made(house: &House, person: &Person, body: &Value) -> KeyId {
    let made = house.post(person, KEYS, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().parse().unwrap()
}

async fn listed(house: &House, person: &Person) -> Vec<Value> {
    house.get(person, KEYS).await.json()["items"].as_array().unwrap().clone()
}

async fn owner(house: &House) -> Person {
    let account = house.account("Ann", Status::Active, 1_000).await;
    house.person(account, "billing_owner")
}

#[tokio::test]
async fn a_key_is_made_its_secret_is_shown_once_and_loading_the_page_again_makes_no_second() {
    let house = House::start().await;
    let ann = owner(&house).await;
    assert!(house.get(&ann, "/keys").await.says("There are no keys yet."));
    let nonce = nonce_of(&house, &ann, "/keys/new").await;
    let fields = [
        ("nonce", nonce.as_str()),
        ("name", "build <server>"),
        ("mode", "live"),
        ("cap_day", "40"),
        ("scopes", "a, b"),
    ];
    let shown = house.form(&ann, "/keys/new", &fields).await;
    assert_eq!((shown.status, shown.header("cache-control")), (200, Some("no-store")), "{shown:?}");
    assert!(shown.says("it is not shown again") && shown.says("build &#60;server&#62;"), "{shown:?}");
    let secret = ApiKey::parse(between(&shown, "<code id=\"secret\">", "</code>")).unwrap();

    let again = house.form(&ann, "/keys/new", &fields).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.says("This key was made already") && !again.text.contains(secret.reveal()), "{again:?}");
    let keys = listed(&house, &ann).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let id = keys[0]["id"].as_str().unwrap();
    assert!(again.text.contains(&format!("href=\"/keys/{id}\"")), "{again:?}");
    let other = house.form(&ann, "/keys/new", &[("nonce", &nonce), ("name", "another"), ("mode", "live")]).await;
    assert_eq!(other.refused_page(), "422 idempotency_key_reused");

    let (list, one) = (house.get(&ann, "/keys").await, house.get(&ann, &format!("/keys/{id}")).await);
    for page in [&list, &one] {
        assert!(page.text.contains(secret.display_prefix()) && !page.text.contains(secret.reveal()), "{page:?}");
    }
    assert!(list.says("0 of 40 today") && list.says("Scopes: a, b"), "{list:?}");
    let kept = house.book.ledger.key_images(&[secret.digest()]).await.unwrap();
    assert_eq!((kept[0].key.to_string().as_str(), kept[0].account), (id, ann.account));
    let audited = "SELECT actor || ' ' || subject FROM audit WHERE action = 'key_issued'";
    assert_eq!(house.book.text(audited).await, format!("billing_owner@example.org {id}"));
    let everything = "SELECT count(*) FROM console_writes WHERE answer::text LIKE '%tg_live%' OR key LIKE '%tg_live%'";
    assert_eq!(house.book.number(everything).await, 0, "the book keeps no secret");
    assert!(!house.console.log().contains(secret.reveal()), "and no log does");
}

#[tokio::test]
async fn what_was_typed_wrong_is_told_at_its_field_and_nothing_is_made() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let nonce = nonce_of(&house, &ann, "/keys/new").await;
    let wrong = [
        ("nonce", nonce.as_str()),
        ("name", " "),
        ("mode", "live"),
        ("scopes", "Messages"),
        ("addresses", "10.0.0.0/33"),
        ("cap_month", "-3"),
        ("expires", "2020-01-01"),
    ];
    let page = house.form(&ann, "/keys/new", &wrong).await;
    assert_eq!(page.status, 422, "{page:?}");
    for field in ["name", "scopes", "addresses", "cap-month", "expires"] {
        let told = format!("id=\"{field}-wrong\"");
        assert!(page.text.contains(&told) && page.text.contains("aria-invalid=\"true\""), "{field}: {page:?}");
    }
    assert!(page.text.contains(">Messages</textarea>") && page.text.contains("value=\"-3\""), "{page:?}");
    assert!(!page.text.contains("cap-day-wrong"), "{page:?}");
    assert!(listed(&house, &ann).await.is_empty());
    let right = [("nonce", nonce.as_str()), ("name", "ci"), ("mode", "test")];
    assert_eq!(house.form(&ann, "/keys/new", &right).await.status, 200, "the same form, put right");
}

#[tokio::test]
async fn under_an_idempotency_key_one_of_many_askers_makes_a_key_and_the_others_are_told_which() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let ask = |body: Value| house.ask(Method::POST, KEYS).of(&ann).header("idempotency-key", "k-1").json(&body).send();
    let all = futures::future::join_all((0..8).map(|_| ask(json!({ "name": "ci" })))).await;
    let made: Vec<&Answer> = all.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 1, "{all:?}");
    assert!(all.iter().all(|answer| matches!(answer.status, 201 | 409)), "{all:?}");
    let (id, place) = (made[0].json()["id"].clone(), made[0].header("location").unwrap());
    assert_eq!(house.get(&ann, place).await.json()["id"], id);
    let again = ask(json!({ "name": "ci" })).await;
    assert_eq!((again.problem().as_str(), &again.json()["made"]), ("409 idempotency_key_used", &id));
    assert_eq!(ask(json!({ "name": "cd" })).await.problem(), "422 idempotency_key_reused");
    assert_eq!(listed(&house, &ann).await.len(), 1);
    let bob = house.person_called(ann.account, "bob@example.org", &["admin"]);
    let his = house.ask(Method::POST, KEYS).of(&bob).header("idempotency-key", "k-1").json(&json!({ "name": "ci" }));
    assert_eq!(his.send().await.status, 201, "one person's keys say nothing about another's");
    let refused = house.ask(Method::POST, KEYS).of(&ann).header("idempotency-key", "k-2");
    assert_eq!(refused.json(&json!({ "name": "ci", "scopes": ["A"] })).send().await.problem(), "422 invalid");
    let spaced = house.ask(Method::POST, KEYS).of(&ann).header("idempotency-key", "a b").json(&json!({ "name": "ci" }));
    assert_eq!(spaced.send().await.problem(), "400 idempotency_key_unsound");
}

#[tokio::test]
async fn a_rotated_key_and_the_one_that_replaces_it_are_both_good_until_the_grace_is_over() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let old = made(&house, &ann, &json!({ "name": "ci", "scopes": ["messages"], "cap_month": 90 })).await;
    let path = format!("/keys/{old}/rotate");
    let nonce = nonce_of(&house, &ann, &path).await;
    let sent = [("nonce", nonce.as_str()), ("grace", "24h"), ("expires", "")];
    let shown = house.form(&ann, &path, &sent).await;
    assert!(shown.status == 200 && shown.says("The key that it replaces is good until"), "{shown:?}");
    assert_eq!(house.form(&ann, &path, &sent).await.status, 409, "the page was loaded again");
    let keys = listed(&house, &ann).await;
    let states: Vec<&str> = keys.iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "rotated"]);
    assert_eq!((&keys[0]["scopes"], &keys[0]["cap_month"]["limit"]), (&json!(["messages"]), &json!(90)));
    assert_eq!(keys[1]["rotated_to"], keys[0]["id"]);
    let list = house.get(&ann, "/keys").await;
    assert!(list.says("both are good until") && list.says("The key that replaces it"), "{list:?}");
    let form = house.get(&ann, &path).await;
    assert_eq!(form.location(), format!("/keys/{old}"), "once is enough");

    let new = keys[0]["id"].as_str().unwrap();
    let now =
        house.ask(Method::POST, &format!("{KEYS}/{new}/rotate")).of(&ann).json(&json!({ "grace_s": 0 })).send().await;
    assert_eq!(now.status, 201, "{now:?}");
    let states: Vec<Value> = listed(&house, &ann).await.iter().map(|key| key["state"].clone()).collect();
    assert_eq!(states, ["active", "expired", "rotated"]);
    let ended = house.get(&ann, &format!("{KEYS}?state=ended")).await.json();
    assert_eq!((ended["items"].as_array().unwrap().len(), &ended["items"][0]["id"]), (1, &json!(new)));
    let long = house.ask(Method::POST, &format!("{KEYS}/{old}/rotate")).of(&ann).json(&json!({ "grace_s": 604_801 }));
    assert_eq!(long.send().await.problem(), "422 invalid");
}

#[tokio::test]
async fn what_a_key_is_held_to_is_changed_over_what_was_seen_and_rates_stay_the_operators() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let key = made(&house, &ann, &json!({ "name": "ci", "cap_day": 5 })).await;
    let rates = r#"{"rates":[{"name":"m","count":6,"per_ms":60000,"burst":6}],"caps":{"day":5}}"#;
    let policy = serde_json::from_str(rates).unwrap();
    let operator = crate::house::by(house.now().await);
    house.book.ledger.set_key_policy(key, &policy, &operator).await.unwrap();
    let path = format!("/keys/{key}");
    let page = house.get(&ann, &path).await;
    assert!(page.says("At most 6 calls in 60 s, 6 at once: set by an operator."), "{page:?}");
    let held = between(&page, "name=\"held\" value=\"", "\"").to_owned();
    let typed = [("held", held.as_str()), ("cap_day", ""), ("cap_month", "90"), ("addresses", "10.0.0.0/8\n::1")];
    let saved = house.form(&ann, &path, &typed).await;
    assert_eq!(saved.location(), format!("{path}?done=key_changed"));
    let key_now = house.get(&ann, &format!("{KEYS}/{key}")).await.json();
    assert_eq!((&key_now["cap_day"], &key_now["cap_month"]["limit"]), (&Value::Null, &json!(90)));
    assert_eq!((&key_now["addresses"], &key_now["rates"][0]["count"]), (&json!(["10.0.0.0/8", "::1/128"]), &json!(6)));

    let late = house.form(&ann, &path, &[("held", held.as_str()), ("cap_day", "7")]).await;
    assert_eq!(late.status, 412, "{late:?}");
    assert!(late.says("Somebody has changed this key") && late.text.contains("value=\"7\""), "{late:?}");
    let held = between(&late, "name=\"held\" value=\"", "\"").to_owned();
    assert_eq!(house.form(&ann, &path, &[("held", held.as_str()), ("cap_day", "7")]).await.status, 303);

    let patched =
        house.ask(Method::PATCH, &format!("{KEYS}/{key}")).of(&ann).json(&json!({ "scopes": ["batch"] })).send().await;
    assert_eq!((patched.status, &patched.json()["cap_day"]["limit"]), (200, &json!(7)), "what is left out stays");
    let actors = "SELECT count(*) FROM audit WHERE action = 'key_policy_set' AND actor = 'billing_owner@example.org'";
    assert_eq!(house.book.number(actors).await, 3);
}

#[tokio::test]
async fn revoking_is_asked_about_first_and_ends_the_key_for_good() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let key = made(&house, &ann, &json!({ "name": "ci" })).await;
    let path = format!("/keys/{key}/revoke");
    let asked = house.get(&ann, &path).await;
    assert!(asked.says("Revoke ci?") && asked.says("It has never drawn credits."), "{asked:?}");
    assert_eq!(listed(&house, &ann).await[0]["state"], "active", "asking changes nothing");
    assert_eq!(house.form(&ann, &path, &[]).await.location(), "/keys?done=key_revoked");
    assert!(house.get(&ann, "/keys?done=key_revoked").await.says("Calls with it are refused within a second."));
    assert!(house.get(&ann, "/keys?show=ended").await.says("Revoked"));
    let one = house.get(&ann, &format!("/keys/{key}")).await;
    assert!(one.says("nothing of it can be changed") && !one.text.contains("<form"), "{one:?}");
    let again = house.ask(Method::DELETE, &format!("{KEYS}/{key}")).of(&ann).send().await;
    assert_eq!((again.status, &again.json()["state"]), (200, &json!("revoked")), "once more changes nothing");
    let change =
        house.ask(Method::PATCH, &format!("{KEYS}/{key}")).of(&ann).json(&json!({ "cap_day": 1 })).send().await;
    assert_eq!(change.problem(), "422 invalid");
    assert_eq!(house.book.number("SELECT count(*) FROM audit WHERE action = 'key_revoked'").await, 1);
}

#[tokio::test]
async fn keys_of_a_blocked_account_stay_listed_and_say_that_they_fail_and_why() {
    let house = House::start().await;
    for (status, word, why) in [
        (Status::PaymentFailed, "payment_failed", "The last payment failed: every call with an API key is refused"),
        (Status::Suspended, "suspended", "This account is suspended: every call"),
        (Status::Pending, "pending", "This account is not active yet: every call"),
    ] {
        let account = house.account("Bob", status, 10).await;
        house.key(account, "ci").await;
        let bob = house.person(account, "billing_owner");
        let page = house.get(&bob, "/keys").await;
        assert!(page.says(why) && page.says(">ci</a>") && page.says(">Refused</span>"), "{page:?}");
        assert_eq!(listed(&house, &bob).await[0]["refused_because"], word);
    }
}

#[tokio::test]
async fn a_member_sees_keys_and_can_not_change_them_and_a_key_of_another_account_is_not_there() {
    let house = House::start().await;
    let ann = owner(&house).await;
    let key = made(&house, &ann, &json!({ "name": "ci" })).await;
    let member = house.person(ann.account, "member");
    let list = house.get(&member, "/keys").await;
    assert!(list.says("An admin or the billing owner can make and change keys.") && list.says(">ci</a>"), "{list:?}");
    assert!(list.text.contains("disabled aria-describedby=\"new-off\""), "{list:?}");
    assert!(!house.get(&member, &format!("/keys/{key}")).await.text.contains("<form"));
    assert_eq!(house.get(&member, "/keys/new").await.refused_page(), "403 role_missing");
    assert_eq!(house.post(&member, KEYS, &json!({ "name": "x" })).await.problem(), "403 role_missing");

    let other = house.person(house.account("Eve", Status::Active, 10).await, "admin");
    for path in [format!("/keys/{key}"), format!("/keys/{key}/rotate"), format!("/keys/{key}/revoke")] {
        assert_eq!(house.get(&other, &path).await.refused_page(), "404 key_not_found", "{path}");
        let sent = house.form(&other, &path, &[("nonce", "n"), ("grace", "0")]).await;
        assert_eq!(sent.refused_page(), "404 key_not_found", "{path}");
    }
    let change = house.ask(Method::PATCH, &format!("{KEYS}/{key}")).of(&other).json(&json!({})).send().await;
    assert_eq!(change.problem(), "404 key_not_found");
    assert_eq!(house.get(&other, "/keys/nonsense").await.refused_page(), "404 not_found");
    assert_eq!(listed(&house, &ann).await[0]["state"], "active");
}

#[tokio::test]
async fn lists_go_page_by_page_and_an_account_has_so_many_good_keys_and_no_more() {
    let house = House::start().await;
    let ann = owner(&house).await;
    plant_keys(&house, ann.account, 500).await;
    let full = house.post(&ann, KEYS, &json!({ "name": "one too many" })).await;
    assert_eq!(full.problem(), "409 too_many_keys");
    let mut seen = Vec::new();
    let mut next = Some(String::new());
    while let Some(after) = next {
        let after = if after.is_empty() { after } else { format!("&after={after}") };
        let page = house.get(&ann, &format!("{KEYS}?limit=200{after}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    let wanted: Vec<String> = (1..=500).rev().map(|number| format!("key {number}")).collect();
    assert_eq!(seen, wanted, "each once, latest first");
    let first = house.get(&ann, "/keys").await;
    assert!(first.says(">Older</a>") && !first.says(">Latest</a>"), "{first:?}");
    let some: KeyId = house
        .book
        .text("SELECT 'key_' || replace(key_id::text, '-', '') FROM api_keys WHERE name = 'key 7'")
        .await
        .parse()
        .unwrap();
    let graceful = house.ask(Method::POST, &format!("{KEYS}/{some}/rotate")).of(&ann).json(&json!({ "grace_s": 60 }));
    assert_eq!(graceful.send().await.problem(), "409 too_many_keys", "both would be good");
    let at_once = house.ask(Method::POST, &format!("{KEYS}/{some}/rotate")).of(&ann).json(&json!({ "grace_s": 0 }));
    assert_eq!(at_once.send().await.status, 201, "one goes, one comes");
}

async fn plant_keys(house: &House, account: AccountId, count: u32) {
    let account = account.as_uuid();
    let sql = format!(
        "INSERT INTO api_keys (key_id, account_id, digest, key_shard, prefix, name, mode, created_at, policy, rates_of) \
         SELECT id, '{account}', sha256(id::text::bytea), 0, 'tg_live_abcd', 'key ' || number, 'live', \
         now() - interval '1 day' + number * interval '1 second', '{{}}', id \
         FROM (SELECT number, gen_random_uuid() AS id FROM generate_series(1, {count}) AS number) AS new"
    );
    assert_eq!(house.book.execute(&sql).await.unwrap(), u64::from(count));
}

#[tokio::test]
async fn what_is_drawn_of_a_cap_is_shown_as_live_state_counts_it_and_as_the_book_does_where_that_is_away() {
    let mut house = House::with(Plan { sync: true, ..Plan::default() }).await;
    let ann = owner(&house).await;
    let key = made(&house, &ann, &json!({ "name": "ci", "cap_day": 40, "cap_month": 900 })).await;
    house.wait_carried().await;
    house.draw(ann.account, Some(key), 30).await;
    wait_until("live state is asked, and has counted it", async || {
        let seen = house.get(&ann, &format!("{KEYS}/{key}")).await.json();
        let of = |cap: &str| (seen[cap]["used"].clone(), seen[cap]["source"].clone());
        [of("cap_day"), of("cap_month")] == [(json!(30), json!("live")), (json!(30), json!("live"))]
    })
    .await;
    wait_until("the book has followed, and its use was rolled up", async || {
        let seen = house.get(&ann, &format!("{KEYS}/{key}")).await.json();
        seen["drawn_this_period"] == 30 && seen["last_used_at"].is_string()
    })
    .await;
    house.redis.kill();
    let page = house.get(&ann, "/keys").await;
    assert!(page.status == 200 && page.says("30 of 40 today"), "{page:?}");
    assert!(page.says("What is drawn of caps is as the book has it"), "{page:?}");
}
