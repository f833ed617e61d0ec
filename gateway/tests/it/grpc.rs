//! Calls of gRPC through the gateway: what passes, what is given back, and how a refusal is said.

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request};
use metering::Status;

use crate::house::grpc::{GrpcUpstream, lines_of, message};
use crate::house::http2::Connection;
use crate::house::{House, PATIENCE, bearer, until};

/// A house with one account of ten credits, and the key of it.
async fn house(upstream: &GrpcUpstream) -> (House, crate::house::Account, Connection) {
    let mut house = House::start_with(&upstream.settings()).await;
    let account = house.account(Status::Active, 10).await;
    let connection = Connection::plain(house.gateway.port).await;
    (house, account, connection)
}

fn call(path: &str, key: &str, order: &str) -> Request<()> {
    let call = Request::post(format!("http://a{path}")).header("content-type", "application/grpc+proto");
    call.header("te", "trailers").header("authorization", key).header("x-do", order).body(()).unwrap()
}

/// What a caller of gRPC reads: messages, and the status wherever it stands.
struct Ended {
    head: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
}

impl Ended {
    fn status(&self) -> &str {
        let lines = self.trailers.as_ref().unwrap_or(&self.head);
        lines.get("grpc-status").map_or("none", |status| status.to_str().unwrap())
    }
}

async fn open(connection: &Connection, request: Request<()>) -> (ResponseFuture, SendStream<Bytes>) {
    connection.open(request).await.unwrap()
}

async fn ended(answer: ResponseFuture) -> Result<Ended, h2::Error> {
    let (head, mut body) = answer.await?.into_parts();
    assert_eq!(head.status, 200);
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    Ok(Ended { head: head.headers, body: bytes, trailers: body.trailers().await? })
}

