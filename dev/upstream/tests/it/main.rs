//! The pretend upstream as a program: what a caller gets, whole and broken.

mod pretend;

use std::time::{Duration, Instant};

use pretend::Pretend;

const CHAT: &str = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &str = r#"{"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;

#[test]
fn a_chat_answers_json_or_a_stream_that_ends_with_done() {
    let upstream = Pretend::start(&[]);
    let answer = upstream.post("/v1/messages", "", CHAT).whole();
    assert!(answer.contains("You said: hello"), "{answer}");
    let answer = upstream.post("/v1/messages", "Pretend-Stream: chunks=3, gap=1\r\n", STREAM).whole();
    assert_eq!(answer.matches("data: {").count(), 3, "{answer}");
    assert!(answer.contains("data: [DONE]") && answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[test]
fn a_message_of_a_page_gets_a_reply_when_a_price_was_drawn_for_it() {
    let upstream = Pretend::start(&[]);
    let room =
        |drawn: &str| upstream.post("/chat/messages", &format!("Tollgate-Price-Drawn: {drawn}\r\n"), CHAT).whole();
    assert!(room("1").contains("You said: hello"));
    assert!(room("0").contains("\"stored\":true"));
}

#[test]
fn the_first_event_arrives_long_before_the_last() {
    let upstream = Pretend::start(&[]);
    let begun = Instant::now();
    let mut call = upstream.post("/v1/messages", "Pretend-Stream: chunks=2, gap=1000\r\n", STREAM);
    assert!(call.until("data: {").contains("200 OK"));
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(call.whole().contains("[DONE]"));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_fault_in_the_header_meets_one_request() {
    let upstream = Pretend::start(&[]);
    let fault = |fault: &str, body| upstream.post("/v1/messages", &format!("Pretend-Fault: {fault}\r\n"), body);
    assert!(fault("status=503", CHAT).whole().starts_with("HTTP/1.1 503"));
    assert!(fault("explode", CHAT).whole().starts_with("HTTP/1.1 400"));
    let begun = Instant::now();
    assert!(fault("delay=200", CHAT).whole().starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(fault("refuse", CHAT).whole(), "", "not a byte");
    assert!(fault("silence", CHAT).silent_after(""));
    assert!(upstream.post("/v1/messages", "", CHAT).whole().starts_with("HTTP/1.1 200"));
}

#[test]
fn a_body_breaks_in_the_middle() {
    let upstream = Pretend::start(&[]);
    let fault = |fault: &str, body| upstream.post("/v1/messages", &format!("Pretend-Fault: {fault}\r\n"), body);
    let cut = fault("cut", CHAT).whole();
    assert!(cut.contains("{\"") && !cut.contains('}'), "{cut}");
    let cut = fault("cut", STREAM).whole();
    assert!(cut.contains("data: {") && !cut.ends_with("0\r\n\r\n"), "{cut}");
    let clean = fault("clean-cut", STREAM).whole();
    assert!(clean.contains("data: {") && !clean.contains("[DONE]") && clean.ends_with("0\r\n\r\n"), "{clean}");
    assert!(fault("stall", STREAM).silent_after("data: {"));
}

#[test]
fn an_ordered_fault_lasts_for_its_times() {
    let upstream = Pretend::start(&[]);
    assert!(upstream.post("/_fault", "", r#"{"fault":"status=500","times":2}"#).whole().starts_with("HTTP/1.1 200"));
    let statuses: Vec<bool> =
        (0..3).map(|_| upstream.post("/v1/messages", "", CHAT).whole().starts_with("HTTP/1.1 500")).collect();
    assert_eq!(statuses, [true, true, false]);
}

#[test]
fn without_faults_it_answers_as_asked() {
    let upstream = Pretend::start(&["--no-faults"]);
    assert!(upstream.post("/v1/messages", "Pretend-Fault: status=503\r\n", CHAT).whole().starts_with("HTTP/1.1 200"));
    assert!(upstream.post("/_fault", "", r#"{"fault":"cut"}"#).whole().starts_with("HTTP/1.1 404"));
}

#[test]
fn it_tells_what_it_saw() {
    let upstream = Pretend::start(&[]);
    upstream.post("/v1/batch?a=b", "Batch-Size: 7\r\nX-Twice: 1\r\nX-Twice: 2\r\n", "{}").whole();
    let seen = upstream.get("/_seen").whole();
    assert!(seen.contains(r#""count":1"#) && seen.contains(r#""target":"/v1/batch?a=b""#), "{seen}");
    assert!(seen.contains(r#"["x-twice","1"],["x-twice","2"]"#), "{seen}");
}
