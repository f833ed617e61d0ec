//! A caller's connection: kept from call to call, made anew where it ended.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use crate::call::{Answer, Failure};
use crate::stream::Events;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// As much of a refusal is read as its code needs.
const REFUSAL_BYTES_MAX: usize = 16 * 1024;

/// A server: `http://host:port`.
#[derive(Clone, Debug)]
pub struct Target {
    pub url: String,
    pub host: HeaderValue,
    address: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let wrong = || format!("{text} is not http://host:port");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        if uri.scheme_str() != Some("http") || uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(wrong());
        }
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        let host = authority.as_str().parse().map_err(|_| wrong())?;
        Ok(Target { url: text.trim_end_matches('/').to_owned(), host, address })
    }
}

pub struct Line {
    target: Target,
    open: Option<SendRequest<Full<Bytes>>>,
    /// Connections are driven by tasks of their own.
    tracker: TaskTracker,
}

impl Line {
    pub fn to(target: &Target, tracker: &TaskTracker) -> Line {
        Line { target: target.clone(), open: None, tracker: tracker.clone() }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Sends a call, at most once, and reads its answer to the end or to the limit.
    pub async fn call(&mut self, request: Request<Full<Bytes>>, limit: Duration) -> Answer {
        let mut answer = Answer::default();
        match tokio::time::timeout(limit, self.try_call(request, &mut answer)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => answer.failure = Some(failure),
            Err(_) => answer.failure = Some(Failure::Timeout),
        }
        if answer.failure.is_some() {
            self.open = None;
        }
        answer
    }

    /// A small body as it came, for questions that are no part of the load.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>, limit: Duration) -> Result<(u16, Bytes)> {
        let asked = async {
            let response = self.send(request).await.map_err(|failure| anyhow::anyhow!(failure.name()))?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.context("reading an answer")?.to_bytes();
            anyhow::Ok((status, body))
        };
        let answered = tokio::time::timeout(limit, asked).await.context("no answer in time")?;
        answered.with_context(|| format!("asking {}", self.target.url))
    }

    async fn try_call(&mut self, request: Request<Full<Bytes>>, answer: &mut Answer) -> Result<(), Failure> {
        let response = self.send(request).await?;
        answer.status = response.status().as_u16();
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        answer.op = text("request-id").map(str::to_owned);
        answer.credits = text("credits-cost").and_then(|credits| credits.parse().ok()).unwrap_or(0);
        let (streams, problem) = (is(headers, "text/event-stream"), is(headers, "application/problem+json"));
        let mut body = response.into_body();
        if streams {
            return follow(&mut body, answer.events.insert(Events::default())).await;
        }
        let mut kept = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::Broken)?;
            if let Some(data) = frame.data_ref().filter(|_| problem && kept.len() < REFUSAL_BYTES_MAX) {
                kept.extend_from_slice(data);
            }
        }
        answer.code = problem.then(|| code(&kept)).flatten();
        Ok(())
    }

    /// Sends on the open connection. One that ended before it took the request gives it back, and a new one is tried once.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let mut request = request;
        loop {
            let fresh = self.open.is_none();
            let mut sender = match self.open.take() {
                Some(sender) => sender,
                None => self.connect().await.map_err(|_| Failure::Connect)?,
            };
            if sender.ready().await.is_err() {
                if fresh {
                    return Err(Failure::Connect);
                }
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.open = Some(sender);
                    return Ok(response);
                }
                Err(mut err) => match err.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    Some(_) => return Err(Failure::Connect),
                    None => return Err(Failure::NoAnswer),
                },
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(&self.target.address)).await??;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        self.tracker.spawn(async {
            // Whoever waits for an answer on it hears of its end.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// Reads a stream of events; one that ends without its last event has broken off, however cleanly.
async fn follow(body: &mut Incoming, events: &mut Events) -> Result<(), Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::Broken)?;
        if let Some(data) = frame.data_ref() {
            events.arrived(data, Instant::now());
        }
    }
    if events.whole { Ok(()) } else { Err(Failure::Broken) }
}

fn is(headers: &HeaderMap, kind: &str) -> bool {
    headers.get(http::header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(kind.as_bytes()))
}

fn code(problem: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(problem).ok()?;
    problem["code"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_server_and_nothing_more() {
        let target: Target = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!((target.address.as_str(), target.host.to_str().unwrap()), ("127.0.0.1:8080", "127.0.0.1:8080"));
        assert_eq!("http://gateway.test".parse::<Target>().unwrap().address, "gateway.test:80");
        for wrong in ["127.0.0.1:80", "https://a", "http://a/v1", "http://user:secret@a", "http://a/?x", ""] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
