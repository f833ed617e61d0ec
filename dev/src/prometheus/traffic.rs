//! A little of everything that callers, people and providers do, so that what is counted has something to count.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::http::{self, Line};
use crate::report::Report;
use crate::{interrupt, ports};

/// Rates want several scrapes with something between them.
const ROUNDS: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);

pub fn send(standing: &Report) -> Result<()> {
    for _ in 0..ROUNDS {
        interrupt::check()?;
        round(standing)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn round(standing: &Report) -> Result<()> {
    let gateway = ports::of(&standing.gateway)?;
    let key = |name: &str| standing.keys.get(name).map(String::as_str).with_context(|| format!("the key of {name}"));
    let chat = json!({ "messages": [{ "role": "user", "content": "one more" }] }).to_string();
    let stream = json!({ "stream": true, "messages": [] }).to_string();
    for (path, key, body) in [
        ("/v1/messages", key("active")?, &chat),
        ("/v1/messages", key("bench")?, &chat),
        ("/v1/messages", key("bench")?, &stream),
        ("/v1/messages", key("exhausted")?, &chat),
        ("/v1/messages", key("over_budget")?, &chat),
        ("/v1/messages", key("suspended")?, &chat),
        ("/v1/messages", key("revoked")?, &chat),
        ("/v1/messages", "nobody's", &chat),
    ] {
        http::post(gateway, path, key, body)?;
    }
    fails_behind(gateway, key("bench")?, &chat);
    http::get(gateway, "/v1/usage", Some(key("active")?))?;
    http::get(gateway, "/nowhere", None)?;
    let session = standing.sessions.get("active").context("a session")?;
    http::post(gateway, "/chat/messages", session, &json!({ "respond": true, "messages": [] }).to_string())?;
    let console = ports::of(&standing.console)?;
    for path in ["/billing", "/api/billing/summary", "/assets/console.css"] {
        http::get(console, path, None)?;
    }
    // By nobody who may deliver.
    http::post(ports::of(&standing.webhook)?, "/webhooks/stripe", "nobody's", "{}")?;
    Ok(())
}

/// A call whose upstream fails, so that its credit comes back.
fn fails_behind(gateway: u16, key: &str, body: &str) {
    let length = body.len();
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Pretend-Fault: status=503\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    Line::to(gateway).call(request.as_bytes());
}
