//! A price known only at the end: the most it may come to is held, and settled once to what the upstream reports.

use std::time::Duration;

use metering::live::{Undo, UndoOutcome};
use metering::{Body, Event, Status};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::http2::Connection;
use crate::house::{Account, Answer, House, SecureUpstream, bearer, until};
use crate::redis_away::signal;

async fn post(house: &House, account: &Account, path: &str, order: &str) -> Answer {
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", order), ("Accept-Encoding", "gzip")];
    house.gateway.send("POST", path, &lines, "{}").await
}

/// Sends a request and reads until this was told.
async fn begin(house: &House, account: &Account, path: &str, order: &str, told: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    let key = bearer(&account.key);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nX-Do: {order}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(told) {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", house.gateway.log());
    }
    stream
}

fn is_settled(event: &Event, account: &Account) -> bool {
    event.body.account() == Some(account.id) && matches!(event.body, Body::GiveBack { kept: Some(_), .. })
}

async fn holds(house: &House, what: &str) -> u64 {
    house.gateway.metric(&format!("tollgate_gateway_holds_{what}_total")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_in_the_header_is_settled_before_the_caller_reads_it() {
    let mut house = House::start().await;
    let account = house.account_with_budget(Status::Active, 100, 60).await;
    let answer = post(&house, &account, "/v1/hold", "price=7").await;
    assert_eq!((answer.status, answer.header("Credits-Cost"), answer.header("Credits-Hold")), (200, Some("7"), None));
    assert_eq!((answer.header("Credits-Remaining"), answer.header("Budget-Remaining")), (Some("93"), Some("53")));
    assert_eq!(answer.header("Tollgate-Price"), None, "it is between the two servers");
    let seen = house.upstream.last();
    assert_eq!((seen.values("tollgate-hold"), seen.values("tollgate-price-drawn")), (vec!["50"], vec![]));
    assert_eq!(seen.values("accept-encoding"), ["gzip"], "nobody looks at the body");
    assert_eq!(house.remaining(&account).await, 93);
    until("the line is written", || !house.gateway.request_lines().is_empty()).await;
    let line = &house.gateway.request_lines()[0];
    assert_eq!((&line["credits"], &line["remaining"]), (&json!(7), &json!(93)));
    // A second one fits into the budget only because the first gave back what it did not need.
    assert_eq!(post(&house, &account, "/v1/hold", "price=50").await.header("Budget-Remaining"), Some("3"));
    let refused = post(&house, &account, "/v1/hold", "price=1").await;
    assert_eq!(
        (refused.status, refused.code().as_str(), &refused.json()["price"]),
        (402, "budget_exhausted", &json!(50))
    );
    assert_eq!((house.upstream.seen().len(), house.remaining(&account).await), (2, 43));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_in_the_answer_is_settled_at_its_end() {
    let mut house = House::start().await;
    for (path, order, price) in [
        ("/v1/hold/json", "json=7", 7),
        ("/v1/hold/bytes", "bytes=101", 11),
        ("/v1/hold/bytes", "bytes=0", 0),
        ("/v1/hold/events", "priced-sse", 5),
    ] {
        let account = house.account(Status::Active, 100).await;
        house.upstream.go_on();
        let answer = post(&house, &account, path, order).await;
        assert_eq!((answer.header("Credits-Cost"), answer.header("Credits-Hold")), (None, Some("50")), "{path}");
        assert_eq!((answer.status, answer.header("Credits-Remaining")), (200, Some("50")));
        assert!(house.upstream.last().values("accept-encoding").is_empty(), "{path}: what is compressed can't be read");
        house.until_remaining(&account, 100 - price).await;
        let events = house.stage.events(&account.id).await;
        let settled = events.iter().filter(|event| is_settled(event, &account)).count();
        assert_eq!(settled, 1, "{path}: once");
    }
    assert_eq!((holds(&house, "settled_to_zero").await, holds(&house, "unreported").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_unreported_and_what_is_too_much_is_capped() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 1_000).await;
    let mut left = 1_000;
    for (path, order, price) in [
        ("/v1/hold", "price=51", 50),
        ("/v1/hold", "price=9999999999999999", 50),
        ("/v1/hold", "price=-1", 50),
        ("/v1/hold", "price=1.5", 50),
        ("/v1/hold", "price=", 50),
        ("/v1/hold", "status=404", 50),
        ("/v1/hold", "price=0", 0),
        ("/v1/hold/json", "json=60", 50),
        ("/v1/hold/json", "json=\"7\"", 2),
        ("/v1/hold/json", "json=7.5", 2),
        ("/v1/hold/json", "bytes=2000000", 2),
        ("/v1/hold/json", "", 2),
        ("/v1/hold/bytes", "bytes=2000000", 50),
    ] {
        assert!(post(&house, &account, path, order).await.status < 500, "{path} {order}");
        left -= price;
        house.until_remaining(&account, left).await;
    }
    assert_eq!((holds(&house, "capped").await, holds(&house, "settled_to_zero").await), (4, 1));
    assert_eq!(holds(&house, "unreported").await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_gives_the_whole_hold_back() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 100).await;
    for order in ["status=500", "close", "silence"] {
        let answer = post(&house, &account, "/v1/hold", order).await;
        assert!(answer.status >= 500, "{answer:?}");
        assert_eq!((answer.header("Credits-Cost"), answer.header("Credits-Remaining")), (Some("0"), Some("100")));
    }
    for (path, order) in
        [("/v1/hold/json", "cut-length"), ("/v1/hold/bytes", "cut-chunked"), ("/v1/hold/events", "sse-clean-cut")]
    {
        post(&house, &account, path, order).await;
        house.until_remaining(&account, 100).await;
    }
    // Where the route keeps what was drawn, what was told so far counts, and else what it says itself.
    assert_eq!(post(&house, &account, "/v1/hold/keeps", "close").await.header("Credits-Cost"), Some("3"));
    house.until_remaining(&account, 97).await;
    assert_eq!(house.gateway.metric("tollgate_gateway_give_backs_total{reason=\"server_error\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_pays_what_was_reported_so_far() {
    let mut house = House::start().await;
    for (path, order, told, price) in [
        ("/v1/hold/events", "priced-sse", "\"credits\":2", 2),
        ("/v1/hold/events", "sse-endless", "data: x", 1),
        ("/v1/hold", "stall=4", "half", 4),
        // The first event has 31 bytes, and is no JSON.
        ("/v1/hold/bytes", "priced-sse", "\"credits\":2", 4),
        ("/v1/hold/json", "priced-sse", "\"credits\":2", 2),
    ] {
        let account = house.account(Status::Active, 100).await;
        drop(begin(&house, &account, path, order, told).await);
        house.until_remaining(&account, 100 - price).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stop_cuts_is_given_back_or_comes_to_what_the_route_says() {
    for (path, left) in [("/v1/hold/events", 100), ("/v1/hold/keeps", 97)] {
        let mut house = House::start().await;
        let account = house.account(Status::Active, 100).await;
        let _stream = begin(&house, &account, path, "priced-sse", "\"credits\":2").await;
        house.gateway.signal("INT");
        house.gateway.until_gone(Duration::from_secs(10)).await.expect("it ends");
        house.until_remaining(&account, left).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_redis_does_not_take_is_sent_again() {
    let mut house = House::start_with("[meter]\nwait_ms_max = 200\nrestitution_pause_ms_max = 50").await;
    let account = house.account(Status::Active, 100).await;
    let mut stream = begin(&house, &account, "/v1/hold/events", "priced-sse", "\"credits\":2").await;
    signal(&house.redis, "STOP");
    house.upstream.go_on();
    let mut rest = Vec::new();
    while !rest.windows(6).any(|window| window == b"[DONE]") {
        assert!(stream.read_buf(&mut rest).await.unwrap() > 0);
    }
    while house.gateway.metric("tollgate_gateway_restitutions_total{kind=\"settle\"}").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    signal(&house.redis, "CONT");
    house.until_remaining(&account, 95).await;
    while house.gateway.metric("tollgate_gateway_restitutions_open").await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let events = house.stage.events(&account.id).await;
    assert_eq!(events.iter().filter(|event| is_settled(event, &account)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_released_before_costs_nothing_however_late_the_price_comes() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 100).await;
    let _stream = begin(&house, &account, "/v1/hold/events", "priced-sse", "\"credits\":2").await;
    // As the owner does once the time of the hold is over.
    let events = house.stage.events(&account.id).await;
    let drawn = events.iter().find(|event| event.body.account() == Some(account.id) && event.body.op().is_some());
    let Body::Debit { op, hold_until: Some(hold_until), .. } = &drawn.unwrap().body else {
        panic!("no hold: {events:?}")
    };
    let ask = Undo { op: *op, account: account.id, debit_op: *op, not_after: *hold_until, idempotency: None };
    assert_eq!(house.stage.meter().await.undo(&ask).await.unwrap(), UndoOutcome::Marked);
    house.upstream.go_on();
    until("the line is written", || !house.gateway.request_lines().is_empty()).await;
    assert_eq!(house.gateway.request_lines()[0].get("credits"), None, "nothing was paid");
    assert_eq!((holds(&house, "released_before").await, holds(&house, "unreported").await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_under_an_idempotency_key_is_held_and_settled_once() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 100).await;
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", "price=7"), ("Idempotency-Key", "k")];
    let send = || house.gateway.send("POST", "/v1/hold", &lines, "{}");
    assert_eq!(send().await.header("Credits-Cost"), Some("7"));
    let again = send().await;
    assert_eq!((again.status, again.header("Credits-Hold"), house.upstream.seen().len()), (409, None, 1));
    assert_eq!(house.remaining(&account).await, 93);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_in_the_trailer_is_settled_and_stays_between_the_servers() {
    let upstream = SecureUpstream::start(None).await;
    let group = format!("servers = [{{ url = \"http://localhost:{}\" }}]\nh2 = true", upstream.port());
    let mut house =
        House::start_with(&format!("[http2]\nplain = true\n[reload]\npoll_ms = 0\n[upstreams.group]\n{group}")).await;
    let account = house.account(Status::Active, 100).await;
    let route = "name = \"group\"\nmethod = \"POST\"\npath = \"/v1/group\"\nauth = \"api_key\"\nprice = ";
    house.gateway.edit("routes.toml", &format!("{route}1"), &format!("{route}{{ hold = 50, report = \"trailer\" }}"));
    house.gateway.edit("routes.toml", "path = \"/v1/group\"", "path = \"/v1/group/{end}\"");
    house.gateway.signal("HUP");
    while house.gateway.metric("tollgate_gateway_loads_total").await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let connection = Connection::plain(house.gateway.port).await;
    for (end, trailers, left) in [("trailer", vec![("end", "well")], 91), ("none", vec![], 41)] {
        let request =
            http::Request::post(format!("http://a/v1/group/{end}")).header("Authorization", bearer(&account.key));
        let told = connection.send(request.body(()).unwrap(), "{}").await.unwrap();
        assert_eq!((told.status(), told.head.headers()["credits-hold"].as_bytes()), (200, &b"50"[..]));
        let lines: Vec<_> =
            told.trailers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(lines, trailers, "what the server behind says about credits is not passed on");
        house.until_remaining(&account, left).await;
    }
    assert_eq!(holds(&house, "unreported").await, 1);
}
