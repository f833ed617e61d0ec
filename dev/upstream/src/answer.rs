//! Sending an answer, whole or broken as ordered.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use serde_json::Value;

use crate::fault::Kind;

/// The event that tells a reader that the stream is whole, in both spellings that chat servers use.
const TERMINAL: &str = "event: done\ndata: [DONE]\n\n";

/// Time for a first half to leave before the connection breaks behind it.
const FLUSH: Duration = Duration::from_millis(20);

/// One JSON document.
pub fn json(body: &Value, kind: Kind) -> Response {
    let whole = Bytes::from(body.to_string());
    let response = Response::builder().header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, whole.len());
    let half = whole.slice(..whole.len() / 2);
    let body = match kind {
        Kind::Cut => Body::from_stream(stream::iter([Ok(half)]).chain(broken())),
        Kind::Stall => Body::from_stream(stream::iter([Ok::<_, Infallible>(half)]).chain(stream::pending())),
        _ => Body::from(whole),
    };
    finish(response, body)
}

/// Server-sent events, `gap` apart, and the terminal event.
pub fn events(mut events: Vec<String>, gap: Duration, kind: Kind) -> Response {
    let response = Response::builder().header(CONTENT_TYPE, "text/event-stream").header(CACHE_CONTROL, "no-store");
    match kind {
        Kind::Cut | Kind::Stall => events.truncate(events.len().div_ceil(2)),
        Kind::CleanCut => {}
        _ => events.push(TERMINAL.to_owned()),
    }
    let paced = stream::iter(events.into_iter().enumerate()).then(move |(index, event)| async move {
        if index > 0 {
            tokio::time::sleep(gap).await;
        }
        Ok::<_, io::Error>(Bytes::from(event))
    });
    let body = match kind {
        Kind::Cut => Body::from_stream(paced.chain(broken())),
        Kind::Stall => Body::from_stream(paced.chain(stream::pending())),
        _ => Body::from_stream(paced),
    };
    finish(response, body)
}

/// The error that makes hyper close the connection in the middle of a body.
fn broken() -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(async {
        tokio::time::sleep(FLUSH).await;
        Err(io::ErrorKind::ConnectionReset.into())
    })
}

fn finish(response: axum::http::response::Builder, body: Body) -> Response {
    response.body(body).expect("the header values above are constants and a number")
}
