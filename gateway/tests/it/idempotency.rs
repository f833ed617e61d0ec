//! `Idempotency-Key`: drawn at most once, and a repeat is told the first one's receipt.

use std::collections::BTreeSet;

use metering::{Body, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::http2::Connection;
use crate::house::{Account, Answer, House, bearer};

/// `POST` of a message under a key.
async fn post(house: &House, account: &Account, path: &str, key: &str, lines: &[(&str, &str)], body: &str) -> Answer {
    let own = [("Authorization", &*bearer(&account.key)), ("Idempotency-Key", key)];
    house.gateway.send("POST", path, &[&own, lines].concat(), body).await
}

/// Waits until nothing is owed to Redis.
async fn until_told(house: &House) {
    while house.gateway.metric("tollgate_gateway_restitutions_open").await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_told_the_first_receipt_and_draws_nothing() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let first = post(&house, &account, "/v1/batch", "\"a-1\"", &[("Batch-Size", "3")], "{}").await;
    assert_eq!((first.status, first.header("Credits-Remaining")), (200, Some("7")), "{first:?}");
    assert_eq!(house.upstream.last().values("idempotency-key"), ["\"a-1\""], "it goes on to the server behind");
    until_told(&house).await;
    for _ in 0..3 {
        let again = post(&house, &account, "/v1/batch", "\"a-1\"", &[("Batch-Size", "3")], "{}").await;
        assert_eq!((again.status, again.code().as_str()), (409, "idempotency_key_used"), "{again:?}");
        assert_eq!(again.header("Credits-Receipt"), first.header("Credits-Receipt"));
        assert_eq!(again.json()["receipt"].as_str(), first.header("Credits-Receipt"));
        assert_ne!(again.header("Request-Id"), first.header("Request-Id"));
    }
    // Quotes belong to the key, and another account's key is another one.
    assert_eq!(post(&house, &account, "/v1/batch", "a-1", &[("Batch-Size", "3")], "{}").await.status, 200);
    let other = house.account(Status::Active, 10).await;
    assert_eq!(post(&house, &other, "/v1/batch", "a-1", &[("Batch-Size", "3")], "{}").await.status, 200);
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (4, 3));
    assert_eq!(house.gateway.metric("tollgate_gateway_debits_total{outcome=\"repeated\"}").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_at_once_one_is_served() {
    let mut house = House::start_with("[meter]\nwait_ms_max = 8000\nop_lifetime_ms = 20000").await;
    let account = house.account(Status::Active, 100).await;
    let answers =
        futures::future::join_all((0..50).map(|_| post(&house, &account, "/v1/messages", "same", &[], "{}"))).await;
    let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(200), of(409)), (1, 49));
    let receipts: BTreeSet<_> = answers.iter().map(|answer| answer.header("Credits-Receipt")).collect();
    assert_eq!(receipts.len(), 1, "all are told the one receipt");
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (99, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_for_another_request_is_a_mistake() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let send = async |path: &str, kind: &str, body: &str| {
        post(&house, &account, path, "k", &[("Content-Type", kind), ("X-Do", "")], body).await
    };
    assert_eq!(send("/v1/messages?a=1", "application/json", "{\"a\":1}").await.status, 200);
    until_told(&house).await;
    for (path, kind, body) in [
        ("/v1/messages?a=1", "application/json", "{\"a\":2}"),
        ("/v1/messages?a=1", "application/json", ""),
        ("/v1/messages?a=1", "text/plain", "{\"a\":1}"),
        ("/v1/messages?a=2", "application/json", "{\"a\":1}"),
        ("/v1/messages", "application/json", "{\"a\":1}"),
        ("/v1/keeps", "application/json", "{\"a\":1}"),
    ] {
        let answer = send(path, kind, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "idempotency_key_mismatch"), "{path} {kind} {body}");
    }
    // The same target in another spelling is the same request.
    assert_eq!(send("/v1/%6Dessages?a=1", "application/json", "{\"a\":1}").await.status, 409);
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (9, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_compared_up_to_its_limit_and_beyond_by_its_length() {
    let mut house = House::start_with("[idempotency]\nbody_bytes_max = 100").await;
    let account = house.account(Status::Active, 10).await;
    for (key, bytes, other_body) in [("small", 100, 422), ("large", 101, 409)] {
        let body = |letter: &str| letter.repeat(bytes);
        assert_eq!(post(&house, &account, "/v1/keeps", key, &[], &body("a")).await.status, 200);
        assert_eq!(house.upstream.last().body, body("a").as_bytes());
        assert_eq!(post(&house, &account, "/v1/keeps", key, &[], &body("b")).await.status, other_body, "{key}");
    }
    assert_eq!(post(&house, &account, "/v1/keeps", "large", &[], &"a".repeat(102)).await.status, 422);
    // Without a length nothing is read ahead: only that there is none is compared.
    let chunked = |body: &str| {
        format!(
            "POST /v1/keeps HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nIdempotency-Key: c\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            bearer(&account.key),
            body.len()
        )
    };
    assert_eq!(house.gateway.raw(&chunked("ab")).await.status, 200);
    assert_eq!(house.upstream.last().body, b"2\r\nab\r\n0\r\n\r\n");
    assert_eq!(house.gateway.raw(&chunked("cd")).await.status, 409);
    assert_eq!(house.remaining(&account).await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_refused_where_something_is_drawn_and_ignored_where_nothing_is() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let long = "k".repeat(256);
    for key in ["", "a b", "caf\u{e9}", &long] {
        let answer = post(&house, &account, "/v1/messages", key, &[], "{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{key:?}");
    }
    let twice = post(&house, &account, "/v1/messages", "a", &[("Idempotency-Key", "a")], "{}").await;
    assert_eq!((twice.status, twice.code().as_str()), (400, "bad_request"));
    let lines = [("Authorization", &*bearer(&account.key)), ("Idempotency-Key", "a b")];
    for _ in 0..2 {
        assert_eq!(house.gateway.send("GET", "/v1/artifacts/7", &lines, "").await.status, 200);
    }
    assert_eq!((house.remaining(&account).await, house.upstream.seen().len()), (10, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_may_be_asked_again() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    house.upstream.usually("status=503");
    for _ in 0..2 {
        let answer = post(&house, &account, "/v1/batch", "k", &[("Batch-Size", "2")], "{}").await;
        assert_eq!((answer.status, answer.header("Credits-Cost")), (503, Some("0")));
    }
    house.upstream.usually("cut-length");
    assert_eq!(post(&house, &account, "/v1/batch", "k", &[("Batch-Size", "2")], "{}").await.status, 200);
    house.until_remaining(&account, 10).await;
    house.upstream.usually("");
    assert_eq!(post(&house, &account, "/v1/batch", "k", &[("Batch-Size", "2")], "{}").await.status, 200);
    assert_eq!(post(&house, &account, "/v1/batch", "k", &[("Batch-Size", "2")], "{}").await.status, 409);
    assert_eq!(house.remaining(&account).await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_while_the_first_is_served_is_told_so_and_later_that_it_was() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let head = format!(
        "POST /v1/stream HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: {}\r\nIdempotency-Key: s\r\nX-Do: sse\r\n\
         Connection: close\r\nContent-Length: 2\r\n\r\n{{}}",
        bearer(&account.key)
    );
    let mut first = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    first.write_all(head.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    while !told.windows(7).any(|window| window == b"data: 1") {
        assert!(first.read_buf(&mut told).await.unwrap() > 0);
    }
    let repeat = || post(&house, &account, "/v1/stream", "s", &[("X-Do", "sse")], "{}");
    assert_eq!(repeat().await.code(), "idempotency_key_in_use");
    house.upstream.go_on();
    first.read_to_end(&mut told).await.unwrap();
    until_told(&house).await;
    let over = repeat().await;
    assert_eq!((over.status, over.code().as_str()), (409, "idempotency_key_used"));
    assert_eq!(house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_debit_without_an_answer_the_key_is_free_again() {
    let mut house = House::start_with("[meter]\nwait_ms_max = 150\nrestitution_pause_ms_max = 50").await;
    let account = house.account(Status::Active, 10).await;
    house.warm(&account).await;
    crate::redis_away::signal(&house.redis, "STOP");
    let answer = post(&house, &account, "/v1/messages", "k", &[], "{}").await;
    crate::redis_away::signal(&house.redis, "CONT");
    assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"));
    until_told(&house).await;
    // The book decides about the first; here only its mark matters.
    assert_eq!(post(&house, &account, "/v1/messages", "k", &[], "{}").await.status, 200);
    let events = house.stage.events(&account.id).await;
    assert!(events.iter().any(|event| matches!(event.body, Body::Undo { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_read_ahead_goes_on_whole() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 100).await;
    for (number, bytes) in [1, 65_536, 65_537, 300_000, 1 << 20].into_iter().enumerate() {
        let body = "0123456789".repeat(bytes / 10 + 1)[..bytes].to_owned();
        let key = format!("k{number}");
        let answer = post(&house, &account, "/v1/keeps", &key, &[("Expect", "100-continue")], &body).await;
        assert!(answer.head.starts_with("HTTP/1.1 100"), "{answer:?}");
        assert!(answer.text().starts_with("HTTP/1.1 200"), "{bytes} bytes: {answer:?}");
        let seen = house.upstream.last();
        assert!(seen.body == body.as_bytes() && seen.values("expect").is_empty(), "{bytes} bytes changed on their way");
    }
    let connection = Connection::plain(house.gateway.port).await;
    for (number, length) in [Some("200000"), None].into_iter().enumerate() {
        let body = "9876543210".repeat(20_000);
        let mut request = http::Request::post("http://a/v1/keeps").header("Authorization", bearer(&account.key));
        request = request.header("Idempotency-Key", format!("h{number}"));
        if let Some(length) = length {
            request = request.header("Content-Length", length);
        }
        let told = connection.send(request.body(()).unwrap(), &body).await.unwrap();
        assert_eq!(told.status(), 200, "{length:?}");
        let seen = house.upstream.last().body;
        let digits = seen.iter().filter(|byte| byte.is_ascii_digit()).count();
        assert!(digits >= body.len(), "{} of {} came", digits, body.len());
    }
    assert_eq!(house.remaining(&account).await, 93);
}
