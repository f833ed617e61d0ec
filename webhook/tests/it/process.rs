//! A real webhook process and the book behind it.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ledger::stripe::{DeliveryState, StoredDelivery};
use ledger::testing::{TestDatabase, database};
use metering::testing::free_port;
use serde_json::Value;
use tempfile::TempDir;
use testing::{Ground, Program, executable, laid_over};

use crate::signed::{Signed, sign_now};

/// Long enough for a machine that runs the whole suite at once.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";

/// A running webhook. Killed when dropped.
pub struct Webhook {
    program: Program,
    port: u16,
    http: reqwest::Client,
    _directory: TempDir,
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
        Self::start_with(postgres_url, settings, Program::started)
    }

    /// The same; it ends by itself when it passes a failpoint.
    pub fn start_to_die_at(postgres_url: &str, settings: &str, place: &str) -> Self {
        Self::start_with(postgres_url, settings, |program| program.started_to_die_at(place))
    }

    fn start_with(postgres_url: &str, settings: &str, start: impl FnOnce(Program) -> Program) -> Self {
        let directory = TempDir::new().unwrap();
        let ground = Ground::new(directory.path(), PATIENCE);
        let port = free_port();
        let program = ground.service(("webhook", "webhook"), free_port(), &text(port, postgres_url, settings));
        Self { program: start(program), port, http: ground.http, _directory: directory }
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

    /// What `/readyz` says.
    pub async fn readiness(&self) -> Value {
        serde_json::from_str(&self.program.readiness().await.1).unwrap_or_default()
    }

    /// A metric by its whole name with labels; 0 before it is first counted.
    pub async fn metric(&self, name: &str) -> i64 {
        self.program.metric_told(name).await
    }
}

async fn read(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
    let status = response.status().as_u16();
    let json = serde_json::from_str(&response.text().await?).unwrap_or_default();
    Ok(Answer { status, content_type, retry_after, json })
}

impl Deref for Webhook {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.program
    }
}

impl DerefMut for Webhook {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.program
    }
}

/// The program, with nothing of the developer's own settings.
pub fn program() -> Command {
    Command::new(executable("webhook"))
}

/// Writes settings that are good but for what `settings` says, for a webhook that is not to serve.
pub fn write_settings(directory: &TempDir, settings: &str) -> PathBuf {
    let path = directory.path().join("webhook.toml");
    let admin = format!("admin_listen = \"127.0.0.1:{}\"\n", free_port());
    let text = text(free_port(), "postgres://127.0.0.1:1/nowhere", settings);
    std::fs::write(&path, format!("{admin}{text}")).unwrap();
    path
}

fn text(port: u16, postgres_url: &str, settings: &str) -> String {
    let fallbacks = format!(
        "listen = \"127.0.0.1:{port}\"\npostgres.url = \"{postgres_url}\"\nworker.interval_ms = 100\n\
         log.level = \"info,webhook=trace\"\nstripe.webhook_secrets = [\"{SECRET}\"]\n"
    );
    laid_over(&fallbacks, settings)
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
    testing::wait_until(PATIENCE, what, condition).await;
}
