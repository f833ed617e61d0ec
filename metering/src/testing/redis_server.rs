//! A private Redis as a child process, with the settings that live balances need.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Long enough for a loaded machine to load an append-only file of a test.
const START_WAIT: Duration = Duration::from_secs(20);
/// Ports for tests: Linux takes those of outgoing connections from 32768 on.
const FIRST_PORT: u32 = 15_000;
const PORTS: u32 = 17_000;

/// A private Redis. Ends when dropped.
pub struct RedisServer {
    directory: TempDir,
    port: u16,
    appendfsync: &'static str,
    child: Option<Child>,
}

/// A port that was free a moment ago. Below the range from which the system takes ports for outgoing connections, so that
/// a server which was killed finds its port free when it comes back; each process begins somewhere else.
#[must_use]
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let begin = std::process::id().wrapping_mul(89);
        let step = begin.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(FIRST_PORT.saturating_add(step)).expect("the last port of the range is a port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl RedisServer {
    /// Starts a Redis with an append-only file, on a free port.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with_fsync("everysec")
    }

    /// Starts a Redis with an `appendfsync` of your choice.
    #[must_use]
    pub fn start_with_fsync(appendfsync: &'static str) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let mut server = Self { directory, port: free_port(), appendfsync, child: None };
        while !server.try_start() {
            server.port = free_port(); // somebody else took it in between
        }
        server
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process id; 0 while it is not running.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends it as a crash does: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // already gone is as good
            let _ = child.wait();
        }
    }

    /// Starts it again on the same port, with what is on disk.
    pub fn start_again(&mut self) {
        self.kill();
        assert!(self.try_start(), "redis-server starts again on its port");
    }

    /// Starts it again on the same port, with nothing.
    pub fn start_again_empty(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(self.directory.path().join("appendonlydir")); // none is as good
        let _ = std::fs::remove_file(self.directory.path().join("dump.rdb"));
        self.start_again();
    }

    /// Runs one command as an operator would, and refuses an error.
    #[expect(clippy::must_use_candidate, reason = "most commands are sent for their effect")]
    pub fn command(&self, arguments: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).expect("the URL is good");
        let mut connection = client.get_connection().expect("the test's redis answers");
        let mut command = redis::Cmd::new();
        for argument in arguments {
            command.arg(*argument);
        }
        command.query(&mut connection).expect("the command is answered")
    }

    fn try_start(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.directory.path().join("redis.log"));
        let log = log.expect("a log file can be made in the test's own directory");
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"])
            .args(["--appendfsync", self.appendfsync, "--port"])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.expect("redis-server is installed (cargo dev test says how)");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let started = Instant::now();
        loop {
            if child.try_wait().expect("a child can be asked").is_some() {
                return false;
            }
            if TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_ok() {
                self.child = Some(child);
                return true;
            }
            assert!(started.elapsed() < START_WAIT, "redis-server did not listen in time");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
