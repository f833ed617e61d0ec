//! Answers that say what they cost: in the header, in the body, by its length, in events.

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{SSE, say};

/// Whether the connection goes on; `None` for an order that is none of these.
pub async fn answer(stream: &mut TcpStream, order: &str, number: &str, go_on: &Notify) -> Option<bool> {
    let whole =
        |lines: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len());
    let text = match order {
        "price" => whole(&format!("Tollgate-Price: {number}\r\n"), "ok"),
        "json" => whole("", &format!("{{\"usage\":{{\"credits\":{number}}}}}")),
        "bytes" => whole("", &"x".repeat(number.parse().unwrap_or(0))),
        "priced-sse" => {
            say(stream, &format!("{SSE}\r\ndata: {{\"usage\":{{\"credits\":2}}}}\n\n")).await;
            go_on.notified().await;
            say(stream, "data: {\"usage\":{\"credits\":5}}\n\nevent: done\ndata: [DONE]\n\n").await;
            return Some(false);
        }
        _ => return None,
    };
    Some(say(stream, &text).await)
}
