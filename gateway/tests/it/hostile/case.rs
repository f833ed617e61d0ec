//! One hostile request: its bytes, the answer due, and what the upstream is due to see.

/// Stands for the caller's key in the bytes of a case.
const KEY: &str = "{key}";

#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    sent: Vec<u8>,
    answers: Vec<u16>,
    pub after: After,
    pub forwarded: Forwarded,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Closed,
    GoesOn,
    /// Neither: no case may end so.
    Silent,
}

#[derive(Clone)]
pub enum Forwarded {
    Nothing,
    /// Request line, the lines that are not the gateway's own (sorted), the body.
    Whole(&'static str, &'static str, &'static str),
    /// The same, and then the connection ended: nobody may act on it, and nothing is drawn.
    BrokenOff(&'static str, &'static str, &'static str),
}

impl Case {
    fn new(name: &'static str, sent: impl Into<Vec<u8>>, answers: &[u16], forwarded: Forwarded) -> Self {
        Self { name, sent: sent.into(), answers: answers.to_vec(), after: After::Closed, forwarded }
    }

    pub fn goes_on(self) -> Self {
        Self { after: After::GoesOn, ..self }
    }

    pub fn bytes(&self, bearer: &str) -> Vec<u8> {
        let mut bytes = self.sent.clone();
        while let Some(at) = bytes.windows(KEY.len()).position(|window| window == KEY.as_bytes()) {
            bytes.splice(at..at + KEY.len(), bearer.bytes());
        }
        bytes
    }

    pub fn expected_answers(&self) -> Vec<u16> {
        self.answers.clone()
    }

    pub fn expected_requests(&self) -> Vec<String> {
        match self.forwarded {
            Forwarded::Nothing => vec![],
            Forwarded::Whole(line, lines, body) => vec![format!("{line} HTTP/1.1 [{lines}] {body:?}")],
            Forwarded::BrokenOff(line, lines, body) => {
                vec![format!("{line} HTTP/1.1 [{lines}] {body:?} (broken off)")]
            }
        }
    }

    /// Whether a credit is drawn and kept: the priced routes of the house cost 1.
    pub fn draws(&self) -> bool {
        matches!(self.forwarded, Forwarded::Whole("POST /v1/messages" | "GET /v1/priced", ..))
    }
}

/// Answered by the gateway, unseen by the upstream, the connection closed.
pub fn refused(name: &'static str, status: u16, sent: impl Into<Vec<u8>>) -> Case {
    Case::new(name, sent, &[status], Forwarded::Nothing)
}

/// Forwarded as one request and answered by the upstream, the connection closed.
pub fn served(name: &'static str, sent: impl Into<Vec<u8>>, forwarded: [&'static str; 3]) -> Case {
    let [line, lines, body] = forwarded;
    Case::new(name, sent, &[200], Forwarded::Whole(line, lines, body))
}

/// Admitted on its header, refused on its body.
pub fn broken_off(name: &'static str, status: u16, sent: impl Into<Vec<u8>>, forwarded: [&'static str; 3]) -> Case {
    let [line, lines, body] = forwarded;
    Case::new(name, sent, &[status], Forwarded::BrokenOff(line, lines, body))
}

/// A priced request with these lines beside its key, and this body.
pub fn post(lines: &str, body: &str) -> Vec<u8> {
    format!("POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: {KEY}\r\n{lines}\r\n{body}").into_bytes()
}

/// A free request with these lines beside its key.
pub fn get(lines: &str) -> Vec<u8> {
    format!("GET /v1/artifacts/7 HTTP/1.1\r\nHost: a\r\nAuthorization: {KEY}\r\n{lines}\r\n").into_bytes()
}

/// A free request for this target.
pub fn target(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {KEY}\r\n\r\n").into_bytes()
}
