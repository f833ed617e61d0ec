//! The gateway as a child process.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use metering::testing::{PASSWORD_ENDS, free_port};
use serde_json::Value;
use tempfile::TempDir;

use super::caller::{Answer, raw};

/// Short where a test waits for them; else as in life.
const ROUTES: &str = include_str!("routes.toml");
/// Those that take sessions, for a gateway that has them.
const SESSION_ROUTES: &str = include_str!("session_routes.toml");

pub struct GatewayProcess {
    child: Child,
    pub port: u16,
    pub admin_port: u16,
    directory: TempDir,
}

pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.stdin(Stdio::null()).env_clear();
    command
}

impl GatewayProcess {
    pub fn start(redis_url: &str, upstream_url: &str, settings: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let (port, admin_port) = (free_port(), free_port());
        let session_routes = if settings.contains("[sessions]") { SESSION_ROUTES } else { "" };
        std::fs::write(directory.path().join("routes.toml"), format!("{ROUTES}{session_routes}")).unwrap();
        // A test of groups says itself what the group is.
        let group = if settings.contains("[upstreams.group]") {
            String::new()
        } else {
            format!("group = \"{upstream_url}\"\n")
        };
        let config = format!(
            "listen = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:{admin_port}\"\nroutes = \"routes.toml\"\nthreads = 2\n\
             redis.url = \"{redis_url}\"\n{settings}\n[upstreams]\ndemo = \"{upstream_url}\"\n\
             {group}nowhere = \"http://127.0.0.1:{}\"\n",
            free_port()
        );
        std::fs::write(directory.path().join("gateway.toml"), config).unwrap();
        let child = run(directory.path(), &[]);
        Self { child, port, admin_port, directory }
    }

    pub async fn until_ready(&self) {
        let started = Instant::now();
        while !matches!(self.admin("/readyz").await, Some(answer) if answer.status == 200) {
            assert!(started.elapsed() < Duration::from_secs(15), "the gateway is not ready\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// `None` while nobody listens.
    pub async fn admin(&self, path: &str) -> Option<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        raw(self.admin_port, request.as_bytes()).await
    }

    /// The value of one line of the metrics.
    pub async fn metric(&self, line: &str) -> u64 {
        let metrics = self.admin("/metrics").await.expect("the admin listener answers").text();
        let value = metrics.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no metric {line} in\n{metrics}"))
    }

    /// One request on a connection of its own.
    pub async fn send(&self, method: &str, path: &str, lines: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n");
        for (name, value) in lines {
            request.extend([name, ": ", value, "\r\n"]);
        }
        if !body.is_empty() {
            request.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        self.raw(&format!("{request}\r\n{body}")).await
    }

    /// Exactly these bytes on a connection of its own.
    pub async fn raw(&self, request: &str) -> Answer {
        raw(self.port, request.as_bytes()).await.unwrap_or_else(|| panic!("no answer to {request}\n{}", self.log()))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The log lines of requests, as JSON.
    pub fn request_lines(&self) -> Vec<Value> {
        let lines = self.log();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "gateway::request").collect()
    }

    /// What the process holds in memory.
    pub fn memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    /// Changes one of its files, as an editor would that writes anew and renames.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.directory.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(path.with_extension("new"), text.replace(from, to)).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Starts another one with the same files that shall take its place; answers the one before.
    pub fn upgrade(&mut self) -> Before {
        Before(std::mem::replace(&mut self.child, run(self.directory.path(), &["--upgrade"])))
    }

    /// Dies as in a crash, and another one starts with the same files.
    pub fn is_killed_and_started_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = run(self.directory.path(), &[]);
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// After an upgrade that failed.
    pub fn stays(&mut self, mut before: Before) {
        std::mem::swap(&mut self.child, &mut before.0);
    }

    /// Waits for the end; `None` when it does not come in time.
    pub async fn until_gone(&mut self, limit: Duration) -> Option<ExitStatus> {
        until_gone(&mut self.child, limit).await
    }
}

/// A gateway whose place another one takes.
pub struct Before(Child);

impl Before {
    pub async fn until_gone(&mut self, limit: Duration) -> Option<ExitStatus> {
        until_gone(&mut self.0, limit).await
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn until_gone(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}

fn run(directory: &Path, more: &[&str]) -> Child {
    // One after the other, or two at once, write to the same.
    let log = File::options().create(true).append(true).open(directory.join("log")).unwrap();
    binary()
        .args(more)
        .arg("--config")
        .arg(directory.join("gateway.toml"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("the gateway was built")
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        // A panic in the gateway may be hidden behind an answer that looks right.
        let log = self.log();
        if !std::thread::panicking() {
            assert!(!log.contains("panicked at"), "the gateway panicked\n{log}");
            assert!(!log.contains("tg_test_"), "a key stands in the log\n{log}");
            assert!(!log.contains(PASSWORD_ENDS), "a password stands in the log\n{log}");
            assert!(!log.contains("eyJ"), "a session token stands in the log\n{log}");
        }
    }
}
