//! Callers who send all the time and count what fails. None of them tries again: whatever breaks is a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Between two requests of one caller.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Traffic {
    callers: JoinSet<Vec<String>>,
    served: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Traffic {
    /// Callers who keep their connection as long as they are let, and callers who make a new one each time; all send `request`,
    /// a header and body without a `Connection` line.
    pub fn start(port: u16, request: &str, keeping: usize, fresh: usize) -> Self {
        let (served, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let mut callers = JoinSet::new();
        for number in 0..keeping + fresh {
            let (request, served, over) = (request.to_owned(), served.clone(), over.clone());
            callers.spawn(async move {
                let mut failures = Vec::new();
                let mut kept = None;
                while !over.load(Ordering::Relaxed) {
                    match call(port, &request, kept.take()).await {
                        Ok(stream) => {
                            served.fetch_add(1, Ordering::Relaxed);
                            kept = stream.filter(|_| number < keeping);
                        }
                        Err(failure) => failures.push(failure),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                failures
            });
        }
        Self { callers, served, over }
    }

    pub fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until that many more are served.
    pub async fn until_more(&self, count: usize) {
        let wanted = self.served() + count;
        super::until("more requests are served", || self.served() >= wanted).await;
    }

    /// How many were served in all, once everybody has stopped; fails when anything failed.
    pub async fn end(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        let failures = self.callers.join_all().await.concat();
        let served = self.served.load(Ordering::Relaxed);
        assert!(failures.is_empty(), "{} failed, {served} were served: {:?}", failures.len(), failures.first());
        served
    }
}

/// One request; the connection, when it may be used again.
async fn call(port: u16, request: &str, kept: Option<TcpStream>) -> Result<Option<TcpStream>, String> {
    let was = if kept.is_some() { "kept" } else { "new" };
    let failed = |what: &'static str| move |error: std::io::Error| format!("{was} connection: {what}: {error}");
    let mut stream = match kept {
        Some(stream) => stream,
        None => TcpStream::connect(("127.0.0.1", port)).await.map_err(failed("connect"))?,
    };
    stream.write_all(request.as_bytes()).await.map_err(failed("write"))?;
    let mut answer = Vec::new();
    loop {
        if let Some((head, complete)) = parse(&answer) {
            if !head.starts_with("HTTP/1.1 200") {
                return Err(format!("{was} connection: {head}"));
            }
            if complete {
                let closes = head.to_ascii_lowercase().contains("connection: close");
                return Ok(if closes { None } else { Some(stream) });
            }
        }
        if stream.read_buf(&mut answer).await.map_err(failed("read"))? == 0 {
            return Err(format!("{was} connection: closed after {} bytes", answer.len()));
        }
    }
}

/// The header of an answer, and whether the body has come as well.
fn parse(answer: &[u8]) -> Option<(String, bool)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("content-length") { value.parse::<usize>().ok() } else { None }
    });
    let complete = answer.len() >= end + length.unwrap_or(0);
    Some((head, complete))
}
