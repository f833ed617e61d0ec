//! A ledger-sync as far as journals go: takes what gateways post, or does not, as a test wants it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use metering::journal::{Head, Record, read_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What the gateway must say.
pub const SECRET: &str = "a-secret-that-is-long-enough-to-be-one";

/// One batch.
#[derive(Clone, Debug)]
pub struct Post {
    pub head: Head,
    pub records: Vec<Record>,
    pub bytes: Vec<u8>,
}

pub struct Witness {
    port: u16,
    posts: Arc<Mutex<Vec<Post>>>,
    takes: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Witness {
    pub async fn start(takes: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (posts, takes) = (Arc::<Mutex<Vec<Post>>>::default(), Arc::new(AtomicBool::new(takes)));
        let (kept, willing) = (posts.clone(), takes.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, willing.clone(), kept.clone()));
            }
        });
        Self { port, posts, takes, _tasks: tasks }
    }

    /// Settings of a gateway that posts here soon; `more` are lines of `[journal]`.
    pub fn settings(&self, more: &str) -> String {
        let directory = if more.contains("directory") { "" } else { "directory = \"journal\"\n" };
        let often = if more.contains("post_ms") { "" } else { "post_ms = 20\n" };
        let port = self.port;
        format!(
            "[journal]\n{directory}post_to = [\"http://127.0.0.1:1/journal\", \"http://127.0.0.1:{port}/journal\"]\n\
             secret = \"{SECRET}\"\n{often}{more}\n"
        )
    }

    pub fn takes_from_now_on(&self) {
        self.takes.store(true, Ordering::Relaxed);
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }

    /// Every record once, whatever was posted twice, in the order of their files.
    pub fn records(&self) -> Vec<Record> {
        let mut by_place: BTreeMap<(Uuid, u64, u64), Vec<Record>> = BTreeMap::new();
        for post in self.posts().into_iter().filter(|post| !post.records.is_empty()) {
            by_place.insert((post.head.run, post.head.file, post.head.position), post.records);
        }
        by_place.into_values().flatten().collect()
    }

    /// Waits until the records are as they should be.
    pub async fn until(&self, what: &str, mut holds: impl FnMut(&[Record]) -> bool) -> Vec<Record> {
        super::until(what, || holds(&self.records())).await;
        self.records()
    }
}

async fn serve(mut stream: TcpStream, takes: Arc<AtomicBool>, posts: Arc<Mutex<Vec<Post>>>) -> Option<()> {
    let mut buffer = Vec::new();
    let head_end = loop {
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    assert!(head.starts_with("POST /journal HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("uthorization: Bearer {SECRET}\r\n")), "{head}");
    let length: usize = head.to_ascii_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    while buffer.len() < head_end + length {
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
    }
    if !takes.load(Ordering::Relaxed) {
        stream.write_all(b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        return Some(());
    }
    let bytes = buffer.split_off(head_end);
    let (head, mut rest): (Head, &[u8]) = read_frame(&bytes).unwrap().unwrap();
    let mut records = Vec::new();
    while let Some((record, after)) = read_frame(rest).unwrap() {
        records.push(record);
        rest = after;
    }
    posts.lock().unwrap().push(Post { head, records, bytes });
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.ok()
}
