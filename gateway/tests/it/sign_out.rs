//! Signing out: sessions that were ended open nothing within a second, wherever they are used, and others go on.

use std::time::{Duration, Instant};

use metering::live::owner::ControlOutcome;
use metering::testing::Stage;
use metering::{AccountImage, Change, SessionVersion, Status};
use serde_json::{Value, json};

use crate::house::{Account, Answer, House, Signer, now_seconds, session_settings};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// What was ended is refused from then on.
const PROMPT: Duration = Duration::from_secs(1);

/// Priced, free, free even when blocked, answered by the gateway itself, priced by its body.
const EVERYWHERE: [(&str, &str); 5] = [
    ("POST", "/chat/say"),
    ("GET", "/chat/profile"),
    ("GET", "/chat/history"),
    ("GET", "/chat/credits"),
    ("POST", "/chat/messages"),
];

async fn house() -> House {
    House::start_with(&session_settings("HS256", &format!("secret = \"{SECRET}\""))).await
}

/// A bearer of a person's session; its version is `None` where whoever signs counts none.
fn session(account: &Account, person: &str, version: Option<u64>) -> String {
    let now = now_seconds();
    let mut claims = json!({
        "iss": "id.test", "aud": "gateway.test", "sub": person, "exp": now + 600, "iat": now - 10,
        "account": account.id.to_string(),
    });
    if let Some(version) = version {
        claims["ver"] = json!(version);
    }
    let header = json!({ "typ": "JWT", "alg": "HS256" });
    format!("Bearer {}", Signer::Hs256(SECRET.into()).sign(&header, &claims))
}

async fn call(house: &House, (method, path): (&str, &str), session: &str) -> Answer {
    let body = if method == "POST" { "{\"respond\": true}" } else { "" };
    let lines = [("Authorization", session), ("Content-Type", "application/json")];
    house.gateway.send(method, path, &lines, body).await
}

async fn goes_on(house: &House, session: &str) {
    for place in EVERYWHERE {
        let answer = call(house, place, session).await;
        assert_eq!(answer.status, 200, "{place:?}: {answer:?}");
    }
}

async fn is_over(house: &House, session: &str, since: Instant) {
    let told = |answer: &Answer| (answer.status, answer.code(), answer.json()["reason"].clone());
    for place in EVERYWHERE {
        loop {
            let asked = since.elapsed();
            let answer = call(house, place, session).await;
            if answer.status == 401 {
                assert_eq!(told(&answer), (401, "session_expired".to_owned(), json!("ended")));
                break;
            }
            assert!(asked < PROMPT, "{place:?} after {asked:?}: {answer:?}");
        }
    }
    let (seen, before) = (house.upstream.seen().len(), house.script_calls().await);
    for place in EVERYWHERE {
        assert_eq!(call(house, place, session).await.status, 401, "{place:?}: it held before");
    }
    assert_eq!(house.upstream.seen().len(), seen, "the upstream saw nothing");
    assert_eq!(house.script_calls().await, before, "no credits were asked for");
}

