//! One of our programs as a child process: its settings, its log, its admin listener. Killed when dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use metering::testing::free_port;

use super::{PATIENCE, wait_until};

/// Lines of a log shown when a test fails: the end is where it went wrong.
const LINES_SHOWN: usize = 60;

pub struct Program {
    name: &'static str,
    log: PathBuf,
    admin: String,
    http: reqwest::Client,
    child: Child,
}

/// The console, with nothing of the developer's own settings.
pub fn console() -> Command {
    Command::new(env!("CARGO_BIN_EXE_console"))
}

/// Another of our programs, where cargo put it: beside the console.
fn program(name: &str) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_console")).with_file_name(name);
    assert!(path.is_file(), "{} is not there: run `cargo build --workspace` first", path.display());
    Command::new(path)
}

impl Program {
    /// Starts a service with these settings, and an admin listener.
    pub fn start(directory: &Path, name: &'static str, settings: &str, http: reqwest::Client) -> Self {
        let admin = format!("127.0.0.1:{}", free_port());
        let path = directory.join(format!("{name}.toml"));
        std::fs::write(&path, format!("admin_listen = \"{admin}\"\n{settings}\n")).unwrap();
        let arguments = ["--config".to_owned(), path.display().to_string()];
        Self::run(directory, name, &arguments, format!("http://{admin}"), http)
    }

    /// Starts any program; `admin` is where it says that it is there.
    pub fn run(
        directory: &Path,
        name: &'static str,
        arguments: &[String],
        admin: String,
        http: reqwest::Client,
    ) -> Self {
        let log = directory.join(format!("{name}.log"));
        let lines = File::options().create(true).append(true).open(&log).unwrap();
        let child = program(name)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(lines.try_clone().unwrap())
            .stderr(lines)
            .spawn()
            .unwrap();
        Self { name, log, admin, http, child }
    }

    pub async fn wait_ready(&self) {
        wait_until(&format!("{} is ready", self.name), async || self.readiness().await.0 == 200).await;
    }

    /// Until a metric, summed over its labels, is this.
    pub async fn wait_metric(&self, name: &str, value: i64) {
        wait_until(&format!("{name} is {value}"), async || self.metric(name).await == value).await;
    }

    /// Status and words of `/readyz`; status 0 while nobody listens.
    pub async fn readiness(&self) -> (u16, String) {
        match self.http.get(format!("{}/readyz", self.admin)).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        }
    }

    /// A metric, summed over its labels; `name` may hold some of them.
    pub async fn metric(&self, name: &str) -> i64 {
        let Ok(answer) = self.http.get(format!("{}/metrics", self.admin)).send().await else { return 0 };
        let text = answer.text().await.unwrap_or_default();
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', ',']));
        text.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).sum()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "{} is there to be signalled", self.name);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "{} did not end:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill(); // already gone is as good
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("--- the end of {}'s log ---\n{}", self.name, shown.join("\n"));
        }
    }
}
