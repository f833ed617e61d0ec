//! TLS as callers meet it: names, versions, renewed certificates.

use std::fs;
use std::time::{Duration, Instant};

use metering::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::tls::{Tls, ask};
use crate::house::{House, bearer, binary};

const NAMES: [&str; 2] = ["first.test", "second.test"];

#[tokio::test(flavor = "multi_thread")]
async fn the_name_asked_for_chooses_the_certificate_and_the_upstream_knows_of_tls() {
    let tls = Tls::new(&NAMES);
    let mut house = House::start_with(&tls.settings(&NAMES)).await;
    let account = house.account(Status::Active, 10).await;
    let key = bearer(&account.key);
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-Proto: http\r\nAuthorization: {key}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    for (number, name) in (1..).zip(NAMES) {
        let stream = tls.connect(name, tls.on_disk(name), &["http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(ask(stream, &request).await.status, 200, "{name}");
        assert_eq!(house.upstream.last().values("x-forwarded-proto"), ["https"]);
        house.until_remaining(&account, 10 - number).await;
    }
    // Who asks for an unknown name meets the first certificate, and so does who asks for none.
    for name in ["unknown.test", "127.0.0.1"] {
        let error = tls.connect(name, tls.on_disk("first.test"), &[]).await.unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{error}");
    }
    // Who trusts another one is not served by it.
    assert!(tls.connect("first.test", tls.on_disk("second.test"), &[]).await.is_err());
    // Over plain HTTP nothing has changed.
    assert_eq!(house.message(&account, "").await.status, 200);
    assert_eq!(house.upstream.last().values("x-forwarded-proto"), ["http"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_and_a_bad_one_is_not() {
    let tls = Tls::new(&["first.test"]);
    let house = House::start_with(&tls.settings(&["first.test"])).await;
    let served = |certificate| async { tls.connect("first.test", certificate, &[]).await.is_ok() };
    let before = tls.on_disk("first.test");
    assert!(served(before.clone()).await);
    let expiry = "tollgate_gateway_certificate_expires_timestamp_seconds{certificate=\"first.test\"}";
    assert!(house.gateway.metric(expiry).await > 4_000_000_000);

    fs::write(tls.key("first.test"), "no key").unwrap();
    until_metric(&house, "tollgate_gateway_certificate_reloads_total{result=\"refused\"}").await;
    assert!(served(before.clone()).await, "the old certificate stays");
    assert!(!house.gateway.log().contains("no key"), "what stands in the file of a key is not logged");

    tls.renew("first.test");
    until_metric(&house, "tollgate_gateway_certificate_reloads_total{result=\"taken\"}").await;
    assert!(served(tls.on_disk("first.test")).await, "the new certificate serves");
    assert!(!served(before).await);
}

async fn until_metric(house: &House, line: &str) {
    let started = Instant::now();
    while house.gateway.metric(line).await == 0 {
        assert!(started.elapsed() < crate::house::PATIENCE, "{line} stays 0\n{}", house.gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_and_silent_handshakes_are_cut_off() {
    let tls = Tls::new(&["first.test"]);
    let settings = format!("{}[limits]\nheader_ms_max = 2000", tls.settings(&["first.test"]));
    let house = House::start_with(&settings).await;
    // A hello: version, 32 bytes of chance, no session, one suite, no compression, one signature scheme, one curve.
    let hello = |version: u8| {
        let rest: [u8; 27] =
            [0, 0, 2, 0xc0, 0x2b, 1, 0, 0, 18, 0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 6, 0, 4, 0, 0x1d, 0, 0x17];
        let hello = [&[3, version][..], &[7; 32], &rest].concat();
        let length = u8::try_from(hello.len()).unwrap();
        [&[0x16, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
    };
    // That of TLS 1.2 is taken up: what comes back is no alert.
    let mut stream = TcpStream::connect(("127.0.0.1", tls.port)).await.unwrap();
    stream.write_all(&hello(3)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x16);
    let record = hello(2);
    // That of TLS 1.1 gets the alert about its version; half a record and silence get nothing.
    for (sent, answer) in [(&record[..], &[0x15, 3, 3, 0, 2, 2, 70][..]), (&record[..9], b""), (b"", b"")] {
        let mut stream = TcpStream::connect(("127.0.0.1", tls.port)).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut told = Vec::new();
        tokio::time::timeout(crate::house::PATIENCE, stream.read_to_end(&mut told)).await.unwrap().ok();
        assert_eq!(told, answer);
    }
    let mut plain = TcpStream::connect(("127.0.0.1", tls.port)).await.unwrap();
    plain.write_all(b"GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut told = Vec::new();
    plain.read_to_end(&mut told).await.ok();
    assert!(!told.starts_with(b"HTTP"), "plain words were answered");
    assert_eq!(house.upstream.seen().len(), 0);
}

#[test]
fn certificates_are_checked_before_a_port_is_opened() {
    let tls = Tls::new(&NAMES);
    let swapped = tls.settings(&NAMES).replace("first.test.key", "second.test.key");
    for (settings, what) in [
        (tls.settings(&NAMES), ""),
        (tls.settings(&[]), "needs at least one certificate"),
        (tls.settings(&["absent.test"]), "absent.test.pem"),
        (swapped, "do not fit together"),
        (tls.settings(&NAMES).replace("first.test.key", "first.test.pem"), "holds no private key"),
        (tls.settings(&NAMES).replace("first.test.pem", "first.test.key"), "there is no certificate"),
        ("[tls]\nlisten = \"here\"\n".to_owned(), "key `tls.listen`"),
    ] {
        let directory = tempfile::TempDir::new().unwrap();
        let file = directory.path().join("gateway.toml");
        fs::write(&file, settings).unwrap();
        let output = binary().arg("--check").arg("--config").arg(&file).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if what.is_empty() { 0 } else { 64 }), "{error}");
        assert!(error.contains(what), "{what} is not in {error}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}
