//! Hostile requests of HTTP/2: what could become two requests, or another one, when it is said again in HTTP/1.

use metering::Status;

use crate::house::http2::{DATA, END_HEADERS, END_STREAM, Fate, HEADERS, fate, frame, literal, request};
use crate::house::{House, bearer};

const OK: Fate = Fate::Answered(0x88);
const BAD: Fate = Fate::Answered(0x8c);
const NO_ROUTE: Fate = Fate::Answered(0x8d);

/// A request's fields, and what becomes of it. `{key}` stands for the caller's key.
fn cases() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let key = || literal("authorization", "{key}");
    let priced = |more: &[Vec<u8>]| [request("GET", "/v1/priced"), key(), more.concat()].concat();
    let line = |name: &str, value: &str| priced(&[literal(name, value)]);
    let fields = |all: &[(&str, &str)]| all.iter().flat_map(|(name, value)| literal(name, value)).collect::<Vec<u8>>();
    let target = |path: &str| [request("GET", path), key()].concat();
    vec![
        ("a good request", priced(&[]), OK),
        ("a transfer coding", line("transfer-encoding", "chunked"), Fate::Reset),
        ("a connection option", line("connection", "close"), Fate::Reset),
        ("an upgrade", line("upgrade", "websocket"), Fate::Reset),
        ("a line for one hop", line("keep-alive", "timeout=9"), Fate::Reset),
        ("a proxy's line for one hop", line("proxy-connection", "keep-alive"), Fate::Reset),
        ("a name in capitals", line("X-Own", "1"), Fate::Closed),
        ("a line's end in a value", line("x-own", "1\r\nx-other: 2"), Fate::Closed),
        ("a NUL in a value", line("x-own", "1\0"), Fate::Closed),
        ("a line's end in a name", line("x-own: 1\r\nx-other", "2"), Fate::Closed),
        ("a colon in a name", line("x:own", "2"), Fate::Closed),
        ("an empty name", line("", "2"), Fate::Closed),
        ("a second path", line(":path", "/open"), Fate::Reset),
        ("an unknown field of the protocol", line(":own", "1"), Fate::Closed),
        ("a status", line(":status", "200"), Fate::Reset),
        ("no path", fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "a")]), Fate::Reset),
        ("no host", fields(&[(":method", "GET"), (":scheme", "http"), (":path", "/open")]), BAD),
        ("another host", line("host", "b"), BAD),
        ("two hosts", priced(&[literal("host", "a"), literal("host", "a")]), BAD),
        ("a length that is too long", line("content-length", "5"), Fate::Reset),
        ("two lengths", priced(&[literal("content-length", "0"), literal("content-length", "0")]), BAD),
        ("two keys", line("x-api-key", "x"), BAD),
        ("a target without a slash", target("v1/priced"), Fate::Reset),
        ("a target with a space", target("/v1/priced HTTP/1.1"), Fate::Reset),
        ("a target with a line's end", target("/v1/priced\r\nx-own: 1"), Fate::Reset),
        ("a target with a NUL", target("/v1/priced\0"), Fate::Reset),
        ("a target in absolute form", target("http://a/v1/priced"), Fate::Reset),
        ("a target with dots", target("/x/../v1/priced"), BAD),
        ("a target with two slashes", target("//v1/priced"), BAD),
        ("a star", target("*"), BAD),
        ("another case", target("/v1/Priced"), NO_ROUTE),
        ("a tunnel", fields(&[(":method", "CONNECT"), (":authority", "a:443")]), Fate::Answered(0x48)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_would_be_another_request_in_http1_goes_upstream() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 1_000).await;
    let key = bearer(&account.key);
    let (mut wrong, mut served) = (Vec::new(), 0);
    for (name, block, due) in cases() {
        let block = with_key(block, &key);
        let fate = fate(house.gateway.port, &frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)).await;
        served += u64::from(fate == OK);
        if fate != due {
            wrong.push(format!("{name}: due {due:?}, got {fate:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(house.upstream.seen().len() as u64, served);
    house.until_remaining(&account, 1_000 - served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_as_long_as_its_length_is_never_whole() {
    let mut house = House::start_with("[http2]\nplain = true").await;
    let account = house.account(Status::Active, 10).await;
    let lines = [literal("authorization", "{key}"), literal("content-length", "2")];
    let block = with_key([request("POST", "/v1/messages"), lines.concat()].concat(), &bearer(&account.key));
    for body in ["{}GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "{"] {
        let frames = [frame(HEADERS, END_HEADERS, 1, &block), frame(DATA, END_STREAM, 1, body.as_bytes())].concat();
        assert_ne!(fate(house.gateway.port, &frames).await, OK, "{body}");
    }
    assert!(house.upstream.seen().iter().all(|seen| !seen.whole && !seen.head.contains("smuggled")));
}

/// Puts the key in place of its sign, whose length stands in the byte before it.
fn with_key(mut block: Vec<u8>, key: &str) -> Vec<u8> {
    const SIGN: &[u8] = b"{key}";
    if let Some(at) = block.windows(SIGN.len()).position(|window| window == SIGN) {
        block[at - 1] = u8::try_from(key.len()).unwrap();
        block.splice(at..at + SIGN.len(), key.bytes());
    }
    block
}
