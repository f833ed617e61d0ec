//! One of our programs as a child process: its settings, its log, its admin listener. Killed when dropped.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::wait_until;

/// Lines of a log shown when a test fails: the end is where it went wrong.
const LINES_SHOWN: usize = 60;
/// SIGABRT: how a program ends at a failpoint.
const ABORTED: i32 = 6;
/// How often is looked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Where cargo put a program beside this test: `target/debug/<name>`.
#[must_use]
pub fn executable(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is not there: run `cargo build --workspace` first", path.display());
    path
}

/// Asks as we do on this machine: by no proxy, and not for ever.
#[must_use]
pub fn client(patience: Duration) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(patience).build().unwrap()
}

/// What the programs of a test share.
#[derive(Clone)]
pub struct Ground {
    /// Where their files stand.
    pub directory: PathBuf,
    /// Who asks them.
    pub http: reqwest::Client,
    /// How long one may take to become ready, or to end.
    pub patience: Duration,
}

impl Ground {
    /// A ground whose programs are asked by a [`client`].
    #[must_use]
    pub fn new(directory: &Path, patience: Duration) -> Self {
        Self { directory: directory.to_owned(), http: client(patience), patience }
    }

    /// A service with these settings and its admin listener at this port. It does not run yet.
    #[must_use]
    pub fn service(&self, (program, name): (&str, &str), admin_port: u16, settings: &str) -> Program {
        let (admin, path) = (format!("127.0.0.1:{admin_port}"), self.settings_of(name));
        std::fs::write(&path, format!("admin_listen = \"{admin}\"\n{settings}\n")).unwrap();
        let arguments = vec!["--config".to_owned(), path.display().to_string()];
        self.program((program, name), arguments, format!("http://{admin}"))
    }

    /// The file that a service is started with.
    #[must_use]
    pub fn settings_of(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.toml"))
    }

    /// Any program; `admin` is where it says that it is there. It does not run yet.
    #[must_use]
    pub fn program(&self, (program, name): (&str, &str), arguments: Vec<String>, admin: String) -> Program {
        Program {
            name: name.to_owned(),
            executable: executable(program),
            arguments,
            log: self.directory.join(format!("{name}.log")),
            admin,
            http: self.http.clone(),
            patience: self.patience,
            child: None,
        }
    }
}

/// A program that runs, or may be started again.
pub struct Program {
    name: String,
    executable: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    admin: String,
    http: reqwest::Client,
    patience: Duration,
    child: Option<Child>,
}

impl Program {
    /// Starts it.
    #[must_use]
    pub fn started(mut self) -> Self {
        self.start_again();
        self
    }

    /// Starts it; it ends by itself when it passes a failpoint for the first time.
    #[must_use]
    pub fn started_to_die_at(mut self, place: &str) -> Self {
        self.start_to_die_at(place, 1);
        self
    }

    /// Starts it once more, as it was.
    pub fn start_again(&mut self) {
        self.start_with(None);
    }

    /// Starts it once more; it ends by itself when it passes a failpoint for the `passes`th time.
    pub fn start_to_die_at(&mut self, place: &str, passes: u64) {
        self.start_with(Some(format!("{place}={passes}")));
    }

    fn start_with(&mut self, failpoint: Option<String>) {
        self.kill();
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(&self.executable)
            .args(&self.arguments)
            .envs(failpoint.map(|failpoint| ("TOLLGATE_FAILPOINT", failpoint)))
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
        let started = Instant::now();
        while self.look_for_its_end().is_none() {
            assert!(started.elapsed() < self.patience, "{} does not stop", self.name);
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = self.ended_within(self.patience).await;
        status.unwrap_or_else(|| panic!("{} did not end", self.name))
    }

    /// Waits until it has ended at its failpoint; `false` when it does not within the limit.
    pub async fn died(&mut self, limit: Duration) -> bool {
        let Some(status) = self.ended_within(limit).await else { return false };
        assert_eq!(status.signal(), Some(ABORTED), "{} ended in another way: {status}", self.name);
        true
    }

    async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.look_for_its_end() {
                return Some(status);
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }

    fn look_for_its_end(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut().unwrap().try_wait().unwrap();
        if status.is_some() {
            self.child = None;
        }
        status
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(sent.unwrap().success(), "{} is there to be signalled", self.name);
    }

    /// Its name in the test.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was started and is not known to have ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Until it says that it is ready.
    pub async fn wait_ready(&self) {
        wait_until(self.patience, &format!("{} is ready", self.name), async || self.readiness().await.0 == 200).await;
    }

    /// Until somebody listens, ready or not.
    pub async fn wait_listening(&self) {
        let listens = async || self.admin("/healthz").await.is_some();
        wait_until(self.patience, &format!("{} listens", self.name), listens).await;
    }

    /// Until a metric, summed over its labels, is this.
    pub async fn wait_metric(&self, name: &str, value: i64) {
        let is_value = async || self.metric(name).await == value;
        wait_until(self.patience, &format!("{name} is {value}"), is_value).await;
    }

    /// Status and text of the admin listener; `None` while nobody listens.
    pub async fn admin(&self, path: &str) -> Option<(u16, String)> {
        let answer = self.http.get(format!("{}{path}", self.admin)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Status and words of `/readyz`; status 0 while it does not answer.
    pub async fn readiness(&self) -> (u16, String) {
        self.admin("/readyz").await.unwrap_or_default()
    }

    /// Everything Prometheus would see; empty while it does not answer.
    pub async fn metrics(&self) -> String {
        self.admin("/metrics").await.unwrap_or_default().1
    }

    /// A metric, summed over its labels; `name` may hold some or all of them. 0 while it does not answer.
    pub async fn metric(&self, name: &str) -> i64 {
        sum(&self.metrics().await, name)
    }

    /// The same of one that has to answer.
    pub async fn metric_told(&self, name: &str) -> i64 {
        sum(&self.admin("/metrics").await.unwrap().1, name)
    }

    /// What it has said since it was first started.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

fn sum(metrics: &str, name: &str) -> i64 {
    let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', ',']));
    metrics.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok()).sum()
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
