//! A line between the program and Postgres that can be cut and mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Cut and mended at will; every connection by way of it is broken by a cut.
pub struct Wire {
    /// The URL of the book, by way of this line.
    pub url: String,
    line: Arc<Line>,
    _carried: JoinSet<()>,
}

struct Line {
    whole: AtomicBool,
    cut: Notify,
    server: String,
}

impl Wire {
    /// To the Postgres of a URL.
    pub async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, database) = rest.split_once('/').expect("the URL of a database");
        let (user, server) = authority.rsplit_once('@').expect("the URL names a user");
        let line = Line { whole: AtomicBool::new(true), cut: Notify::new(), server: server.to_owned() };
        let line = Arc::new(line);
        let mut carried = JoinSet::new();
        carried.spawn(carry(listener, Arc::clone(&line)));
        Self { url: format!("{scheme}://{user}@127.0.0.1:{port}/{database}"), line, _carried: carried }
    }

    /// Breaks every connection and lets no new one through.
    pub fn cut(&self) {
        self.line.whole.store(false, Ordering::Relaxed);
        self.line.cut.notify_waiters();
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.line.whole.store(true, Ordering::Relaxed);
    }
}

/// Carries every connection while the line is whole; else closes it at once, as a server that is gone.
async fn carry(listener: TcpListener, line: Arc<Line>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        if line.whole.load(Ordering::Relaxed) {
            let line = Arc::clone(&line);
            connections.spawn(async move {
                let mut far = TcpStream::connect(&line.server).await.expect("Postgres listens");
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    () = line.cut.notified() => {}
                }
            });
        }
    }
}
