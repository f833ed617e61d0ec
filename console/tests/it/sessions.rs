//! Who is let in: a session that is signed for us, has not run out, has not been ended, and may do what it asks for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use metering::{SessionSubject, Status};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{House, Person, SECRET, by, claims, sign};

const PAGE: &str = "/billing";
const API: &str = "/api/billing";

async fn is_let_in(house: &House, person: &Person) {
    assert_eq!((house.get(person, PAGE).await.status, house.get(person, API).await.status), (200, 200), "{person:?}");
}

/// Refused as a page and as a problem, with this code and this reason.
async fn is_not_let_in(house: &House, person: &Person, code: &str, reason: &str) {
    let (page, api) = (house.get(person, PAGE).await, house.get(person, API).await);
    assert_eq!(page.refused_page(), format!("401 {code}"), "{reason}");
    assert_eq!(api.problem(), format!("401 {code}"), "{reason}");
    assert_eq!(api.json()["reason"], reason, "{api:?}");
}

#[tokio::test]
async fn without_a_session_a_page_shows_the_way_to_sign_in_and_the_api_a_problem() {
    let house = House::start().await;
    let page = house.ask(Method::GET, PAGE).send().await;
    assert_eq!(page.refused_page(), "401 session_missing");
    assert!(page.says("<a class=\"button primary\" href=\"https://id.example/\">Sign in</a>"), "{page:?}");
    assert!(!page.says("<nav"), "who is nobody is shown no navigation");
    let api = house.ask(Method::GET, API).send().await;
    assert_eq!(api.problem(), "401 session_missing");
}

#[tokio::test]
async fn only_a_session_that_was_signed_for_us_and_is_not_over_opens_anything() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let ann = house.person(account, "billing_owner");
    is_let_in(&house, &ann).await;
    let with = |session: String| Person { session, ..ann.clone() };
    let changed = |claim: &str, value: Value| {
        let mut claims = claims(account, &ann.subject, &["billing_owner"]);
        claims[claim] = value;
        with(sign(SECRET, &claims))
    };
    let expired = changed("exp", json!(ann_began(&ann) - 600));
    is_not_let_in(&house, &expired, "session_expired", "expired").await;
    is_not_let_in(&house, &changed("aud", json!("another")), "session_invalid", "other_audience").await;
    is_not_let_in(&house, &changed("iss", json!("evil.test")), "session_invalid", "other_issuer").await;
    is_not_let_in(&house, &changed("account", json!("acct_1")), "session_invalid", "malformed").await;
    let forged = with(sign("ffffffffffffffffffffffffffffffff", &claims(account, &ann.subject, &["billing_owner"])));
    is_not_let_in(&house, &forged, "session_invalid", "unverified").await;
    let (head, rest) = ann.session.split_once('.').unwrap();
    let unsigned = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT" }).to_string());
    is_not_let_in(&house, &with(format!("{unsigned}.{rest}")), "session_invalid", "malformed").await;
    is_not_let_in(&house, &with(head.to_owned()), "session_invalid", "malformed").await;
    is_let_in(&house, &ann).await;
}

/// When a person's session began, by its own claim.
fn ann_began(person: &Person) -> u64 {
    let claims = person.session.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["iat"].as_u64().unwrap()
}

#[tokio::test]
async fn a_session_that_an_operator_ended_is_over_at_once_and_others_go_on() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let (ann, bob) = (house.person(account, "billing_owner"), house.person(account, "member"));
    is_let_in(&house, &ann).await;
    let subject = ann.subject.parse::<SessionSubject>().unwrap();
    let ended = house.book.ledger.end_sessions(account, Some(&subject), None, &by(house.now().await)).await.unwrap();
    is_not_let_in(&house, &ann, "session_expired", "ended").await;
    is_let_in(&house, &bob).await;
    let mut again = claims(account, &ann.subject, &["billing_owner"]);
    again["ver"] = json!(ended.version);
    is_let_in(&house, &Person { session: sign(SECRET, &again), ..ann }).await;
    house.book.ledger.end_sessions(account, None, None, &by(house.now().await)).await.unwrap();
    is_not_let_in(&house, &bob, "session_expired", "ended").await;
}

