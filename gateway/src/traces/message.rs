//! Finished requests in the form of OTLP, with the attributes of OpenTelemetry's conventions for HTTP where there are some.
//!
//! The path is left out although the conventions want it: a caller may have put anything there.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::context::SAMPLED;
use super::span::{Finished, Outcome, Trace};
use crate::request_log::Line;

/// Which versions of the conventions the names are from.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

pub fn request(finished: Vec<Finished>, instance: &str) -> ExportTraceServiceRequest {
    let attributes = vec![
        text("service.name", "tollgate-gateway"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", instance),
    ];
    let scope = InstrumentationScope {
        name: "tollgate".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = finished.into_iter().flat_map(spans).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: SCHEMA.to_owned() }],
            schema_url: SCHEMA.to_owned(),
        }],
    }
}

fn spans(finished: Finished) -> Vec<Span> {
    let Finished { mut trace, line, outcome } = finished;
    let taken = trace.take_steps();
    let clock = Clock { started: outcome.started, nanos: line.at.as_u64().saturating_mul(1_000_000) };
    let mut spans = vec![whole(&trace, &line, &outcome, &clock)];
    for (number, step) in taken.iter().enumerate() {
        spans.push(Span {
            name: step.name.to_owned(),
            attributes: vec![text("tollgate.outcome", step.outcome)],
            ..child(&trace, trace.step_span(number), SpanKind::Internal, clock.at(step.from), clock.at(step.to))
        });
    }
    spans.extend(upstream(&trace, &line, &outcome, &clock));
    spans
}

/// The request, from its header to its end.
fn whole(trace: &Trace, line: &Line, outcome: &Outcome, clock: &Clock) -> Span {
    let method = line.method();
    let template = line.route.as_ref().map(|route| route.path_template());
    let scheme = if outcome.secure { "https" } else { "http" };
    let mut attributes = vec![
        text("http.request.method", if method == "(other)" { "_OTHER" } else { method }),
        text("url.scheme", scheme),
        text("network.protocol.version", if outcome.http2 { "2" } else { "1.1" }),
        text("tollgate.request_id", line.op),
    ];
    attributes.extend(template.iter().map(|template| text("http.route", template)));
    attributes.extend(line.route.iter().map(|route| text("tollgate.route", &route.name)));
    attributes.extend((line.status > 0).then(|| number("http.response.status_code", u64::from(line.status))));
    attributes.extend(line.grpc_status.map(|status| number("rpc.grpc.status_code", u64::from(status))));
    attributes.extend(line.code.map(|code| text("tollgate.code", code)));
    attributes.extend(line.account.map(|account| text("tollgate.account", account)));
    attributes.extend(line.key.map(|key| text("tollgate.key_id", key)));
    attributes.extend((line.credits > 0).then(|| number("tollgate.credits", line.credits)));
    attributes.extend(line.messages.map(|messages| number("tollgate.messages", messages)));
    attributes.extend(line.given_back.map(|why| text("tollgate.given_back", why)));
    let fault = line.fault.as_deref().or(line.code).map_or_else(|| line.status.to_string(), str::to_owned);
    let failed = line.status >= 500 || (line.fault.is_some() && line.code.is_none());
    attributes.extend((failed || line.status >= 400).then(|| text("error.type", &fault)));
    let parent = trace.parent.map_or_else(Vec::new, |parent| parent.span.to_be_bytes().to_vec());
    Span {
        name: template.map_or_else(|| method.to_owned(), |template| format!("{method} {template}")),
        parent_span_id: parent,
        attributes,
        status: failed.then(|| Status { code: StatusCode::Error.into(), message: fault }),
        ..child(trace, trace.span, SpanKind::Server, clock.at(outcome.started), clock.at(outcome.ended))
    }
}

/// The way to the upstream and back, connecting and answer included.
fn upstream(trace: &Trace, line: &Line, outcome: &Outcome, clock: &Clock) -> Option<Span> {
    let asked_at = outcome.upstream_asked_at?;
    let event =
        |name: &str, at: Instant| Event { time_unix_nano: clock.at(at), name: name.to_owned(), ..Event::default() };
    let answered_at = line.upstream_ms.map(|ms| asked_at + Duration::from_secs_f64(ms / 1e3));
    let connected = trace.connected_at.map(|at| event("connected", at));
    let mut attributes = vec![text("http.request.method", line.method())];
    attributes.extend(outcome.upstream_status.map(|status| number("http.response.status_code", u64::from(status))));
    let again = outcome.upstream_sends.saturating_sub(1);
    attributes.extend((again > 0).then(|| number("http.request.resend_count", u64::from(again))));
    let failed = outcome.upstream_status.is_none_or(|status| status >= 500);
    Some(Span {
        name: "upstream".to_owned(),
        attributes,
        events: connected.into_iter().chain(answered_at.map(|at| event("answer begins", at))).collect(),
        status: failed.then(|| Status { code: StatusCode::Error.into(), message: String::new() }),
        ..child(trace, trace.upstream_span(), SpanKind::Client, clock.at(asked_at), clock.at(outcome.ended))
    })
}

fn child(trace: &Trace, span: u64, kind: SpanKind, from: u64, to: u64) -> Span {
    Span {
        trace_id: trace.id.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        parent_span_id: trace.span.to_be_bytes().to_vec(),
        flags: u32::from(SAMPLED),
        kind: kind.into(),
        start_time_unix_nano: from,
        end_time_unix_nano: to,
        ..Span::default()
    }
}

/// Wall time: the request id's, to the millisecond, and what has passed since, to the nanosecond.
struct Clock {
    started: Instant,
    nanos: u64,
}

impl Clock {
    fn at(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.started).as_nanos();
        self.nanos.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

fn text(key: &str, value: impl std::fmt::Display) -> KeyValue {
    attribute(key, Value::StringValue(value.to_string()))
}

fn number(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
