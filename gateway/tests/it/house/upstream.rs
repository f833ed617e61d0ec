//! An upstream that does what the request's `X-Do` says, and remembers what it was sent.

mod priced;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

const SSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Request line and header.
    pub head: String,
    pub body: Vec<u8>,
    /// Whether all of it came; else the connection ended within.
    pub whole: bool,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

pub struct Upstream {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    go_on: Arc<Notify>,
    usual: Arc<Mutex<String>>,
    /// Ends with this.
    _tasks: JoinSet<()>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let go_on = Arc::<Notify>::default();
        let usual = Arc::<Mutex<String>>::default();
        let (remembered, told, ordered) = (seen.clone(), go_on.clone(), usual.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, remembered.clone(), told.clone(), ordered.clone()));
            }
        });
        Self { port, seen, go_on, usual, _tasks: tasks }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it does from now on when a request gives no order.
    pub fn usually(&self, order: &str) {
        order.clone_into(&mut self.usual.lock().unwrap());
    }

    /// Lets one stream that waits between two of its events go on.
    pub fn go_on(&self) {
        self.go_on.notify_one();
    }

    /// Everything that arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many have arrived, or nothing more can be expected to.
    pub async fn until_seen(&self, count: usize) {
        let started = Instant::now();
        while self.seen().len() < count && started.elapsed() < Duration::from_secs(2) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().expect("the upstream was asked")
    }
}

/// Serves the requests of one connection, until one of them asks for a break.
async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, go_on: Arc<Notify>, usual: Arc<Mutex<String>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(head_end) = read_until_head(&mut stream, &mut buffer).await else {
            if !buffer.is_empty() {
                let head = String::from_utf8_lossy(&buffer).into_owned();
                seen.lock().unwrap().push(Seen { head, body: Vec::new(), whole: false });
            }
            return;
        };
        let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
        buffer.drain(..head_end + 4);
        let mut request = Seen { head, body: Vec::new(), whole: false };
        let order = request.values("x-do").first().filter(|order| !order.is_empty()).map(|order| (*order).to_owned());
        let order = order.unwrap_or_else(|| usual.lock().unwrap().clone());
        if order == "continue" {
            say(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        (request.body, request.whole) = read_body(&mut stream, &mut buffer, &request).await;
        seen.lock().unwrap().push(request);
        if !answer(&mut stream, &order, &go_on).await {
            return;
        }
    }
}

async fn read_until_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            return Some(end);
        }
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// The raw body, the chunks as they came when it is chunked; and whether it came to its end.
async fn read_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &Seen) -> (Vec<u8>, bool) {
    let length = request.values("content-length").first().and_then(|length| length.parse::<usize>().ok());
    let chunked = !request.values("transfer-encoding").is_empty();
    let whole = |buffer: &[u8]| match length {
        Some(length) => (buffer.len() >= length).then_some(length),
        None if chunked => buffer.windows(5).position(|window| window == b"0\r\n\r\n").map(|end| end + 5),
        None => Some(0),
    };
    loop {
        if let Some(end) = whole(buffer) {
            return (buffer.drain(..end).collect(), true);
        }
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return (std::mem::take(buffer), false);
        }
    }
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, order: &str, go_on: &Notify) -> bool {
    let (order, number) = order.split_once('=').unwrap_or((order, ""));
    match order {
        "" | "continue" => {
            let json = "{\"from\":\"upstream\"}";
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCredits-Remaining: 999\r\nTollgate-Price: 7\r\n";
            say(stream, &format!("{head}Content-Length: {}\r\n\r\n{json}", json.len())).await
        }
        // An upstream that opens itself to every page.
        "open-to-all" => {
            let claims = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nVary: Accept\r\n";
            say(stream, &format!("HTTP/1.1 200 OK\r\n{claims}Content-Length: 2\r\n\r\nno")).await
        }
        "status" => say(stream, &format!("HTTP/1.1 {number} Ordered\r\nContent-Length: 2\r\n\r\nno")).await,
        "silence" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            false
        }
        "close" => false,
        "cut-length" => {
            say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            false
        }
        "cut-chunked" => {
            say(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            false
        }
        "stall" => {
            let price = if number.is_empty() { String::new() } else { format!("Tollgate-Price: {number}\r\n") };
            say(stream, &format!("HTTP/1.1 200 OK\r\n{price}Content-Length: 100\r\n\r\nhalf")).await;
            tokio::time::sleep(Duration::from_secs(30)).await;
            false
        }
        // Three events, the last of them the terminal one, and the connection's end as the stream's.
        "sse" => {
            say(stream, &format!("{SSE}\r\ndata: 1\n\n")).await;
            go_on.notified().await;
            say(stream, "data: 2\n\nevent: do").await;
            say(stream, "ne\ndata: {}\n\n").await;
            false
        }
        "sse-chunked" => {
            say(stream, &format!("{SSE}Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")).await;
            go_on.notified().await;
            say(stream, "16\r\nevent: done\ndata: {}\n\n\r\n0\r\n\r\n").await
        }
        // Takes the connection up and says back what it hears; `echo=N`: until so many bytes were said.
        "echo" => {
            echo(stream, number.parse().unwrap_or(usize::MAX)).await;
            false
        }
        // A clean end without the terminal event.
        "sse-clean-cut" => {
            say(stream, &format!("{SSE}\r\ndata: 1\n\n")).await;
            false
        }
        "sse-endless" => {
            say(stream, &format!("{SSE}\r\n")).await;
            while say(stream, "data: x\n\n").await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            false
        }
        other => match priced::answer(stream, other, number, go_on).await {
            Some(goes_on) => goes_on,
            None => say(stream, &format!("HTTP/1.1 400 Unknown order {other}\r\nContent-Length: 0\r\n\r\n")).await,
        },
    }
}

/// pingora 0.9.1 (its issue 946) ends an upgraded connection at once when the 101 is there before it has looked at the request's
/// empty body, which only an upstream on a busy machine next door can do. So upstreams here take as long as a network would.
pub const HANDSHAKE_TIME: Duration = Duration::from_millis(20);

async fn echo(stream: &mut TcpStream, limit: usize) {
    tokio::time::sleep(HANDSHAKE_TIME).await;
    say(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").await;
    let (mut said, mut heard) = (0, [0; 4096]);
    while said < limit
        && let Ok(length @ 1..) = stream.read(&mut heard).await
    {
        stream.write_all(&heard[..length]).await.ok();
        said += length;
    }
}

async fn say(stream: &mut TcpStream, text: &str) -> bool {
    stream.write_all(text.as_bytes()).await.is_ok()
}
