//! What callers send, and what becomes of each: one record an answer.

use std::time::{Duration, Instant};

use super::chance::Chance;
use super::customers::{Customer, RICH};
use super::settings::CONFIRMED_HOST;
use crate::http::{Line, Told};

const CHAT: &str = r#"{"messages":[{"role":"user","content":"prove it"}]}"#;
const STREAM: &str = r#"{"stream":true,"messages":[{"role":"user","content":"prove it"}]}"#;

/// What kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chat,
    /// Answered as a stream of events.
    Stream,
    /// A longer stream on a route with `confirm = true`.
    Confirmed,
    /// As many credits as it is large.
    Batch(u64),
    /// The upstream answers 503, and the credits go back.
    Failing,
    /// The upstream breaks off in the middle of its stream, and the credits go back.
    Cut,
    /// Costs nothing.
    Free,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub kind: Kind,
    pub customer: usize,
    pub gateway: usize,
}

/// One call's end.
#[derive(Clone, Debug)]
pub struct Reply {
    pub call: Call,
    pub started: Instant,
    pub ended: Instant,
    /// 0 = none came.
    pub status: u16,
    /// The op of its debit, where an answer began.
    pub op: Option<String>,
    /// What it was told to cost.
    pub credits: u64,
    /// Whether the answer came to its end.
    pub whole: bool,
    /// Whether the request may have reached anybody.
    pub sent: bool,
    /// The stable code of a rejection.
    pub code: Option<String>,
}

impl Call {
    /// The call of this number: the seed decides.
    pub fn numbered(seed: u64, number: u64, customers: usize) -> Call {
        let mut chance = Chance::stream(seed, number);
        let kind = match chance.between(0, 99) {
            0..50 => Kind::Chat,
            50..60 => Kind::Confirmed,
            60..75 => Kind::Stream,
            75..85 => Kind::Batch(chance.between(1, 20)),
            85..93 => Kind::Failing,
            93..96 => Kind::Cut,
            _ => Kind::Free,
        };
        let customer = usize::try_from(chance.next()).unwrap_or(0) % customers;
        Call { kind, customer, gateway: usize::from(chance.between(0, 1) == 1) }
    }

    /// A plain call by one of the rich.
    pub fn plain(customer: usize, gateway: usize) -> Call {
        Call { kind: Kind::Chat, customer: customer % RICH, gateway }
    }

    pub fn send(self, line: &mut Line, customers: &[Customer]) -> Reply {
        let started = Instant::now();
        let told = line.call(&self.request(&customers[self.customer].key));
        Reply::of(self, started, &told)
    }

    pub fn request(self, key: &str) -> Vec<u8> {
        let (method, path, body, more) = match self.kind {
            Kind::Chat => ("POST", "/v1/messages", CHAT, String::new()),
            Kind::Stream => ("POST", "/v1/messages", STREAM, "Pretend-Stream: chunks=4, gap=20\r\n".to_owned()),
            Kind::Confirmed => ("POST", "/v1/messages", STREAM, "Pretend-Stream: chunks=8, gap=50\r\n".to_owned()),
            Kind::Batch(size) => ("POST", "/v1/batch", "{}", format!("Batch-Size: {size}\r\n")),
            Kind::Failing => ("POST", "/v1/messages", CHAT, "Pretend-Fault: status=503\r\n".to_owned()),
            Kind::Cut => ("POST", "/v1/messages", STREAM, "Pretend-Fault: cut\r\n".to_owned()),
            Kind::Free => ("GET", "/v1/usage", "", String::new()),
        };
        let length = body.len();
        let json = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
        };
        let host = if self.kind == Kind::Confirmed { CONFIRMED_HOST } else { "prove.test" };
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n{json}{more}\r\n{body}")
            .into_bytes()
    }
}

impl Reply {
    pub fn of(call: Call, started: Instant, told: &Told) -> Reply {
        let body = String::from_utf8_lossy(&told.body);
        // A stream that ends before its last event has broken off, however cleanly.
        let cut_short = told.status == 200
            && matches!(call.kind, Kind::Stream | Kind::Confirmed | Kind::Cut)
            && !body.contains("data: [DONE]");
        let problem = told.header("content-type") == Some("application/problem+json");
        let code = problem.then(|| serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default());
        Reply {
            call,
            started,
            ended: Instant::now(),
            status: told.status,
            op: told.header("request-id").map(str::to_owned),
            credits: told.header("credits-cost").and_then(|credits| credits.parse().ok()).unwrap_or(0),
            whole: told.whole && !cut_short,
            sent: told.sent,
            code: code.and_then(|problem| problem["code"].as_str().map(str::to_owned)),
        }
    }

    pub fn served(&self) -> bool {
        self.whole && self.credits > 0
    }

    pub fn took(&self) -> Duration {
        self.ended.duration_since(self.started)
    }

    /// As the `tollgate` command writes it.
    pub fn op(&self) -> Option<String> {
        self.op.as_ref().map(|op| op.replace('-', ""))
    }

    /// As `tollgate audit` reads it; nothing where no op is known.
    pub fn receipt(&self) -> Option<String> {
        let broken = if self.whole { "" } else { " broken" };
        self.op.as_ref().map(|op| format!("{op} {} {}{broken}\n", self.status, self.credits))
    }

    /// What callers may be answered; anything else is a fault of the house, in words.
    pub fn odd(&self, rich: bool) -> Option<String> {
        let (status, code) = (self.status, self.code.as_deref());
        let fine = match (status, code) {
            _ if !self.whole => true,
            (200, _) | (503, Some("meter_unavailable")) => true,
            (503, None) => self.call.kind == Kind::Failing,
            (402, Some("credits_exhausted" | "budget_exhausted")) => !rich,
            _ => false,
        };
        (!fine).then(|| format!("{status} {} to {:?}", code.unwrap_or("without a code"), self.call.kind))
    }
}
