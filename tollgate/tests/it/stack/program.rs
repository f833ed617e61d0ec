//! One of our programs as a child process: its settings, its log, its admin listener. Killed when dropped.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{PATIENCE, wait_until};

/// Lines of a log shown when a test fails: the end is where it went wrong.
const LINES_SHOWN: usize = 60;
/// SIGABRT: how a program ends at a failpoint.
const ABORTED: i32 = 6;

pub struct Program {
    name: String,
    executable: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    admin: String,
    http: reqwest::Client,
    child: Option<Child>,
}

/// Where cargo put a program beside this test: `target/debug/<name>`.
pub(super) fn executable(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is not there: run `cargo build --workspace` first", path.display());
    path
}

impl Program {
    /// Starts `executable` with `arguments`; `admin` is where it answers `/readyz` and `/metrics`.
    pub fn start(
        directory: &Path,
        (program, name): (&str, &str),
        arguments: Vec<String>,
        admin: String,
        http: reqwest::Client,
    ) -> Self {
        let log = directory.join(format!("{name}.log"));
        let executable = executable(program);
        let mut program = Self { name: name.to_owned(), executable, arguments, log, admin, http, child: None };
        program.start_again();
        program
    }

    /// Starts it once more, as it was.
    pub fn start_again(&mut self) {
        self.start_with(&[]);
    }

    /// Starts it once more; it ends by itself when it passes a failpoint for the `passes`th time.
    pub fn start_to_die_at(&mut self, place: &str, passes: u64) {
        self.start_with(&[("TOLLGATE_FAILPOINT", format!("{place}={passes}"))]);
    }

    fn start_with(&mut self, variables: &[(&str, String)]) {
        self.kill();
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(&self.executable)
            .args(&self.arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill(); // already gone is as good
            let _ = child.wait();
        }
    }

    /// Asks it to stop, and waits for its end.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let mut child = self.child.take().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "{} does not stop", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it has ended by itself; `false` when it does not within the limit.
    pub async fn died(&mut self, limit: Duration) -> bool {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                assert_eq!(status.signal(), Some(ABORTED), "{} ended in another way: {status}", self.name);
                self.child = None;
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(sent.unwrap().success(), "{} is there to be signalled", self.name);
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub async fn wait_ready(&self) {
        wait_until(&format!("{} is ready", self.name), async || {
            self.http
                .get(format!("{}/readyz", self.admin))
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }

    /// Until somebody listens, ready or not.
    pub async fn wait_listening(&self) {
        wait_until(&format!("{} listens", self.name), async || {
            self.http.get(format!("{}/healthz", self.admin)).send().await.is_ok()
        })
        .await;
    }

    /// What `/readyz` says; empty while it does not answer.
    pub async fn readiness(&self) -> String {
        match self.http.get(format!("{}/readyz", self.admin)).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Everything Prometheus would see; empty while it does not answer.
    pub async fn metrics(&self) -> String {
        match self.http.get(format!("{}/metrics", self.admin)).send().await {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// A metric, summed over its labels.
    pub async fn metric(&self, name: &str) -> i64 {
        let text = self.metrics().await;
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).sum()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("--- the end of {}'s log ---\n{}", self.name, shown.join("\n"));
        }
    }
}
