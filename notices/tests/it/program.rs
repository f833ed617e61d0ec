//! A real notices process. Killed when dropped.

use std::ops::{Deref, DerefMut};
use std::process::Command;
use std::time::Duration;

use metering::testing::free_port;
use serde_json::Value;
use tempfile::TempDir;
use testing::{Ground, Program, executable, laid_over};

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Notices {
    program: Program,
    _directory: TempDir,
}

impl Notices {
    /// Starts one that sends to this port, with settings laid over the test's.
    #[must_use]
    pub fn start(postgres_url: &str, smtp_port: u16, settings: &str) -> Self {
        Self::start_with(postgres_url, smtp_port, settings, Program::started)
    }

    /// The same; it ends by itself when it passes a failpoint.
    #[must_use]
    pub fn start_to_die_at(postgres_url: &str, smtp_port: u16, place: &str) -> Self {
        Self::start_with(postgres_url, smtp_port, "", |program| program.started_to_die_at(place))
    }

    fn start_with(url: &str, smtp_port: u16, settings: &str, start: impl FnOnce(Program) -> Program) -> Self {
        let directory = TempDir::new().unwrap();
        let ground = Ground::new(directory.path(), PATIENCE);
        let program = ground.service(("notices", "notices"), free_port(), &text(url, smtp_port, settings));
        Self { program: start(program), _directory: directory }
    }

    /// What `/readyz` says.
    pub async fn readiness(&self) -> Value {
        serde_json::from_str(&self.program.readiness().await.1).unwrap_or_default()
    }

    /// A metric by its whole name with labels; 0 before it is first counted.
    pub async fn metric(&self, name: &str) -> i64 {
        self.program.metric_told(name).await
    }

    /// Waits until it has died at its failpoint.
    pub async fn died(&mut self) {
        assert!(self.program.died(PATIENCE).await, "it did not end");
    }
}

impl Deref for Notices {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Notices {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// The program, with nothing of the developer's own settings.
pub fn program() -> Command {
    Command::new(executable("notices"))
}

/// Settings that are good but for what `settings` says: it tries again at once, and takes up after a crash within seconds.
pub fn text(postgres_url: &str, smtp_port: u16, settings: &str) -> String {
    let fallbacks = format!(
        "postgres.url = \"{postgres_url}\"\nletter.from = \"Tollgate <billing@console.example>\"\n\
         letter.public_url = \"https://console.example\"\nsmtp.port = {smtp_port}\nsmtp.dialogue_ms_max = 2000\n\
         worker.lease_ms = 2500\nworker.interval_ms = 50\nworker.pause_ms_max = 100\n"
    );
    laid_over(&fallbacks, settings)
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    testing::wait_until(PATIENCE, what, condition).await;
}