#[tokio::test]
async fn a_cookie_that_stands_twice_is_no_session_and_a_bearer_is_one() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let (ann, eve) = (house.person(account, "billing_owner"), house.person(account, "member"));
    let with = |cookie: String| house.ask(Method::GET, API).header("cookie", cookie);
    let name = "__Host-tollgate-session";
    let twice = with(format!("{name}={}; {name}={}", eve.session, ann.session)).send().await;
    assert_eq!(twice.problem(), "401 session_missing");
    let among = with(format!("a=1; {name}={}; b=2", ann.session)).send().await;
    assert_eq!(among.status, 200, "{among:?}");
    let dev = with(format!("tollgate-session={}", ann.session)).send().await;
    assert_eq!(dev.problem(), "401 session_missing", "a name that any site of the same domain could set");
    let bearer = house.ask(Method::GET, API).header("authorization", format!("Bearer {}", ann.session)).send().await;
    assert_eq!(bearer.status, 200, "{bearer:?}");
    let write = house
        .ask(Method::PUT, "/api/billing/budget")
        .header("authorization", format!("Bearer {}", ann.session))
        .json(&json!({ "limit": 40 }));
    let write = write.send().await;
    assert_eq!(write.status, 200, "a program says neither Origin nor Sec-Fetch-Site: {write:?}");
}

#[tokio::test]
async fn signing_in_as_anybody_is_there_only_where_it_was_switched_on() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let path = format!("/dev/login?account={account}");
    assert_eq!(house.ask(Method::GET, &path).send().await.status, 404);

    let house = House::with(crate::house::Plan { settings: "dev.login = true", ..Default::default() }).await;
    let account = house.account("Ann", Status::Active, 10).await;
    let plain = house.ask(Method::GET, &format!("/dev/login?account={account}")).send().await;
    assert_eq!(plain.location(), "/billing");
    let signed_in = house.ask(Method::GET, &format!("/dev/login?account={account}&role=member&to=/keys")).send().await;
    assert_eq!(signed_in.location(), "/keys");
    let cookie = signed_in.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=43200", "{cookie}");
    assert!(pair.starts_with("tollgate-session="), "{cookie}");
    let page = house.ask(Method::GET, PAGE).header("cookie", pair).send().await;
    assert_eq!(page.status, 200, "{page:?}");
    for to in ["https://evil.example/", "//evil.example/", "evil"] {
        let refused = house.ask(Method::GET, &format!("/dev/login?account={account}&to={to}")).send().await;
        assert_eq!(refused.status, 400, "{to}: {refused:?}");
    }
}

#[tokio::test]
async fn whoever_is_let_in_may_change_what_his_role_allows_however_long_his_name_is() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 10).await;
    let longest = "x".repeat(SessionSubject::BYTES_MAX);
    let ann = house.person_called(account, &longest, &["admin"]);
    is_let_in(&house, &ann).await;
    assert_eq!(house.put(&ann, "/api/billing/budget", &json!({ "limit": 40 })).await.status, 200);
    let key = house.ask(Method::POST, "/api/billing/keys").of(&ann).header("idempotency-key", "k".repeat(200));
    let made = key.json(&json!({ "name": "ci" })).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(house.form(&ann, "/settings", &[("version", "0"), ("low_balance", "on")]).await.status, 303);
    let named = format!("SELECT count(*) FROM audit WHERE actor = '{longest}'");
    assert_eq!(house.book.number(&named).await, 3);
    assert!(house.get(&ann, "/activity").await.says(&longest));
    let longer = house.person_called(account, &format!("{longest}x"), &["admin"]);
    is_not_let_in(&house, &longer, "session_invalid", "malformed").await;
}
