//! The settings files of the programs, written anew at each `up`: only what differs from their defaults.

use std::path::PathBuf;

use anyhow::Result;

use super::{console_routes, sessions};
use crate::layout::Layout;
use crate::ports::{Ports, local};
use crate::postgres::{self, USER};
use crate::secret::Passwords;
use crate::{files, redis};

/// Where each program finds its settings.
pub struct Settings {
    pub gateway: PathBuf,
    pub ledger_sync: PathBuf,
    pub webhook: PathBuf,
    pub console: PathBuf,
    pub notices: PathBuf,
    pub tollgate: PathBuf,
    pub postgres_url: String,
}

const HEAD: &str = "# Written by cargo dev up, which writes it anew each time.\n";
const PRETTY: &str = "[log]\nformat = \"pretty\"\n";
/// The routes that every gateway without a file of its own has.
const DEMO_ROUTES: &str = include_str!("../../../config/routes.toml");

/// What the files are made of.
struct Pen<'a> {
    layout: &'a Layout,
    ports: &'a Ports,
    passwords: &'a Passwords,
    upstream: &'a str,
}

impl Settings {
    pub fn write(layout: &Layout, ports: &Ports, passwords: &Passwords, upstream: &str) -> Result<Settings> {
        let pen = Pen { layout, ports, passwords, upstream };
        let write = |name: &str, text: &str| {
            let path = layout.run().join(name);
            // The URLs hold passwords.
            files::write_private(&path, &format!("{HEAD}{text}")).map(|()| path)
        };
        write(ROUTES, &format!("{DEMO_ROUTES}{}", console_routes::routes_of_the_demo()))?;
        Ok(Settings {
            gateway: write("gateway.toml", &pen.gateway())?,
            ledger_sync: write("ledger-sync.toml", &pen.ledger_sync())?,
            webhook: write("webhook.toml", &pen.webhook())?,
            console: write("console.toml", &pen.console())?,
            notices: write("notices.toml", &pen.notices())?,
            tollgate: write(TOLLGATE, &pen.tollgate())?,
            postgres_url: pen.postgres_url(),
        })
    }
}

impl Pen<'_> {
    fn gateway(&self) -> String {
        let listens = listens(self.ports.gateway, self.ports.gateway_admin);
        let redis = self.redis("gateway", &self.passwords.redis_gateway);
        let console = self.ports.console();
        let journal = format!(
            "[journal]\ndirectory = \"{}\"\npost_to = [\"{}/journal\"]\nsecret = \"{}\"\n",
            self.layout.state().join("journal").display(),
            local(self.ports.ledger_sync_admin),
            self.passwords.journal,
        );
        format!(
            "{listens}routes = \"{ROUTES}\"\nbilling_url = \"{console}/billing\"\n\n{redis}\n\
             [upstreams]\ndemo = \"{}\"\nconsole = \"{console}\"\n\n{}\n{journal}\n{PRETTY}",
            self.upstream,
            self.sessions(),
        )
    }

    fn ledger_sync(&self) -> String {
        let redis = self.redis("ledger-sync", &self.passwords.redis_ledger_sync);
        format!(
            "admin_listen = \"127.0.0.1:{}\"\n\n{redis}\n{}\n[journal]\nsecret = \"{}\"\n\n{PRETTY}",
            self.ports.ledger_sync_admin,
            self.postgres(),
            self.passwords.journal,
        )
    }

    fn webhook(&self) -> String {
        let listens = listens(self.ports.webhook, self.ports.webhook_admin);
        let secrets = format!(
            "webhook_secrets = [\"{}\"]\n\n[mail]\nsigning_secrets = [\"{}\"]\n",
            self.passwords.stripe_webhook, self.passwords.mail_webhook
        );
        format!("{listens}\n{}\n{}{secrets}\n{PRETTY}", self.postgres(), self.stripe())
    }

    /// Browsers reach it by its own port, and by the gateway's.
    fn console(&self) -> String {
        let listens = listens(self.ports.console, self.ports.console_admin);
        let gateway = self.ports.gateway();
        let redis = self.redis("console", &self.passwords.redis_console);
        format!(
            "{listens}public_url = \"{gateway}\"\n\n[brand]\nchat_url = \"{gateway}/chat\"\n\n{redis}\n{}\n{}\n{}\n\
             [dev]\nlogin = true\n\n{PRETTY}",
            self.postgres(),
            self.sessions(),
            self.stripe(),
        )
    }

    fn notices(&self) -> String {
        format!(
            "admin_listen = \"127.0.0.1:{}\"\n\n{}\n[letter]\npublic_url = \"{}\"\nfrom = \"Tollgate <billing@dev.tollgate.invalid>\"\n\n\
             [smtp]\nport = {}\n\n{PRETTY}",
            self.ports.notices_admin,
            self.postgres(),
            self.ports.console(),
            self.ports.smtp,
        )
    }

    fn tollgate(&self) -> String {
        let redis = self.redis("tollgate", &self.passwords.redis_tollgate);
        format!("{redis}\n{}\n{}", self.postgres(), self.stripe())
    }

    fn redis(&self, user: &str, password: &str) -> String {
        format!("[redis]\nurl = \"{}\"\n", redis::url(user, password, self.ports.redis))
    }

    fn postgres_url(&self) -> String {
        postgres::url(Some(&self.passwords.postgres), self.ports.postgres, USER)
    }

    fn postgres(&self) -> String {
        format!("[postgres]\nurl = \"{}\"\n", self.postgres_url())
    }

    fn sessions(&self) -> String {
        sessions::settings(&self.passwords.sessions)
    }

    /// Whoever has paid comes back to the Billing screen.
    fn stripe(&self) -> String {
        let (stripe, billing) = (self.ports.pretend_stripe(), format!("{}/billing", self.ports.console()));
        format!(
            "[stripe]\napi_url = \"{stripe}\"\napi_key = \"{}\"\nsuccess_url = \"{billing}?checkout={{CHECKOUT_SESSION_ID}}\"\n\
             cancel_url = \"{billing}\"\nreturn_url = \"{billing}\"\n",
            self.passwords.stripe_api
        )
    }
}

fn listens(port: u16, admin: u16) -> String {
    format!("listen = \"127.0.0.1:{port}\"\nadmin_listen = \"127.0.0.1:{admin}\"\n")
}

/// The name of the operators' settings file; `cargo dev ctl` uses it too.
pub const TOLLGATE: &str = "tollgate.toml";
const ROUTES: &str = "routes.toml";
