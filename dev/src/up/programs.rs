//! How each program of a setup is started, and when it counts as up.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::Setup;
use crate::ports::local;
use crate::postgres::{self, Postgres, USER};
use crate::process::Service;
use crate::{http, interrupt};

/// A service that is not ready by then will not be.
const READY_LIMIT: Duration = Duration::from_mins(1);

impl Setup {
    pub(super) fn postgres(&self) -> Result<Service> {
        let home = postgres::reachable(self.layout.state().join("postgres"))?;
        let password = Some(self.passwords.postgres.as_str());
        let server = Postgres { tools: &self.tools, home, port: self.ports.postgres, password, settings: &[] };
        let service = server.start(&self.layout.log("postgres"))?;
        server.ensure_database(USER)?;
        Ok(service)
    }

    pub(super) fn pretend_upstream(&self) -> Result<Service> {
        let mut command = self.program("pretend-upstream");
        command.args(["--listen", &format!("127.0.0.1:{}", self.ports.upstream)]);
        if self.wish.no_fault_upstream {
            command.arg("--no-faults");
        }
        let mut service = Service::start("upstream", command, &self.layout.log("upstream"), Signal::TERM)?;
        service.wait_ready(READY_LIMIT, || http::get(self.ports.upstream, "/_seen", None).is_ok())?;
        Ok(service)
    }

    pub(super) fn ledger_sync(&self) -> Result<Service> {
        let mut command = self.program("ledger-sync");
        command.arg("--config").arg(&self.settings.ledger_sync);
        self.service("ledger-sync", command, self.ports.ledger_sync_admin)
    }

    /// It delivers to where `webhook` will be, and tries again until somebody is there.
    pub(super) fn pretend_stripe(&self) -> Result<Service> {
        let mut command = self.program("pretend-stripe");
        let deliver_to = format!("{}/webhooks/stripe", local(self.ports.webhook));
        command.args(["--listen", &format!("127.0.0.1:{}", self.ports.stripe), "--webhook", &deliver_to]);
        command.args(["--api-key", &self.passwords.stripe_api, "--webhook-secret", &self.passwords.stripe_webhook]);
        command.arg("--keep").arg(self.layout.state().join("stripe.json"));
        let mut service = Service::start("stripe", command, &self.layout.log("stripe"), Signal::TERM)?;
        service.wait_ready(READY_LIMIT, || http::get(self.ports.stripe, "/_pretend", None).is_ok())?;
        Ok(service)
    }

    pub(super) fn webhook(&self) -> Result<Service> {
        let mut command = self.program("webhook");
        command.arg("--config").arg(&self.settings.webhook);
        self.service("webhook", command, self.ports.webhook_admin)
    }

    pub(super) fn console(&self) -> Result<Service> {
        let mut command = self.program("console");
        command.arg("--config").arg(&self.settings.console);
        self.service("console", command, self.ports.console_admin)
    }

    /// It takes every mail, and shows it.
    pub(super) fn pretend_mailbox(&self) -> Result<Service> {
        let mut command = self.program("pretend-mailbox");
        command.args(["--smtp", &format!("127.0.0.1:{}", self.ports.smtp)]);
        command.args(["--listen", &format!("127.0.0.1:{}", self.ports.mailbox)]);
        let mut service = Service::start("mailbox", command, &self.layout.log("mailbox"), Signal::TERM)?;
        service.wait_ready(READY_LIMIT, || http::get(self.ports.mailbox, "/_mails", None).is_ok())?;
        Ok(service)
    }

    pub(super) fn notices(&self) -> Result<Service> {
        let mut command = self.program("notices");
        command.arg("--config").arg(&self.settings.notices);
        self.service("notices", command, self.ports.notices_admin)
    }

    /// The gateway, with settings in variables that go over those in its file.
    pub(super) fn gateway(&self, variables: &[(&str, &str)]) -> Result<Service> {
        let mut command = self.program("gateway");
        command.arg("--config").arg(&self.settings.gateway).envs(variables.iter().copied());
        self.service("gateway", command, self.ports.gateway_admin)
    }

    /// One of our services; it is ready when its admin listener says so.
    fn service(&self, name: &'static str, command: Command, admin: u16) -> Result<Service> {
        let mut service = Service::start(name, command, &self.layout.log(name), Signal::TERM)?;
        let mut says = String::from("nothing");
        let ready = service.wait_ready(READY_LIMIT, || {
            let Ok(answer) = http::get(admin, "/readyz", None) else { return false };
            says = answer.body;
            answer.status == 200
        });
        ready.with_context(|| format!("the last word of {name}'s /readyz: {}", says.trim()))?;
        Ok(service)
    }

    /// Runs the operators' command and gives what it printed as JSON.
    pub(super) fn tollgate(&self, args: &[&str]) -> Result<serde_json::Value> {
        interrupt::check()?;
        let mut command = self.program("tollgate");
        command.arg("--config").arg(&self.settings.tollgate).args(["--json", "--actor", "cargo dev up"]).args(args);
        let output = command.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("tollgate {} failed ({}): {}", args.join(" "), output.status, said.trim());
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.layout.program(name, self.wish.release));
        command.current_dir(&self.layout.root).envs(self.variables.iter().cloned());
        command
    }
}
