//! A caller who writes what it wants to write, byte by byte.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back until the connection was closed, or nothing more came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The header as sent.
    pub head: String,
    /// The body as sent, chunks and all.
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head, body: bytes[end + 4..].to_vec() })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of a rejection.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends a request and reads its answer; `None` without one.
pub async fn raw(port: u16, request: &[u8]) -> Option<Answer> {
    Answer::parse(&talk(port, request).await)
}

/// Sends the bytes and reads until the other side closes or is silent for long.
pub async fn talk(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut told = Vec::new();
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return told };
    // The other side may close before it has read everything: that is an answer, too.
    stream.write_all(bytes).await.ok();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut told)).await.ok();
    told
}
