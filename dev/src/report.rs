//! What `up` ends with: one JSON line for programs, or an address, a key and a few calls for people.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::Record;

/// The line of `cargo dev up --json`; documented in `dev/README.md`, and other tools are written against it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Report {
    pub gateway: String,
    pub gateway_admin: String,
    pub ledger_sync_admin: String,
    /// These are absent in the record of a setup of before, as `sessions` is.
    #[serde(default)]
    pub webhook: String,
    #[serde(default)]
    pub webhook_admin: String,
    #[serde(default)]
    pub stripe: String,
    #[serde(default)]
    pub stripe_webhook_secret: String,
    #[serde(default)]
    pub mail_webhook_secret: String,
    #[serde(default)]
    pub console: String,
    #[serde(default)]
    pub console_admin: String,
    #[serde(default)]
    pub notices_admin: String,
    /// Where mails are shown.
    #[serde(default)]
    pub mailbox: String,
    /// Opened in a browser, they sign in: as the billing owner of `active`, and as an operator.
    #[serde(default)]
    pub console_login: String,
    #[serde(default)]
    pub operator_login: String,
    pub upstream: String,
    pub redis: String,
    pub postgres: String,
    pub pids: BTreeMap<String, i32>,
    pub accounts: BTreeMap<String, String>,
    pub keys: BTreeMap<String, String>,
    #[serde(default)]
    pub sessions: BTreeMap<String, String>,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<String>,
}

impl Report {
    /// A process of the setup, by its name in `pids`.
    pub fn process(&self, name: &str) -> Result<Record> {
        let pid = self.pids.get(name).and_then(|pid| u32::try_from(*pid).ok());
        pid.map(Record::of).with_context(|| format!("the process id of {name}"))
    }

    pub fn print(&self, json: bool) -> Result<()> {
        let text = if json { serde_json::to_string(self).context("writing JSON")? } else { self.for_people() };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).context("printing the result")
    }

    fn for_people(&self) -> String {
        let gateway = &self.gateway;
        let key = self.keys.get("active").map_or("", String::as_str);
        let session = self.sessions.get("active").map_or("", String::as_str);
        let prometheus = self.prometheus.as_ref().map(|url| format!("Prometheus: {url}/alerts\n")).unwrap_or_default();
        format!(
            r#"
Tollgate listens on {gateway}
key of the account "active": {key}

A call that draws one credit; Credits-Remaining falls by one each time:
  curl -i {gateway}/v1/messages -H 'Authorization: Bearer {key}' --json '{{"messages":[{{"role":"user","content":"hello"}}]}}'

The same as a stream: the reply arrives word by word, and one credit is drawn for all of it:
  curl -N {gateway}/v1/messages -H 'Authorization: Bearer {key}' --json '{{"stream":true,"messages":[{{"role":"user","content":"hello"}}]}}'

A message of the chat page, by a session instead of a key; it draws one credit because it wants a reply:
  curl -i {gateway}/chat/messages -H 'Authorization: Bearer {session}' --json '{{"respond":true,"messages":[{{"role":"user","content":"hello"}}]}}'

What is left, answered by the gateway itself and free:
  curl {gateway}/v1/credits -H 'Authorization: Bearer {key}'

The Billing screen of "active", signed in as its billing owner, and the operators' side; open them in a browser:
  {}
  {}
The mails that were sent: {}
{prometheus}"#,
            self.console_login, self.operator_login, self.mailbox
        )
    }
}
