//! Traces: what upstreams are told, and the spans that a collector gets of sampled requests.

use std::time::{Duration, Instant};

use metering::Status;
use metering::testing::free_port;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::house::collector::{Collector, Manner, attribute};
use crate::house::{Account, Answer, House, PATIENCE, bearer, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const ALL: &str = "sampled_per_10_000 = 10000\ninterval_ms = 20";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name} in {spans:#?}"))
}

/// A message of the caller's own trace.
async fn message(house: &House, account: &Account, lines: &[(&str, &str)]) -> Answer {
    let key = bearer(&account.key);
    let lines = [&[("Authorization", key.as_str())], lines].concat();
    house.gateway.send("POST", "/v1/messages?token=hidden", &lines, "{}").await
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sampled_request_is_one_trace_from_the_caller_to_the_upstream() {
    let collector = Collector::start(Manner::Takes).await;
    let mut house = House::start_with(&collector.settings(ALL)).await;
    let account = house.account(Status::Active, 10).await;
    let lines = [("traceparent", &*parent("02")), ("tracestate", "vendor=1")];
    assert_eq!(message(&house, &account, &lines).await.status, 200);
    let spans = collector.until_spans(4).await;
    let whole = named(&spans, "POST /v1/messages");
    let [authenticate, draw, upstream] = ["authenticate", "draw", "upstream"].map(|name| named(&spans, name));
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE) && spans.len() == 4);
    assert_eq!(hex(&whole.parent_span_id), PARENT);
    for step in [authenticate, draw, upstream] {
        assert_eq!(step.parent_span_id, whole.span_id);
        assert!(whole.start_time_unix_nano <= step.start_time_unix_nano);
        assert!(
            step.start_time_unix_nano < step.end_time_unix_nano && step.end_time_unix_nano <= whole.end_time_unix_nano
        );
    }
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/messages"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
        ("tollgate.route", "messages"),
        ("tollgate.account", &account.id.to_string()),
        ("tollgate.key_id", &account.key_image.key.to_string()),
        ("tollgate.credits", "1"),
        ("error.type", ""),
    ] {
        assert_eq!(attribute(whole, key), value, "{key}");
    }
    assert_eq!(attribute(draw, "tollgate.outcome"), "drawn");
    let events: Vec<_> = upstream.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(events, ["connected", "answer begins"]);
    // The upstream's spans belong to the way to it; flags that the gateway does not know stay.
    let seen = house.upstream.last();
    assert_eq!(seen.values("traceparent"), [format!("00-{TRACE}-{}-03", hex(&upstream.span_id))]);
    assert_eq!(seen.values("tracestate"), ["vendor=1"]);
    let bodies = collector.bodies().concat();
    let sent = String::from_utf8_lossy(&bodies);
    assert!(!sent.contains(account.key.reveal()) && !sent.contains("hidden"), "a secret was sent");
    let started = Instant::now();
    while house.gateway.metric("tollgate_gateway_spans_total{outcome=\"sent\"}").await != 4 {
        assert!(started.elapsed() < PATIENCE, "what the collector took is not counted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_says_why_and_a_traceparent_that_is_none_starts_a_new_trace() {
    let collector = Collector::start(Manner::Takes).await;
    let mut house = House::start_with(&collector.settings(ALL)).await;
    let account = house.account(Status::Active, 1).await;
    let forged = [("traceparent", "00-0-0-01"), ("tracestate", "vendor=1")];
    let served = message(&house, &account, &forged).await;
    let spans = collector.until_spans(4).await;
    let id = served.header("request-id").unwrap().replace('-', "");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == id), "its id is the request's");
    assert!(named(&spans, "POST /v1/messages").parent_span_id.is_empty());
    let seen = house.upstream.last();
    assert!(seen.values("traceparent")[0].starts_with(&format!("00-{id}-")) && seen.values("tracestate").is_empty());
    assert_eq!(message(&house, &account, &[]).await.status, 402);
    let spans = collector.until_spans(7).await;
    assert_eq!(spans.len(), 7, "no upstream was asked");
    let whole = spans.iter().find(|span| attribute(span, "tollgate.code") == "credits_exhausted").unwrap();
    assert_eq!((attribute(whole, "error.type").as_str(), whole.status.as_ref()), ("credits_exhausted", None));
    let draws = spans.iter().filter(|span| span.name == "draw").map(|span| attribute(span, "tollgate.outcome"));
    assert_eq!(draws.collect::<Vec<_>>(), ["drawn", "credits_exhausted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_while_traces_are_off_and_the_callers_trace_passes_as_it_came() {
    let mut house = House::start().await;
    let account = house.account(Status::Active, 10).await;
    let lines = [("traceparent", &*parent("01")), ("tracestate", "vendor=1")];
    message(&house, &account, &lines).await;
    let seen = house.upstream.last();
    assert_eq!((seen.values("traceparent"), seen.values("tracestate")), (vec![&*parent("01")], vec!["vendor=1"]));
    // Two of them are none.
    let twice = [("traceparent", &*parent("01")), ("traceparent", &*parent("01")), ("tracestate", "vendor=1")];
    message(&house, &account, &twice).await;
    let seen = house.upstream.last();
    let [traceparent] = seen.values("traceparent")[..] else { panic!("{seen:?}") };
    assert!(!traceparent.contains(TRACE) && traceparent.ends_with("-00"), "{traceparent}");
    assert!(seen.values("tracestate").is_empty());
    for outcome in ["sent", "queue_full", "not_taken"] {
        assert_eq!(house.gateway.metric(&format!("tollgate_gateway_spans_total{{outcome=\"{outcome}\"}}")).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_decides_what_is_sampled_only_where_the_settings_let_it() {
    for (decide, flags, sampled) in [("true", "01", true), ("true", "00", false), ("false", "01", false)] {
        let collector = Collector::start(Manner::Takes).await;
        let more = format!("sampled_per_10_000 = 0\ninterval_ms = 20\ncallers_decide = {decide}");
        let mut house = House::start_with(&collector.settings(&more)).await;
        let account = house.account(Status::Active, 10).await;
        message(&house, &account, &[("traceparent", &parent(flags))]).await;
        let told = house.upstream.last().values("traceparent")[0].to_owned();
        assert_eq!(told == parent(flags), !sampled, "{decide} {flags}: {told}");
        house.gateway.signal("TERM");
        assert!(house.gateway.until_gone(Duration::from_secs(10)).await.is_some());
        assert_eq!(collector.spans().len(), if sampled { 4 } else { 0 }, "{decide} {flags}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_finished_before_a_stop_is_sent_before_the_end() {
    let collector = Collector::start(Manner::Takes).await;
    let mut house = House::start_with(&collector.settings("sampled_per_10_000 = 10000\ninterval_ms = 60000")).await;
    let account = house.account(Status::Active, 10).await;
    for _ in 0..3 {
        assert_eq!(message(&house, &account, &[]).await.status, 200);
    }
    assert!(collector.spans().is_empty());
    house.gateway.signal("TERM");
    let gone = house.gateway.until_gone(Duration::from_secs(10)).await;
    assert!(gone.is_some_and(|status| status.success()));
    assert_eq!(collector.spans().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_fails_disturbs_no_request_and_what_it_missed_is_counted() {
    let silent = Collector::start(Manner::Silent).await;
    let refusing = Collector::start(Manner::Refuses).await;
    let picky = Collector::start(Manner::TakesAllButOne).await;
    let nobody = format!("[traces]\nendpoint = \"http://127.0.0.1:{}/v1/traces\"\n{ALL}\n", free_port());
    let one_by_one = format!("{ALL}\nbatch_max = 1\nqueue_max = 1\ntimeout_ms = 30000");
    for (settings, outcome, least) in [
        (silent.settings(&one_by_one), "queue_full", 4),
        (refusing.settings(ALL), "not_taken", 40),
        (picky.settings(ALL), "not_taken", 1),
        (nobody, "not_taken", 40),
    ] {
        let mut house = House::start_with(&settings).await;
        let account = house.account(Status::Active, 10).await;
        for _ in 0..10 {
            let asked = Instant::now();
            assert_eq!(message(&house, &account, &[]).await.status, 200);
            assert!(asked.elapsed() < Duration::from_secs(2), "{settings}");
        }
        let metric = format!("tollgate_gateway_spans_total{{outcome=\"{outcome}\"}}");
        let started = Instant::now();
        while house.gateway.metric(&metric).await < least {
            assert!(started.elapsed() < Duration::from_secs(10), "{settings}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let stopped = Instant::now();
        house.gateway.signal("TERM");
        assert!(house.gateway.until_gone(Duration::from_secs(10)).await.is_some_and(|status| status.success()));
        assert!(stopped.elapsed() < Duration::from_secs(6), "the stop took {:?} with {settings}", stopped.elapsed());
        let warned = house.gateway.log().matches("takes no spans").count();
        assert!(warned <= 1, "said with every batch");
    }
    until("some spans were taken", || !picky.spans().is_empty()).await;
}
