//! Browsers that a page of somebody else makes ask with the session's cookie: nothing is written and nothing is drawn.

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{PATIENCE, Signer, session_settings};
use crate::sessions::{Chat, cookie};

const CROSS_SITE: (u16, &str) = (403, "cross_site_request");
const KIND: (u16, &str) = (415, "unsupported_media_type");

type Line = (&'static str, &'static str);
type Case = (&'static [Line], (u16, &'static str));

const JSON: Line = ("Content-Type", "application/json");
const HERE: Line = ("Sec-Fetch-Site", "same-origin");
const OWN: Line = ("Origin", "http://gateway.test");

/// The gateway is `http://gateway.test`.
const CASES: [Case; 34] = [
    // What the browser says of the page.
    (&[JSON, ("Sec-Fetch-Site", "cross-site")], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "same-site")], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "none")], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "")], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "Same-Origin")], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "same-origin, cross-site")], CROSS_SITE),
    (&[JSON, HERE, ("Sec-Fetch-Site", "cross-site")], CROSS_SITE),
    (&[JSON, HERE, HERE], CROSS_SITE),
    // It has the last word, whatever the origin.
    (&[JSON, ("Sec-Fetch-Site", "cross-site"), OWN], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "same-site"), OWN], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", "none"), OWN], CROSS_SITE),
    (&[JSON, ("Sec-Fetch-Site", ""), OWN], CROSS_SITE),
    // Older browsers say the origin only.
    (&[JSON], CROSS_SITE),
    (&[JSON, ("Origin", "null")], CROSS_SITE),
    (&[JSON, ("Origin", "")], CROSS_SITE),
    (&[JSON, ("Origin", "http://evil.test")], CROSS_SITE),
    (&[JSON, ("Origin", "https://gateway.test")], CROSS_SITE),
    (&[JSON, ("Origin", "http://gateway.test:8080")], CROSS_SITE),
    (&[JSON, ("Origin", "http://gateway.test/")], CROSS_SITE),
    (&[JSON, ("Origin", "http://gateway.test.evil.test")], CROSS_SITE),
    (&[JSON, ("Origin", "http://evil.test/http://gateway.test")], CROSS_SITE),
    (&[JSON, ("Origin", "http://ann@gateway.test")], CROSS_SITE),
    (&[JSON, ("Origin", "http://chat.gateway.test")], CROSS_SITE),
    (&[JSON, ("Origin", "gateway.test")], CROSS_SITE),
    (&[JSON, OWN, ("Origin", "http://evil.test")], CROSS_SITE),
    (&[JSON, OWN, OWN], CROSS_SITE),
    (&[JSON, ("Referer", "http://gateway.test/")], CROSS_SITE),
    (&[JSON, ("X-Forwarded-Host", "evil.test"), ("Origin", "http://evil.test")], CROSS_SITE),
    // What forms can send without asking first, from a page of this host, too.
    (&[HERE], KIND),
    (&[HERE, ("Content-Type", "text/plain")], KIND),
    (&[HERE, ("Content-Type", "application/x-www-form-urlencoded")], KIND),
    (&[HERE, ("Content-Type", "multipart/form-data; boundary=application/json")], KIND),
    (&[HERE, ("Content-Type", "text/plain; application/json")], KIND),
    (&[OWN, ("Content-Type", "application/jsonp")], KIND),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_write_with_the_cookie_from_another_site_is_refused_and_draws_nothing() {
    let signer = Signer::es256();
    let keys = serde_json::json!({ "keys": [signer.jwk("one")] });
    let mut chat = Chat::start_with(signer, &keys, "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let session = cookie(&chat.token(&account));
    let calls = chat.house.script_calls().await;
    for (lines, expected) in CASES {
        let lines = [&[("Cookie", session.as_str())], lines].concat();
        // Priced, priced or a key's, priced by what the body says.
        for path in ["/chat/say", "/chat/both", "/chat/messages"] {
            let answer = chat.house.gateway.send("POST", path, &lines, "{\"respond\":true}").await;
            assert_eq!((answer.status, answer.code().as_str()), expected, "{path} {lines:?}");
        }
    }
    assert_eq!(chat.house.script_calls().await, calls, "nobody was even looked up");
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
    for lines in [&[JSON, OWN][..], &[JSON, HERE], &[JSON, HERE, ("Origin", "http://evil.test")]] {
        let lines = [&[("Cookie", session.as_str())], lines].concat();
        assert_eq!(chat.write(&lines).await.status, 200, "a page of this host: {lines:?}");
    }
    assert_eq!(chat.house.remaining(&account).await, 7);
}

/// A problem on a connection that goes on, up to the end of its JSON.
async fn first_answer(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"}") {
        let read = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("an answer");
        told.push(read.unwrap_or_else(|_| panic!("closed after {}", String::from_utf8_lossy(&told))));
    }
    String::from_utf8(told).unwrap()
}

/// A picture that costs credits, and a WebSocket, which pages of any site may open.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_draws_and_an_upgrade_come_from_a_page_of_this_host_too() {
    let signer = Signer::ed_dsa();
    let keys = serde_json::json!({ "keys": [signer.jwk("one")] });
    let mut chat = Chat::start_with(signer, &keys, "").await;
    let account = chat.house.account(Status::Active, 10).await;
    let session = cookie(&chat.token(&account));
    let calls = chat.house.script_calls().await;
    let ask = |path: &str, lines: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: gateway.test\r\nX-Do: echo=3\r\nCookie: {session}\r\n{lines}\r\n")
    };
    let handshake = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for from in [
        "",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Origin: null\r\n",
        "Origin: http://evil.test\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://gateway.test\r\n",
    ] {
        for request in [ask("/chat/look", from), ask("/chat/socket", &format!("{from}{handshake}"))] {
            let told = first_answer(chat.house.gateway.port, &request).await;
            assert!(told.starts_with("HTTP/1.1 403 ") && told.contains("\"cross_site_request\""), "{request}{told}");
        }
    }
    assert_eq!(chat.house.script_calls().await, calls, "nobody was even looked up");
    assert_eq!((chat.house.upstream.seen().len(), chat.house.remaining(&account).await), (0, 10));
    let lines = [("Cookie", session.as_str()), HERE];
    assert_eq!(chat.house.gateway.send("GET", "/chat/look", &lines, "").await.status, 200);
    let upgraded = ask("/chat/socket", &format!("Sec-Fetch-Site: same-origin\r\n{handshake}"));
    assert_eq!(chat.house.gateway.raw(&upgraded).await.status, 101);
    assert_eq!(chat.house.remaining(&account).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_adds_the_token_itself_needs_no_proof_of_where_it_is_from() {
    let secret = "0123456789abcdef0123456789abcdef";
    let settings = session_settings("HS256", &format!("secret = \"{secret}\""));
    let mut house = crate::house::House::start_with(&settings).await;
    let account = house.account(Status::Active, 10).await;
    let header = serde_json::json!({ "typ": "JWT", "alg": "HS256" });
    let token = Signer::Hs256(secret.into()).sign(&header, &crate::sessions::claims(&account));
    let lines = [("Authorization", &*format!("Bearer {token}")), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(house.gateway.send("POST", "/chat/say", &lines, "hello").await.status, 200);
}