async fn unary(connection: &Connection, request: Request<()>) -> Result<Ended, h2::Error> {
    let (answer, mut sending) = open(connection, request).await;
    // The answer may have ended the call already.
    sending.send_data(message("hello"), true).ok();
    tokio::time::timeout(PATIENCE, ended(answer)).await.expect("the call ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unary_call_is_metered_and_its_status_comes_back_in_the_trailers() {
    let upstream = GrpcUpstream::start().await;
    let (house, account, connection) = house(&upstream).await;
    let told = unary(&connection, call("/echo.Echo/Say", &bearer(&account.key), "")).await.unwrap();
    assert_eq!((told.body.as_slice(), told.status()), (&message("hello")[..], "0"));
    assert!(told.head["credits-cost"] == "1" && told.head["credits-remaining"] == "9", "{:?}", told.head);
    // What upstreams are told, and what the gateway alone says, is no trailer.
    let names: Vec<_> = told.trailers.iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grpc-status", "grpc-message", "x-own"]);
    let (head, _) = upstream.seen().pop().unwrap();
    assert!(head["te"] == "trailers" && head["content-type"] == "application/grpc+proto", "{head:?}");
    assert_eq!(head["tollgate-account"], account.id.to_string());
    house.until_remaining(&account, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_both_ways_while_the_call_is_open() {
    let upstream = GrpcUpstream::start().await;
    let (house, account, connection) = house(&upstream).await;
    let (answer, mut sending) = open(&connection, call("/echo.Echo/Chat", &bearer(&account.key), "")).await;
    sending.send_data(message("0"), false).unwrap();
    let (_, mut body) = answer.await.unwrap().into_parts();
    for number in 0..20 {
        assert_eq!(hear(&mut body).await, message(&number.to_string()), "each is answered before the next is sent");
        sending.send_data(message(&(number + 1).to_string()), false).unwrap();
    }
    assert_eq!(hear(&mut body).await, message("20"));
    sending.send_data(Bytes::new(), true).unwrap();
    assert!(body.data().await.is_none());
    assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
    house.until_remaining(&account, 9).await;
}

async fn hear(body: &mut RecvStream) -> Bytes {
    let piece = tokio::time::timeout(PATIENCE, body.data()).await.expect("a message comes").unwrap().unwrap();
    body.flow_control().release_capacity(piece.len()).unwrap();
    piece
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_a_caller_end_at_the_gateway_and_of_te_only_trailers_go_on() {
    let upstream = GrpcUpstream::start().await;
    let (house, account, connection) = house(&upstream).await;
    let (answer, mut sending) = open(&connection, call("/echo.Echo/Say", &bearer(&account.key), "")).await;
    sending.send_data(message("hello"), false).unwrap();
    let forged =
        [("tollgate-account", "forged"), ("x_account", "forged"), ("x-forwarded-for", "forged"), ("x-own", "1")];
    sending.send_trailers(lines_of(&forged)).unwrap();
    let told = tokio::time::timeout(PATIENCE, ended(answer)).await.unwrap().unwrap();
    assert_eq!(told.status(), "0");
    let (head, trailers) = upstream.seen().pop().unwrap();
    assert_eq!((head["tollgate-account"].to_str().unwrap(), trailers), (&*account.id.to_string(), None));
    // A caller of HTTP/1 could not be told trailers, so the upstream is not told that it could.
    let lines = [
        ("Authorization", &*bearer(&account.key)),
        ("Content-Type", "application/grpc"),
        ("TE", "trailers"),
        ("Trailer", "x-own"),
    ];
    let answer = house.gateway.send("POST", "/echo.Echo/Say", &lines, "x").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (head, _) = upstream.seen().pop().unwrap();
    assert_eq!((head.get("te"), head.get("trailer")), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_in_a_server_error_is_given_back() {
    let upstream = GrpcUpstream::start().await;
    let (house, account, connection) = house(&upstream).await;
    let key = bearer(&account.key);
    let mut left = 10;
    for (order, status, back) in [
        ("end=14", "14", true),
        ("end=13", "13", true),
        ("end=2", "2", true),
        ("end=99", "99", true),
        // The caller's own faults, and its own deadline.
        ("end=3", "3", false),
        ("end=5", "5", false),
        ("end=4", "4", false),
        ("only=14", "14", true),
        ("only=7", "7", false),
        // Without a status the call has broken off.
        ("cut", "none", true),
    ] {
        let told = unary(&connection, call("/echo.Echo/Say", &key, order)).await.unwrap();
        assert_eq!(told.status(), status, "{order}");
        left -= u64::from(!back);
        house.until_remaining(&account, left).await;
        if order.starts_with("only") {
            let cost = &told.head["credits-cost"];
            assert_eq!(cost, if back { "0" } else { "1" }, "{order}");
        }
    }
    assert!(unary(&connection, call("/echo.Echo/Say", &key, "reset")).await.is_err());
    house.until_remaining(&account, left).await;
    // A route may say what counts.
    for (order, back) in [("end=14", false), ("end=4", true)] {
        unary(&connection, call("/keeps.Echo/Say", &key, order)).await.unwrap();
        left -= u64::from(!back);
        house.until_remaining(&account, left).await;
    }
    let metric = |reason| format!("tollgate_gateway_give_backs_total{{reason=\"{reason}\"}}");
    assert_eq!(house.gateway.metric(&metric("server_error")).await, 6);
    assert_eq!(house.gateway.metric(&metric("broken_stream")).await, 2);
    until("all log lines", || house.gateway.request_lines().len() == 13).await;
    assert_eq!(house.gateway.request_lines()[0]["grpc_status"], 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_said_in_terms_of_grpc() {
    let upstream = GrpcUpstream::start().await;
    let (mut house, account, connection) = house(&upstream).await;
    let (poor, stopped) = (house.account(Status::Active, 0).await, house.account(Status::Suspended, 5).await);
    let unpaid = house.account(Status::PaymentFailed, 5).await;
    let key = |account: &crate::house::Account| bearer(&account.key);
    for (path, key, status, code) in [
        ("/echo.Echo/Say", "Bearer x".to_owned(), "16", "invalid_api_key"),
        ("/echo.Echo/Say", key(&stopped), "7", "account_suspended"),
        ("/echo.Echo/Say", key(&poor), "8", "credits_exhausted"),
        ("/echo.Echo/Say", key(&unpaid), "9", "payment_failed"),
        ("/nothing.Here/Say", key(&account), "12", "no_route"),
        ("/v1/%2e%2e/x", key(&account), "3", "bad_request"),
    ] {
        let told = unary(&connection, call(path, &key, "")).await.unwrap();
        assert_eq!(
            (told.status(), &told.head["content-type"]),
            (status, &"application/grpc".parse().unwrap()),
            "{code}"
        );
        let message = told.head["grpc-message"].to_str().unwrap();
        assert!(message.starts_with(&format!("{code}: ")), "{message}");
        assert!(told.body.is_empty() && told.trailers.is_none() && told.head.contains_key("request-id"), "{code}");
    }
    assert_eq!(upstream.seen().len(), 0);
    // What is counted and logged is what the refusal means.
    assert_eq!(house.gateway.metric("tollgate_gateway_rejections_total{code=\"credits_exhausted\"}").await, 1);
    until("all log lines", || house.gateway.request_lines().len() == 6).await;
    let statuses: Vec<_> = house.gateway.request_lines().iter().map(|line| line["status"].clone()).collect();
    assert_eq!(statuses, [401, 403, 402, 402, 404, 400]);
    // A caller who does not speak gRPC reads a problem as ever.
    for kind in ["application/json", "application/grpc"] {
        let plain = house.gateway.send("POST", "/echo.Echo/Say", &[("Content-Type", kind)], "{}").await;
        assert_eq!((plain.status, plain.code().as_str()), (401, "invalid_api_key"), "{kind} over HTTP/1");
    }
    house.redis.kill();
    let told = unary(&connection, call("/echo.Echo/Say", &key(&account), "")).await.unwrap();
    assert_eq!((told.status(), &told.head["grpc-retry-pushback-ms"]), ("14", &"1000".parse().unwrap()));
}
