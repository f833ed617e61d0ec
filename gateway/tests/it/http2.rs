//! HTTP/2 as good callers speak it: metered, screened and answered as HTTP/1.

use std::time::{Duration, Instant};

use http::Request;
use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::http2::{
    CONTINUATION, Connection, END_HEADERS, END_STREAM, Frames, HEADERS, PREFACE, SETTINGS, frame, request,
};
use crate::house::tls::Tls;
use crate::house::{Account, House, PATIENCE, bearer};

fn message(account: &Account) -> http::request::Builder {
    Request::post("http://first.test/v1/messages").header("Authorization", bearer(&account.key))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http2_is_metered_once_and_told_what_it_cost() {
    let tls = Tls::new(&["first.test"]);
    let mut house = House::start_with(&format!("{}[http2]\nplain = true", tls.settings(&["first.test"]))).await;
    let account = house.account(Status::Active, 10).await;
    let stream = tls.connect("first.test", tls.on_disk("first.test"), &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let secure = Connection::new(stream).await;
    let plain = Connection::plain(house.gateway.port).await;
    for (number, (connection, proto)) in (1..).zip([(&secure, "https"), (&plain, "http"), (&secure, "https")]) {
        let told = connection.send(message(&account).body(()).unwrap(), "{}").await.unwrap();
        assert_eq!(told.status(), 200);
        assert_eq!(told.head.headers()["credits-cost"], "1");
        assert_eq!(told.body, b"{\"from\":\"upstream\"}");
        let seen = house.upstream.last();
        assert_eq!(seen.line(), "POST /v1/messages HTTP/1.1");
        assert_eq!(seen.values("x-forwarded-proto"), [proto]);
        assert_eq!(seen.values("x-forwarded-host"), ["first.test"]);
        assert_eq!(seen.values("host"), [house.upstream.url().replace("http://", "")]);
        assert_eq!(seen.values("tollgate-account"), [account.id.to_string()]);
        assert_eq!(seen.values("authorization"), Vec::<&str>::new());
        assert_eq!(seen.body, b"2\r\n{}\r\n0\r\n\r\n");
        house.until_remaining(&account, 10 - number).await;
    }
    assert_eq!(house.upstream.seen().len(), 3);
    // A caller of HTTP/1 on the same listener is not disturbed.
    assert_eq!(house.message(&account, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_over_http1_is_refused_over_http2() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 10).await;
    let connection = Connection::plain(house.gateway.port).await;
    let get = |uri: &str| Request::get(uri).header("Authorization", bearer(&account.key));
    let artifact = "http://a/v1/artifacts/7";
    for (request, status) in [
        (get("http://a/v1/%2e%2e/x"), 400),
        (get("http://a//v1/artifacts/7"), 400),
        (get("http://a/v1/nothing"), 404),
        (get(artifact).header("X-Api-Key", "x"), 400),
        (get(artifact).header("Host", "b"), 400),
        (get(artifact).header("X-Long", "x".repeat(33_000)), 431),
        // Reset by the codec.
        (get(artifact).header("Content-Length", "+2"), 0),
        (Request::get(artifact), 401),
    ] {
        let request = request.body(()).unwrap();
        let what = format!("{request:?}");
        let told = connection.send(request, "").await;
        assert_eq!(told.map_or(0, |told| told.status()), status, "{what}");
    }
    let large = message(&account).body(()).unwrap();
    assert_eq!(connection.send(large, &"x".repeat(1_001)).await.unwrap().status(), 413);
    house.until_remaining(&account, 10).await;
    let trusted = get(artifact).header("Tollgate-Account", "x").header("X_Account", "x");
    let trusted = trusted.header("Cookie", "a=1").header("Cookie", "b=2").body(()).unwrap();
    assert_eq!(connection.send(trusted, "").await.unwrap().status(), 200);
    let seen = house.upstream.last();
    assert_eq!(seen.values("tollgate-account"), [account.id.to_string()]);
    assert_eq!(seen.values("x_account"), Vec::<&str>::new());
    assert_eq!(seen.values("cookie"), ["a=1; b=2"]);
    assert_eq!(house.upstream.seen().iter().filter(|seen| seen.whole).count(), 1);
    assert_eq!(connection.streams_max().await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_not_spoken_where_it_was_not_allowed() {
    let house = House::start().await;
    let answer = house.gateway.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_ends_after_its_idle_time_whatever_it_trickles() {
    let house = House::start_with("[http2]\nplain = true\n[limits]\nheader_ms_max = 300\nidle_ms_max = 2000").await;
    let good = Connection::plain(house.gateway.port).await;
    let open = || Request::get("http://a/open").body(()).unwrap();
    assert_eq!(good.send(open(), "").await.unwrap().status(), 200);
    let mut trickler = Frames::connect(house.gateway.port).await;
    trickler.write(&frame(HEADERS, 0, 1, &request("GET", "/open"))).await;
    let started = Instant::now();
    // The time for a header of HTTP/1 does not cut off a connection that is idle between two requests.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(good.send(open(), "").await.unwrap().status(), 200);
    while trickler.write(&frame(CONTINUATION, 0, 1, b"")).await {
        assert!(started.elapsed() < PATIENCE, "a trickling header was listened to");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let started = Instant::now();
    while good.send(open(), "").await.is_ok() {
        assert!(started.elapsed() < PATIENCE, "an idle connection stays");
        tokio::time::sleep(Duration::from_millis(2_200)).await;
    }
    // Half a preface is a header that does not come.
    let mut half = TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    half.write_all(&PREFACE[..10]).await.unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, half.read(&mut [0; 9])).await.unwrap().unwrap_or(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_comes_is_given_back() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 10).await;
    let connection = Connection::plain(house.gateway.port).await;
    assert_eq!(connection.send_header_only(message(&account).body(()).unwrap()).await.unwrap(), 504);
    house.until_remaining(&account, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_takes_no_bytes_of_an_answer_is_cut_off() {
    let house = House::start_with("[http2]\nplain = true\n[limits]\nwrite_ms_max = 400").await;
    let mut frames = Frames::connect(house.gateway.port).await;
    // Setting 4, the window of a stream, is 0: headers may be sent, a body may not.
    frames.write(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
    frames.write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &request("GET", "/open"))).await;
    house.upstream.until_seen(1).await;
    let started = Instant::now();
    while house.gateway.request_lines().is_empty() {
        assert!(started.elapsed() < PATIENCE, "the answer waits for ever");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(started.elapsed() > Duration::from_millis(200), "the answer was taken after {:?}", started.elapsed());
    assert_eq!(house.gateway.metric("tollgate_gateway_requests_in_flight").await, 0);
}
