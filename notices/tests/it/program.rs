//! A real notices process. Killed when dropped.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use metering::testing::free_port;
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// SIGABRT: how a program ends at a failpoint.
const ABORTED: i32 = 6;

pub struct Notices {
    child: Child,
    admin_port: u16,
    directory: TempDir,
    http: reqwest::Client,
}

impl Notices {
    /// Starts one that sends to this port, with settings laid over the test's.
    #[must_use]
    pub fn start(postgres_url: &str, smtp_port: u16, settings: &str) -> Self {
        Self::start_with(postgres_url, smtp_port, settings, None)
    }

    /// The same; it ends by itself when it passes a failpoint.
    #[must_use]
    pub fn start_to_die_at(postgres_url: &str, smtp_port: u16, place: &str) -> Self {
        Self::start_with(postgres_url, smtp_port, "", Some(format!("{place}=1")))
    }

    fn start_with(postgres_url: &str, smtp_port: u16, settings: &str, failpoint: Option<String>) -> Self {
        let (directory, admin_port) = (TempDir::new().unwrap(), free_port());
        let file = directory.path().join("notices.toml");
        std::fs::write(&file, text(postgres_url, smtp_port, admin_port, settings)).unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let mut command = program();
        command.arg("--config").arg(file).stdin(Stdio::null()).stderr(log);
        command.envs(failpoint.map(|failpoint| ("TOLLGATE_FAILPOINT", failpoint)));
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { child: command.spawn().unwrap(), admin_port, directory, http }
    }

    pub async fn wait_ready(&self) {
        wait_until("notices is ready", async || self.admin("/readyz").await.is_some_and(|answer| answer.0 == 200))
            .await;
    }

    pub async fn admin(&self, path: &str) -> Option<(u16, String)> {
        let answer = self.http.get(format!("http://127.0.0.1:{}{path}", self.admin_port)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// What `/readyz` says.
    pub async fn readiness(&self) -> Value {
        self.admin("/readyz").await.and_then(|(_, text)| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// A metric by its whole name with labels; 0 before it is first counted.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.admin("/metrics").await.unwrap().1;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "notices is there to be signalled");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "notices did not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it has died at its failpoint.
    pub async fn died(&mut self) {
        let status = self.ended().await;
        assert_eq!(status.signal(), Some(ABORTED), "it ended in another way: {status}\n{}", self.log());
    }

    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        let _ = self.child.kill(); // already gone is as good
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the log of notices ---\n{}", self.log());
        }
    }
}

/// The program, with nothing of the developer's own settings.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_notices"))
}

/// Settings that are good but for what `settings` says: it tries again at once, and takes up after a crash within seconds.
pub fn text(postgres_url: &str, smtp_port: u16, admin_port: u16, settings: &str) -> String {
    let mut lines = vec![
        format!("admin_listen = \"127.0.0.1:{admin_port}\""),
        format!("postgres.url = \"{postgres_url}\""),
        "letter.from = \"Tollgate <billing@console.example>\"".to_owned(),
        "letter.public_url = \"https://console.example\"".to_owned(),
        format!("smtp.port = {smtp_port}"),
        "smtp.dialogue_ms_max = 2000".to_owned(),
        "worker.lease_ms = 2500".to_owned(),
        "worker.interval_ms = 50".to_owned(),
        "worker.pause_ms_max = 100".to_owned(),
    ];
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    let set: Vec<String> = settings.lines().map(key).collect();
    lines.retain(|line| !set.contains(&key(line)));
    lines.join("\n") + "\n" + settings
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
