//! Just enough HTTP to ask our own services on loopback: one request, one answer, one connection.

mod line;
mod metric;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

pub use line::{Line, Told};
pub use metric::{metric, metric_told};

const LIMIT: Duration = Duration::from_secs(5);

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// The body as JSON, null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

pub fn get(port: u16, path: &str, key: Option<&str>) -> Result<Answer> {
    call(port, &format!("GET {path} HTTP/1.1\r\n{}\r\n", headers(key)))
}

/// Whether it is answered 200 there.
pub fn is_good(port: u16, path: &str) -> bool {
    get(port, path, None).is_ok_and(|answer| answer.status == 200)
}

pub fn post(port: u16, path: &str, key: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    let json = "Content-Type: application/json\r\n";
    call(port, &format!("POST {path} HTTP/1.1\r\n{}{json}Content-Length: {length}\r\n\r\n{body}", headers(Some(key))))
}

fn headers(key: Option<&str>) -> String {
    let credential = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    format!("Host: 127.0.0.1\r\nConnection: close\r\n{credential}")
}

fn call(port: u16, request: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("connecting")?;
    stream.set_read_timeout(Some(LIMIT)).context("setting a deadline")?;
    stream.write_all(request.as_bytes()).context("asking")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).context("reading the answer")?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").context("an answer without an end of its header")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    Ok(Answer { status, body: body.to_owned() })
}
