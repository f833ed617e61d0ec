//! A real webhook process and the book behind it.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ledger::stripe::{DeliveryState, StoredDelivery};
use ledger::testing::{TestDatabase, database};
use metering::testing::free_port;
use serde_json::Value;
use tempfile::TempDir;

use crate::signed::{Signed, sign_now};

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

/// A running webhook. Killed when dropped.
pub struct Webhook {
    child: Child,
    port: u16,
    admin_port: u16,
    directory: TempDir,
    http: reqwest::Client,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub retry_after: Option<String>,
    pub json: Value,
}

impl Answer {
    /// Status and reason of a refusal, after checking that it is told as a problem.
    pub fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status, "{self:?}");
        assert!(self.json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{self:?}");
        assert_eq!(
            self.json["code"] == "signature_invalid",
            self.status == 400 && self.json["reason"] != "malformed" && self.json["reason"] != "mail_malformed",
            "{self:?}"
        );
        format!("{} {}", self.status, self.json["reason"].as_str().unwrap())
    }
}

impl Webhook {
    /// Starts one on a book of its own and waits until it is ready.
    pub async fn start() -> (Self, TestDatabase) {
        let book = database().await;
        let webhook = Self::start_on(&book.url, "");
        webhook.wait_ready().await;
        (webhook, book)
    }

    /// Starts one with settings laid over the test's, and does not wait.
    pub fn start_on(postgres_url: &str, settings: &str) -> Self {
        Self::start_with(postgres_url, settings, None)
    }

    /// The same; it ends by itself when it passes a failpoint.
    pub fn start_to_die_at(postgres_url: &str, settings: &str, place: &str) -> Self {
        Self::start_with(postgres_url, settings, Some(("TOLLGATE_FAILPOINT", format!("{place}=1"))))
    }

    fn start_with(postgres_url: &str, settings: &str, failpoint: Option<(&str, String)>) -> Self {
        let directory = TempDir::new().unwrap();
        let (port, admin_port) = (free_port(), free_port());
        let file = write_settings(&directory, port, admin_port, postgres_url, settings);
        let log = File::create(directory.path().join("log")).unwrap();
        let child =
            program().envs(failpoint).arg("--config").arg(file).stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { child, port, admin_port, directory, http }
    }

    /// Posts a delivery.
    pub async fn post(&self, signed: &Signed) -> Answer {
        self.try_post(signed).await.unwrap()
    }

    /// Posts a delivery to somebody who may be gone.
    pub async fn try_post(&self, signed: &Signed) -> Result<Answer, reqwest::Error> {
        let request = self.http.post(self.url()).body(signed.body.clone()).header("content-type", "application/json");
        let request = signed.headers.iter().fold(request, |request, line| request.header("stripe-signature", line));
        read(request.send().await?).await
    }

    /// Signs a body as Stripe does, now, and posts it.
    pub async fn deliver(&self, body: &Value) -> Answer {
        self.post(&sign_now(SECRET, body.to_string().as_bytes())).await
    }

    /// Posts what a mail provider tells, with these headers.
    pub async fn tell(&self, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        let url = format!("http://127.0.0.1:{}/webhooks/mail", self.port);
        let request = self.http.post(url).body(body.into());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        read(request.send().await.unwrap()).await.unwrap()
    }

    /// Any other request.
    pub async fn ask(&self, method: reqwest::Method, path: &str) -> Answer {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        read(self.http.request(method, url).send().await.unwrap()).await.unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/stripe", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub async fn wait_ready(&self) {
        wait_until("webhook is ready", async || self.admin("/readyz").await.is_some_and(|answer| answer.0 == 200))
            .await;
    }

    /// Status and text of the admin listener; `None` while nobody listens.
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

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success(), "webhook is there to be signalled");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "webhook did not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

async fn read(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
    let status = response.status().as_u16();
    let json = serde_json::from_str(&response.text().await?).unwrap_or_default();
    Ok(Answer { status, content_type, retry_after, json })
}

impl Drop for Webhook {
    fn drop(&mut self) {
        let _ = self.child.kill(); // already gone is as good
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- webhook's log ---\n{}", self.log());
        }
    }
}

/// The program, with nothing of the developer's own settings.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_webhook"))
}

/// Writes a settings file that is good but for what `settings` says.
pub fn write_settings(directory: &TempDir, port: u16, admin_port: u16, postgres_url: &str, settings: &str) -> PathBuf {
    let secrets = if settings.contains("stripe.webhook_secrets") {
        String::new()
    } else {
        format!("stripe.webhook_secrets = [\"{SECRET}\"]\n")
    };
    let level = if settings.contains("log.level") { "" } else { "log.level = \"info,webhook=trace\"\n" };
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:{admin_port}\"\npostgres.url = \"{postgres_url}\"\n\
         worker.interval_ms = 100\n{level}{secrets}{settings}\n"
    );
    let path = directory.path().join("webhook.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Waits until a delivery has come to its end, and gives it.
pub async fn settled(book: &TestDatabase, event: &str) -> StoredDelivery {
    wait_until(&format!("{event} is settled"), async || {
        let stored = book.ledger.delivery(event).await.unwrap();
        stored.is_some_and(|stored| stored.state != DeliveryState::Waiting)
    })
    .await;
    book.ledger.delivery(event).await.unwrap().unwrap()
}

/// Waits for a condition, with a limit.
pub async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
