//! What a request's log line says.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use config::log::Format;
use http::Method;
use metering::{AccountId, KeyId, OpId, TimeMs};

use crate::rfc3339::rfc3339_ms;
use crate::route_table::Route;

#[derive(Clone)]
pub struct Line {
    /// When the request began.
    pub at: TimeMs,
    pub op: OpId,
    pub method: Method,
    pub route: Option<Arc<Route>>,
    /// 0 when the caller left before an answer.
    pub status: u16,
    /// Messages of a WebSocket that were paid for one by one.
    pub messages: Option<u64>,
    /// How a gRPC answer of the upstream ended.
    pub grpc_status: Option<u8>,
    /// The code of a rejection.
    pub code: Option<&'static str>,
    pub account: Option<AccountId>,
    pub key: Option<KeyId>,
    /// Credits the caller paid in the end.
    pub credits: u64,
    /// Why credits went back.
    pub given_back: Option<&'static str>,
    pub remaining: Option<u64>,
    pub upstream_ms: Option<f64>,
    pub total_ms: f64,
    pub answer_bytes: usize,
    /// What broke, in pingora's word.
    pub fault: Option<String>,
}

impl Line {
    /// Appends the line.
    pub fn write(&self, format: Format, text: &mut Vec<u8>) {
        let line = match format {
            Format::Json => self.json(),
            Format::Pretty => self.pretty(),
        };
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }

    fn level(&self) -> &'static str {
        if self.status >= 500 || (self.fault.is_some() && self.code.is_none()) { "WARN" } else { "INFO" }
    }

    /// A word of the caller's own may be anything, a secret included.
    pub fn method(&self) -> &str {
        let known =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        if known.contains(&self.method) { self.method.as_str() } else { "(other)" }
    }

    /// Reads alone, without the fields.
    fn message(&self) -> String {
        let route = self.route.as_ref().map_or("no route", |route| route.name.as_str());
        let mut message = format!("{} {route} answered {}", self.method(), self.status);
        if let Some(code) = self.code {
            // Writing to a String can't fail.
            write!(message, " {code}").ok();
        }
        if let Some(account) = self.account {
            write!(message, " for {account}").ok();
        }
        message
    }

    /// Written by hand: every text here is made of names, ids and codes, none of which needs escaping, and this line is part
    /// of what a request costs.
    fn json(&self) -> String {
        let mut line = String::with_capacity(512);
        write!(
            line,
            r#"{{"timestamp":"{}","level":"{}","target":"gateway::request","message":"{}","request_id":"{}","method":"{}","#,
            rfc3339_ms(self.at),
            self.level(),
            self.message(),
            self.op,
            self.method(),
        )
        .ok();
        if let Some(route) = &self.route {
            text(&mut line, "route", &route.name);
        }
        self.code.iter().for_each(|code| text(&mut line, "code", code));
        self.account.iter().for_each(|account| text(&mut line, "account", account));
        self.key.iter().for_each(|key| text(&mut line, "key_id", key));
        self.given_back.iter().for_each(|why| text(&mut line, "given_back", why));
        self.fault.iter().for_each(|fault| text(&mut line, "fault", fault));
        if let Some(messages) = self.messages {
            write!(line, r#""messages":{messages},"#).ok();
        }
        if let Some(status) = self.grpc_status {
            write!(line, r#""grpc_status":{status},"#).ok();
        }
        if self.credits > 0 {
            write!(line, r#""credits":{},"#, self.credits).ok();
        }
        if let Some(remaining) = self.remaining {
            write!(line, r#""remaining":{remaining},"#).ok();
        }
        if let Some(ms) = self.upstream_ms {
            write!(line, r#""upstream_ms":{ms:.3},"#).ok();
        }
        let (status, bytes, ms) = (self.status, self.answer_bytes, self.total_ms);
        write!(line, r#""status":{status},"answer_bytes":{bytes},"total_ms":{ms:.3}}}"#).ok();
        line
    }

    fn pretty(&self) -> String {
        let mut line = format!("{} {:>5} {}", rfc3339_ms(self.at), self.level(), self.message());
        if let Some(messages) = self.messages {
            write!(line, " messages={messages}").ok();
        }
        if let Some(status) = self.grpc_status {
            write!(line, " grpc_status={status}").ok();
        }
        if self.credits > 0 {
            write!(line, " credits={}", self.credits).ok();
        }
        if let Some(why) = self.given_back {
            write!(line, " given_back={why}").ok();
        }
        if let Some(remaining) = self.remaining {
            write!(line, " remaining={remaining}").ok();
        }
        if let Some(fault) = &self.fault {
            write!(line, " fault={fault}").ok();
        }
        write!(line, " {:.2}ms request={}", self.total_ms, self.op).ok();
        line
    }
}

fn text(line: &mut String, name: &str, value: &impl fmt::Display) {
    write!(line, r#""{name}":"{value}","#).ok();
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn refused(method: Method) -> Line {
        Line {
            at: TimeMs::new(1_767_225_600_000),
            op: OpId::from_uuid(Uuid::from_u128(1)),
            method,
            route: None,
            status: 402,
            messages: None,
            grpc_status: None,
            code: Some("credits_exhausted"),
            account: Some(AccountId::from_uuid(Uuid::from_u128(2))),
            key: None,
            credits: 0,
            given_back: None,
            remaining: None,
            upstream_ms: None,
            total_ms: 1.234_56,
            answer_bytes: 10,
            fault: Some("upstream: ReadTimedout".to_owned()),
        }
    }

    #[test]
    fn a_method_nobody_knows_is_not_repeated() {
        let line = refused(Method::from_bytes(b"tg_live_secret").unwrap());
        for format in [Format::Json, Format::Pretty] {
            let mut text = Vec::new();
            line.write(format, &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("(other) no route answered 402") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_line_reads_alone_and_can_be_searched() {
        let line = refused(Method::POST);
        let mut text = Vec::new();
        line.write(Format::Json, &mut text);
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            json["message"],
            "POST no route answered 402 credits_exhausted for acct_00000000000000000000000000000002"
        );
        assert_eq!((&json["total_ms"], &json["timestamp"]), (&json!(1.235), &json!("2026-01-01T00:00:00.000Z")));
        assert_eq!((&json["fault"], &json["status"]), (&json!("upstream: ReadTimedout"), &json!(402)));
        text.clear();
        line.write(Format::Pretty, &mut text);
        assert!(String::from_utf8(text).unwrap().ends_with(" 1.23ms request=00000000-0000-0000-0000-000000000001\n"));
    }
}
