//! What an upstream can do wrong, and who pays then.

use std::time::{Duration, Instant};

use metering::Status;

use crate::house::{Answer, House, bearer};

/// Path, what the upstream does, the status the caller sees, whether credits go back, the reason in log and metrics.
const MATRIX: [(&str, &str, u16, Option<&str>); 15] = [
    ("/v1/messages", "", 200, None),
    ("/v1/messages", "status=400", 400, None),
    ("/v1/messages", "status=429", 429, None),
    ("/v1/messages", "status=500", 500, Some("server_error")),
    ("/v1/messages", "status=503", 503, Some("server_error")),
    ("/v1/messages", "silence", 504, Some("timeout")),
    ("/v1/messages", "close", 502, Some("broken_stream")),
    ("/v1/messages", "cut-length", 200, Some("broken_stream")),
    ("/v1/messages", "cut-chunked", 200, Some("broken_stream")),
    ("/v1/messages", "stall", 200, Some("timeout")),
    ("/v1/unreachable", "", 502, Some("unreachable")),
    ("/v1/keeps", "status=500", 500, None),
    ("/v1/keeps", "silence", 504, None),
    ("/v1/keeps", "close", 502, None),
    ("/v1/keeps", "cut-length", 200, None),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_upstream_is_charged_as_its_route_says() {
    let mut house = House::start().await;
    for (path, fault, status, given_back) in MATRIX {
        let account = house.account(Status::Active, 10).await;
        let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", fault)];
        let answer = house.gateway.send("POST", path, &lines, "{}").await;
        assert_eq!(answer.status, status, "{path} {fault}: {answer:?}");
        house.until_remaining(&account, if given_back.is_some() { 10 } else { 9 }).await;
        // A header that was sent before the fault can't know of it.
        if matches!(status, 500..) {
            let cost = if given_back.is_some() { ("0", "10") } else { ("1", "9") };
            assert_eq!(told(&answer), cost, "{path} {fault}");
        }
        if matches!((status, fault), (502 | 504, _)) {
            assert_eq!(answer.header("Content-Type"), Some("application/problem+json"));
            assert_eq!(answer.code(), if status == 502 { "upstream_failed" } else { "upstream_timeout" });
        }
        let account_text = account.id.to_string();
        crate::house::until("the log line", || {
            house.gateway.request_lines().iter().any(|line| line["account"] == account_text.as_str())
        })
        .await;
        let lines = house.gateway.request_lines();
        let line = lines.iter().find(|line| line["account"] == account_text.as_str()).unwrap();
        assert_eq!(line["given_back"].as_str(), given_back, "{line}");
        assert_eq!(line["credits"].as_u64(), given_back.is_none().then_some(1), "{line}");
        if let Some(reason) = given_back {
            let metric = format!("tollgate_gateway_give_backs_total{{reason=\"{reason}\"}}");
            assert!(house.gateway.metric(&metric).await >= 1, "{metric}");
        }
    }
}

fn told(answer: &Answer) -> (&str, &str) {
    (answer.header("Credits-Cost").unwrap_or_default(), answer.header("Credits-Remaining").unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_upstream_ends_at_its_deadline_and_gives_back_to_everybody_who_waited() {
    /// Of the route, and for a machine that is busy with other tests.
    const DEADLINE: Duration = Duration::from_millis(500);
    const SLACK: Duration = Duration::from_secs(3);
    const CALLERS: u64 = 50;
    let mut house = House::start_with("[meter]\nwait_ms_max = 5000\nop_lifetime_ms = 10000").await;
    let account = house.account(Status::Active, CALLERS).await;
    let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", "silence")];
    let call = async || {
        let started = Instant::now();
        (house.gateway.send("POST", "/v1/messages", &lines, "{}").await, started.elapsed())
    };
    for (answer, took) in futures::future::join_all((0..CALLERS).map(|_| call())).await {
        assert_eq!((answer.status, answer.code().as_str()), (504, "upstream_timeout"), "{answer:?}");
        assert_eq!(answer.header("Credits-Cost"), Some("0"));
        assert!((DEADLINE..DEADLINE + SLACK).contains(&took), "it took {took:?}");
    }
    house.until_remaining(&account, CALLERS).await;
    let counted = house.gateway.metric("tollgate_gateway_give_backs_total{reason=\"timeout\"}").await;
    assert_eq!((counted, house.upstream.seen().len() as u64), (CALLERS, CALLERS), "each was asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metered_request_is_never_sent_twice_and_a_free_one_may_be() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    // A pooled connection that dies when the next request comes: the first request leaves it behind.
    for (path, charged) in [("/v1/priced", true), ("/v1/artifacts/7", false)] {
        assert_eq!(house.get(path, &account).await.status, 200);
        let before = house.upstream.seen().len();
        let lines = [("Authorization", &*bearer(&account.key)), ("X-Do", "close")];
        let answer = house.gateway.send("GET", path, &lines, "").await;
        assert_eq!(answer.status, 502, "{path}");
        let sent = house.upstream.seen().len() - before;
        assert!(sent == 1 || (sent == 2 && !charged), "{path} was sent {sent} times");
    }
    house.until_remaining(&account, 9).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lives_on_after_a_refusal() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 1).await;
    let key = bearer(&account.key);
    let one = format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\nContent-Length: 2\r\n");
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", house.gateway.port)).await.unwrap();
    for status in ["200", "402", "402"] {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        stream.write_all(format!("{one}\r\n{{}}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert!(
                stream.read_buf(&mut answer).await.unwrap() > 0,
                "closed after {}",
                String::from_utf8_lossy(&answer)
            );
        }
        assert!(String::from_utf8_lossy(&answer).starts_with(&format!("HTTP/1.1 {status}")));
    }
}
