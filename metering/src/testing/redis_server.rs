//! A private Redis as a child process, with the settings that live balances need.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::turned_clock;
use crate::live::Place;

/// Long enough for a loaded machine to load an append-only file of a test.
const START_WAIT: Duration = Duration::from_secs(20);
/// Redis puts a write off by two seconds at most.
const WRITE_WAIT: Duration = Duration::from_secs(10);
/// How long an attempt to speak to a server that starts may take.
const ANSWER_WAIT: Duration = Duration::from_millis(100);
/// Ports for tests: Linux takes those of outgoing connections from 32768 on.
const FIRST_PORT: u32 = 15_000;
const PORTS: u32 = 17_000;
/// How `env` ends when there is no such program.
const NOT_FOUND: i32 = 127;

/// The users of a real installation; in tests each has its name as its password, with [`PASSWORD_ENDS`] behind it.
const USERS: &str = include_str!("../../../deploy/redis/users.acl");
/// Stands in every password of a test, and so must stand in no log.
pub const PASSWORD_ENDS: &str = "-password-of-tests";

/// How a private Redis is set up, beyond what live balances need.
#[derive(Debug, Clone)]
pub struct RedisSetup {
    /// What it does about its append-only file.
    pub appendfsync: &'static str,
    /// With the users of a real installation instead of the one who may do everything.
    pub users: bool,
    /// By TLS only, for `localhost`.
    pub tls: Option<RedisTls>,
    /// As a node of a cluster.
    pub cluster: bool,
    /// Valkey instead of Redis.
    pub valkey: Option<PathBuf>,
    /// libfaketime, if its clock is to be turned.
    pub faketime: Option<PathBuf>,
}

/// The server of Valkey; `None` where it could not be fetched, and a test that needs it is left out. CI has it in any case.
#[must_use]
pub fn valkey() -> Option<PathBuf> {
    let found = std::env::var_os("TOLLGATE_TEST_VALKEY").map(PathBuf::from);
    if found.is_none() {
        eprintln!("left out: there is no Valkey (cargo dev test fetches it)");
    }
    found
}

/// Valkey, where the test runner wants it in place of Redis wherever a test does not care.
fn instead() -> Option<PathBuf> {
    std::env::var_os("TOLLGATE_TEST_ON_VALKEY").and_then(|_| valkey())
}

/// What a Redis needs for TLS, as PEM.
#[derive(Debug, Clone)]
pub struct RedisTls {
    /// Its certificate, for `localhost`; it vouches for itself.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
    /// Whose certificates callers have to show; `None` = they need none.
    pub callers: Option<String>,
}

impl Default for RedisSetup {
    fn default() -> Self {
        Self { appendfsync: "everysec", users: false, tls: None, cluster: false, valkey: instead(), faketime: None }
    }
}

