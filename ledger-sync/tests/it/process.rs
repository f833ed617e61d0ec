//! A real ledger-sync process on a real Redis and a real Postgres.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metering::testing::free_port;
use tempfile::TempDir;

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running ledger-sync. Killed when dropped.
pub struct Sync {
    child: Child,
    admin_port: u16,
    directory: TempDir,
}

impl Sync {
    /// Starts one and waits until it is ready.
    pub async fn start(redis_url: &str, postgres_url: &str) -> Self {
        let sync = Self::start_unready(redis_url, postgres_url, "");
        sync.wait_ready().await;
        sync
    }

    /// Starts one with settings of your own laid over the test's, and does not wait.
    pub fn start_unready(redis_url: &str, postgres_url: &str, settings: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let admin_port = free_port();
        let file = format!(
            "admin_listen = \"127.0.0.1:{admin_port}\"\nredis.url = \"{redis_url}\"\npostgres.url = \"{postgres_url}\"\n\
             shards.count = 4\nlease.duration_ms = 1500\nlease.heartbeat_ms = 200\nsweep.grace_ms = 0\nsweep.interval_ms = 100\n{settings}\n"
        );
        let path = directory.path().join("ledger-sync.toml");
        std::fs::write(&path, file).unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_ledger-sync"))
            .arg("--config")
            .arg(&path)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, admin_port, directory }
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "ledger-sync is there to be signalled");
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        let _ = self.child.kill(); // already gone is as good
        let _ = self.child.wait();
    }

    /// Asks it to stop, and waits for its end.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "ledger-sync did not stop:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub async fn wait_ready(&self) {
        wait_until(&format!("ledger-sync is ready; {}", self.directory.path().display()), async || {
            self.get("/readyz").is_some_and(|answer| answer.contains("200 OK"))
        })
        .await;
    }

    /// The value of a metric without labels, or summed over its shards.
    pub fn metric(&self, name: &str) -> i64 {
        let text = self.get("/metrics").unwrap_or_default();
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).sum()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- ledger-sync's log ---\n{}", self.log());
        }
    }
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