/// Somebody ends sessions, as the owner carries it.
async fn end(house: &mut House, account: &Account, person: Option<&str>, version: u64) -> Instant {
    let version = SessionVersion::new(version).unwrap();
    let change = Change::SessionsEnded { subject: person.map(|name| name.parse().unwrap()), version };
    assert_eq!(house.stage.control(account.id, change).await, ControlOutcome::Applied);
    Instant::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_signed_out_within_a_second_and_another_of_the_account_goes_on() {
    let mut house = house().await;
    let (account, other) = (house.account(Status::Active, 100).await, house.account(Status::Active, 100).await);
    let (ann, bob) = (session(&account, "ann", None), session(&account, "bob", None));
    let namesake = session(&other, "ann", None);
    for session in [&ann, &bob, &namesake] {
        goes_on(&house, session).await;
    }
    let since = end(&mut house, &account, Some("ann"), 1).await;
    is_over(&house, &ann, since).await;
    goes_on(&house, &bob).await;
    goes_on(&house, &namesake).await;
    goes_on(&house, &session(&account, "ann", Some(1))).await;
    is_over(&house, &session(&account, "ann", Some(0)), since).await;
    let since = end(&mut house, &account, Some("ann"), 7).await;
    is_over(&house, &session(&account, "ann", Some(1)), since).await;
    is_over(&house, &session(&account, "ann", Some(6)), since).await;
    goes_on(&house, &session(&account, "ann", Some(7))).await;
    goes_on(&house, &session(&account, "ann", Some(8))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_of_an_account_is_signed_out_and_no_version_comes_back() {
    let mut house = house().await;
    let (account, other) = (house.account(Status::Active, 100).await, house.account(Status::Active, 100).await);
    let sessions = ["ann", "bob"].map(|person| session(&account, person, Some(2)));
    for session in &sessions {
        goes_on(&house, session).await;
    }
    let since = end(&mut house, &account, None, 3).await;
    for session in &sessions {
        is_over(&house, session, since).await;
    }
    goes_on(&house, &session(&other, "ann", None)).await;
    goes_on(&house, &session(&account, "ann", Some(3))).await;
    let since = end(&mut house, &account, Some("ann"), 1).await;
    end(&mut house, &account, None, 2).await;
    is_over(&house, &sessions[0], since).await;
    // A key is no session: it ends by being revoked.
    assert_eq!(house.message(&account, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_session_asks_for_nothing_but_its_debit() {
    let mut house = house().await;
    let account = house.account(Status::Active, 100).await;
    let ann = session(&account, "ann", None);
    let hits = "tollgate_gateway_session_standing_lookups_total{result=\"hit\"}";
    while house.gateway.metric(hits).await < 3 {
        goes_on(&house, &ann).await; // the news of its making may come after its first use
    }
    let calls = house.script_calls().await;
    for _ in 0..5 {
        assert_eq!(call(&house, ("GET", "/chat/profile"), &ann).await.status, 200);
        assert_eq!(call(&house, ("POST", "/chat/say"), &session(&account, "bob", None)).await.status, 200);
    }
    assert_eq!(house.script_calls().await, calls + 5, "a draw is one script, and a person of the same account none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_is_ended_after_live_state_was_built_anew() {
    let mut house = house().await;
    let account = house.account(Status::Active, 100).await;
    let (ann, bob) = (session(&account, "ann", None), session(&account, "bob", None));
    let since = end(&mut house, &account, Some("ann"), 1).await;
    is_over(&house, &ann, since).await;
    goes_on(&house, &bob).await;
    let sessions = house.stage.meter().await.standing(account.id).await.unwrap().sessions;
    house.redis.start_again_empty();
    house.stage = Stage::open(&house.redis.url(), 2, 2).await;
    house.gateway.until_ready().await;
    house.install(&AccountImage { sessions, ..House::image(account.id, Status::Active, 100, 0) }).await;
    is_over(&house, &ann, Instant::now()).await;
    goes_on(&house, &bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_free_routes_go_on_with_what_was_known_and_strangers_wait() {
    let mut house = house().await;
    let account = house.account(Status::Active, 100).await;
    let stranger = house.account(Status::Active, 100).await;
    let (ann, bob) = (session(&account, "ann", None), session(&account, "bob", None));
    let since = end(&mut house, &account, Some("ann"), 1).await;
    is_over(&house, &ann, since).await;
    goes_on(&house, &bob).await;
    house.redis.kill();
    crate::house::until("the loss is known", || house.gateway.log().contains("can't be reached")).await;
    for place in [("GET", "/chat/profile"), ("GET", "/chat/history")] {
        assert_eq!(call(&house, place, &bob).await.status, 200, "as it was last known: {place:?}");
        let over = call(&house, place, &ann).await;
        assert_eq!((over.status, over.code().as_str()), (401, "session_expired"), "ended stays ended: {place:?}");
    }
    let waits = |answer: Answer| {
        assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"), "{answer:?}");
        assert_eq!(answer.header("Retry-After"), Some("1"));
    };
    waits(call(&house, ("POST", "/chat/say"), &bob).await);
    waits(call(&house, ("POST", "/chat/say"), &ann).await);
    waits(call(&house, ("GET", "/chat/credits"), &bob).await);
    for place in EVERYWHERE {
        waits(call(&house, place, &session(&stranger, "eve", None)).await); // never taken for good without having asked
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_did_not_hear_of_it_asks() {
    let mut house = house().await;
    let account = house.account(Status::Active, 1_000).await;
    for version in 0..4 {
        let ann = session(&account, "ann", Some(version));
        goes_on(&house, &ann).await;
        house.lose_subscribers().await;
        let since = end(&mut house, &account, Some("ann"), version + 1).await;
        // Not by `is_over`, which counts scripts: until changes are heard again, each look asks.
        for place in EVERYWHERE {
            while call(&house, place, &ann).await.status != 401 {
                assert!(since.elapsed() < PROMPT, "{place:?} after {:?}\n{}", since.elapsed(), house.gateway.log());
            }
        }
    }
    house.gateway.until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_none_opens_nothing() {
    let mut house = house().await;
    let account = house.account(Status::Active, 10).await;
    let calls = house.script_calls().await;
    let now = now_seconds();
    for version in [json!(null), json!("1"), json!(1.5), json!(-1), json!([1]), json!(u64::MAX), json!({}), json!(true)]
    {
        let claims = json!({
            "iss": "id.test", "aud": "gateway.test", "sub": "ann", "exp": now + 600, "iat": now - 10,
            "account": account.id.to_string(), "ver": version,
        });
        let header: Value = json!({ "typ": "JWT", "alg": "HS256" });
        let token = format!("Bearer {}", Signer::Hs256(SECRET.into()).sign(&header, &claims));
        let answer = call(&house, ("POST", "/chat/say"), &token).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_session"), "{version}: {answer:?}");
    }
    assert_eq!((house.script_calls().await, house.upstream.seen().len()), (calls, 0));
}