/// A private Redis. Ends when dropped.
pub struct RedisServer {
    directory: TempDir,
    port: u16,
    /// Where the nodes of a cluster speak to each other.
    bus_port: u16,
    setup: RedisSetup,
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
        Self::start_with(RedisSetup::default())
    }

    /// Starts a Redis with an `appendfsync` of your choice.
    #[must_use]
    pub fn start_with_fsync(appendfsync: &'static str) -> Self {
        Self::start_with(RedisSetup { appendfsync, ..RedisSetup::default() })
    }

    /// Starts a Redis of your choice.
    #[must_use]
    pub fn start_with(setup: RedisSetup) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text);
        let users = ["gateway", "ledger-sync", "tollgate", "admin"];
        let acl = users.iter().fold(USERS.to_owned(), |acl, user| acl.replace(&format!("@{user}@"), &password(user)));
        write("users.acl", &acl).expect("the test's own directory can be written to");
        if let Some(tls) = &setup.tls {
            let callers = tls.callers.as_ref().unwrap_or(&tls.certificate);
            for (name, text) in [("server.pem", &tls.certificate), ("server.key", &tls.key), ("callers.pem", callers)] {
                write(name, text).expect("the test's own directory can be written to");
            }
        }
        let mut server = Self { directory, port: free_port(), bus_port: free_port(), setup, child: None };
        while !server.try_start() {
            // Somebody else took one in between.
            (server.port, server.bus_port) = (free_port(), free_port());
        }
        server
    }

    /// Its URL, for somebody who may do everything.
    #[must_use]
    pub fn url(&self) -> String {
        if self.setup.users { self.url_of("admin") } else { format!("{}{}", self.scheme(), self.address()) }
    }

    /// Its URL, for one of its users.
    #[must_use]
    pub fn url_of(&self, user: &str) -> String {
        format!("{}{user}:{}@{}", self.scheme(), password(user), self.address())
    }

    fn scheme(&self) -> &'static str {
        if self.setup.tls.is_some() { "rediss://" } else { "redis://" }
    }

    fn address(&self) -> String {
        let host = if self.setup.tls.is_some() { "localhost" } else { "127.0.0.1" };
        format!("{host}:{}", self.port)
    }

    /// Whether it has users.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        self.setup.users
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where the nodes of its cluster speak to it.
    #[must_use]
    pub const fn bus_port(&self) -> u16 {
        self.bus_port
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

    pub(super) const fn child_mut(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Ends it as a crash does: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // already gone is as good
            let _ = child.wait();
        }
    }

    /// Waits until all that it has answered is written: while the disk is busy with an fsync, it answers first and may write up to two seconds later.
    /// Without an fsync it need not be on the disk, but it outlives the process.
    pub fn wait_until_written(&self) {
        let started = Instant::now();
        while !self.text(&["INFO", "persistence"]).contains("aof_buffer_length:0\r") {
            assert!(started.elapsed() < WRITE_WAIT, "the append-only file is not written");
            std::thread::sleep(Duration::from_millis(5));
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
        let believed = self.setup.tls.as_ref().map(|tls| tls.certificate.clone().into_bytes());
        self.try_command(&Place::new(&self.url()).with_ca(believed), arguments).expect("the command is answered")
    }

    /// What a command answers, as text.
    #[must_use]
    pub fn text(&self, arguments: &[&str]) -> String {
        redis::from_redis_value(self.command(arguments)).expect("the answer is one text")
    }

    /// What a command answers, as texts.
    #[must_use]
    pub fn texts(&self, arguments: &[&str]) -> Vec<String> {
        redis::from_redis_value(self.command(arguments)).expect("the answer is a list of texts")
    }

    /// Runs one command at a place of your choice; the error as its text.
    pub fn try_command(&self, place: &Place, arguments: &[&str]) -> Result<redis::Value, String> {
        let client = place.client().expect("the URL is good");
        let mut command = redis::Cmd::new();
        for argument in arguments {
            command.arg(*argument);
        }
        let mut connection = client.get_connection().map_err(|error| error.to_string())?;
        command.query(&mut connection).map_err(|error| error.to_string())
    }

    fn try_start(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.directory.path().join("redis.log"));
        let log = log.expect("a log file can be made in the test's own directory");
        // Writes beyond a limit fail then, instead of ending the process (`fill_disk`).
        let mut command = Command::new("env");
        command.arg("--ignore-signal=XFSZ");
        if let Some(library) = &self.setup.faketime {
            let variables = turned_clock::variables(library, self.directory.path());
            command.args(variables.map(|(name, value)| format!("{name}={}", value.display())));
        }
        command
            .arg(self.setup.valkey.as_deref().unwrap_or(Path::new("redis-server")))
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"])
            .args(["--appendfsync", self.setup.appendfsync, "--dir"])
            .arg(self.directory.path())
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("env is there on any system");
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                assert_ne!(status.code(), Some(NOT_FOUND), "redis-server is installed (cargo dev test says how)");
                return false;
            }
            if self.answers() {
                self.child = Some(child);
                return true;
            }
            assert!(started.elapsed() < START_WAIT, "redis-server did not listen in time");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it says anything. One that merely listens may still end, because something else that it needs is not to be had.
    fn answers(&self) -> bool {
        let to = |port| TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), ANSWER_WAIT);
        // A node listens to its cluster last, and ends when it can't.
        if self.setup.cluster && to(self.bus_port).is_err() {
            return false;
        }
        let Ok(mut stream) = to(self.port) else { return false };
        self.setup.tls.is_some()
            || (stream.set_read_timeout(Some(ANSWER_WAIT)).is_ok()
                && stream.write_all(b"PING\r\n").is_ok()
                && stream.read(&mut [0]).is_ok_and(|read| read == 1))
    }
}

impl RedisServer {
    /// What its setup says on the command line.
    fn arguments(&self) -> Vec<String> {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        let mut arguments = if self.setup.tls.is_some() {
            vec!["--port".to_owned(), "0".to_owned(), "--tls-port".to_owned(), self.port.to_string()]
        } else {
            vec!["--port".to_owned(), self.port.to_string()]
        };
        let mut set = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        if self.setup.users {
            set("aclfile", path("users.acl"));
        }
        if let Some(tls) = &self.setup.tls {
            set("tls-cert-file", path("server.pem"));
            set("tls-key-file", path("server.key"));
            set("tls-ca-cert-file", path("callers.pem"));
            set("tls-auth-clients", if tls.callers.is_some() { "yes" } else { "no" }.to_owned());
        }
        if self.setup.cluster {
            set("cluster-enabled", "yes".to_owned());
            set("cluster-port", self.bus_port.to_string());
            set("cluster-node-timeout", "2000".to_owned());
            set("cluster-require-full-coverage", "no".to_owned());
        }
        if self.setup.cluster && self.setup.tls.is_some() {
            // The certificate is for a name, and nodes are called by their addresses otherwise.
            set("tls-cluster", "yes".to_owned());
            set("cluster-announce-hostname", "localhost".to_owned());
            set("cluster-preferred-endpoint-type", "hostname".to_owned());
        }
        arguments
    }
}

fn password(user: &str) -> String {
    format!("{user}{PASSWORD_ENDS}")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
