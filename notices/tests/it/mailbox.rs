//! A pretend mail server as a process: what came, and what goes wrong on order.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testing::{client, executable};

use crate::program::{PATIENCE, wait_until};

pub struct Mailbox {
    child: Child,
    addresses: Value,
    http: reqwest::Client,
}

impl Mailbox {
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let mut child =
            Command::new(executable("pretend-mailbox")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, addresses: serde_json::from_str(&line).unwrap(), http: client(PATIENCE) }
    }

    /// Where it takes mails: plain or after STARTTLS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port_of("smtp")
    }

    #[must_use]
    pub fn closed_port(&self) -> u16 {
        self.port_of("smtps")
    }

    fn port_of(&self, line: &str) -> u16 {
        self.addresses[line].as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.addresses["url"].as_str().unwrap())
    }

    /// `{"at":"rcpt","reply":"550 5.1.1 no","times":1}` and so on.
    pub async fn order(&self, fault: Value) {
        let answer = self.http.post(self.url("/_fault")).json(&fault).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{fault}");
    }

    pub async fn forgive(&self) {
        self.http.delete(self.url("/_fault")).send().await.unwrap();
    }

    pub async fn mails(&self) -> Vec<Value> {
        let answer = self.http.get(self.url("/_mails")).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["mails"].as_array().unwrap().clone()
    }

    /// Until so many have come.
    pub async fn holds(&self, count: usize) -> Vec<Value> {
        wait_until(&format!("{count} mails have come"), async || self.mails().await.len() >= count).await;
        let mails = self.mails().await;
        assert_eq!(mails.len(), count);
        mails
    }
}

/// A header of a mail.
pub fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let headers = mail["headers"].as_array().unwrap();
    let found = headers.iter().find(|header| header[0].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name)));
    found.and_then(|header| header[1].as_str())
}

/// A refusal, until it is taken back or so often.
pub fn refusal(at: &str, reply: &str, times: Option<u64>) -> Value {
    json!({ "at": at, "reply": reply, "times": times })
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
