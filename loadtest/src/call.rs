//! What is sent for a call, and what its caller got.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use crate::keys::Keys;
use crate::line::Target;
use crate::mix::Kind;
use crate::plan::Call;
use crate::stream::Events;

const CHAT: &[u8] = br#"{"messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &[u8] = br#"{"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
/// Of the right form and with a checksum that holds, so that it is looked up; nobody was ever given it.
const NOBODYS: &str = "Bearer tg_test_nobody00000000000000000000000000000000000003tlLBX";

/// Makes requests.
pub struct Requests {
    pub keys: Keys,
    headers: Vec<(HeaderName, HeaderValue)>,
    nobodys: HeaderValue,
    messages: Uri,
    usage: Uri,
    credits: Uri,
}

impl Requests {
    pub fn new(keys: Keys, headers: Vec<(HeaderName, HeaderValue)>) -> Requests {
        Requests {
            keys,
            headers,
            nobodys: HeaderValue::from_static(NOBODYS),
            messages: Uri::from_static("/v1/messages"),
            usage: Uri::from_static("/v1/usage"),
            credits: Uri::from_static("/v1/credits"),
        }
    }

    pub fn of(&self, call: Call, target: &Target) -> Request<Full<Bytes>> {
        let credential = match call.kind {
            Kind::Refused => &self.nobodys,
            Kind::Json | Kind::Sse | Kind::Free => &self.keys.credentials[call.key],
        };
        let (method, path, body) = match call.kind {
            Kind::Json | Kind::Refused => (Method::POST, &self.messages, CHAT),
            Kind::Sse => (Method::POST, &self.messages, STREAM),
            Kind::Free => (Method::GET, &self.usage, &[][..]),
        };
        let mut request = request(method, path, body, target, credential);
        for (name, value) in &self.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        request
    }

    /// What is left of an account, as its key may ask.
    pub fn credits(&self, key: usize, target: &Target) -> Request<Full<Bytes>> {
        request(Method::GET, &self.credits, &[], target, &self.keys.credentials[key])
    }
}

fn request(
    method: Method,
    path: &Uri,
    body: &'static [u8],
    target: &Target,
    credential: &HeaderValue,
) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from_static(body)));
    *request.method_mut() = method;
    *request.uri_mut() = path.clone();
    let headers = request.headers_mut();
    headers.insert(HOST, target.host.clone());
    headers.insert(AUTHORIZATION, credential.clone());
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    request
}

/// What a caller got, as far as it came.
#[derive(Default)]
pub struct Answer {
    /// 0 = none.
    pub status: u16,
    /// The op, which is the request's id.
    pub op: Option<String>,
    /// What it was told to cost.
    pub credits: u64,
    /// The stable code of a refusal.
    pub code: Option<String>,
    pub events: Option<Events>,
    /// Why it did not come to its end; none when it did.
    pub failure: Option<Failure>,
}

/// Why a call has no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// Nobody took the connection.
    Connect,
    /// It was sent, and the connection ended before an answer began.
    NoAnswer,
    /// The answer broke off.
    Broken,
    Timeout,
}

impl Failure {
    pub fn name(self) -> &'static str {
        match self {
            Failure::Connect => "no connection",
            Failure::NoAnswer => "no answer",
            Failure::Broken => "broken off",
            Failure::Timeout => "timeout",
        }
    }
}

impl Answer {
    pub fn served(&self) -> bool {
        self.failure.is_none() && (200..300).contains(&self.status)
    }

    /// As people group answers: `200`, `402 credits_exhausted`, or why there is none.
    pub fn label(&self) -> String {
        match (self.failure, &self.code) {
            (Some(failure), _) => failure.name().to_owned(),
            (None, Some(code)) => format!("{} {code}", self.status),
            (None, None) => self.status.to_string(),
        }
    }

    /// A line as `tollgate audit --receipts` reads it; none where no op is known.
    pub fn receipt(&self) -> Option<String> {
        let broken = if self.failure.is_some() { " broken" } else { "" };
        self.op.as_ref().map(|op| format!("{op} {} {}{broken}\n", self.status, self.credits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: Option<&str>, failure: Option<Failure>) -> Answer {
        let code = code.map(str::to_owned);
        Answer { status, code, failure, op: Some("01a2".to_owned()), credits: 3, events: None }
    }

    #[test]
    fn answers_are_grouped_by_what_a_caller_can_tell() {
        assert_eq!(answer(200, None, None).label(), "200");
        assert_eq!(answer(402, Some("credits_exhausted"), None).label(), "402 credits_exhausted");
        assert_eq!(answer(200, None, Some(Failure::Broken)).label(), "broken off");
    }

    #[test]
    fn a_receipt_says_what_the_caller_was_told_and_whether_all_of_it() {
        assert_eq!(answer(200, None, None).receipt().unwrap(), "01a2 200 3\n");
        assert_eq!(answer(200, None, Some(Failure::Broken)).receipt().unwrap(), "01a2 200 3 broken\n");
        assert!(Answer { op: None, ..answer(200, None, None) }.receipt().is_none());
    }
}
