//! The settings files of the programs, written anew at each `up`: only what differs from their defaults.

use std::path::PathBuf;

use anyhow::Result;

use super::sessions;
use crate::layout::Layout;
use crate::ports::Ports;
use crate::postgres::{self, USER};
use crate::secret::Passwords;
use crate::{files, redis};

/// Where each program finds its settings.
pub struct Settings {
    pub gateway: PathBuf,
    pub ledger_sync: PathBuf,
    pub webhook: PathBuf,
    pub tollgate: PathBuf,
    pub postgres_url: String,
}

const HEAD: &str = "# Written by cargo dev up, which writes it anew each time.\n";

impl Settings {
    pub fn write(layout: &Layout, ports: &Ports, passwords: &Passwords, upstream: &str) -> Result<Settings> {
        let redis = |user: &str, password: &str| redis::url(user, password, ports.redis);
        let postgres = postgres::url(Some(&passwords.postgres), ports.postgres, USER);
        let gateway = format!(
            "{HEAD}listen = \"127.0.0.1:{}\"\nadmin_listen = \"127.0.0.1:{}\"\n\n[redis]\nurl = \"{}\"\n\n\
             [upstreams]\ndemo = \"{upstream}\"\n\n{}\n[journal]\ndirectory = \"{}\"\n\
             post_to = [\"http://127.0.0.1:{}/journal\"]\nsecret = \"{}\"\n\n[log]\nformat = \"pretty\"\n",
            ports.gateway,
            ports.gateway_admin,
            redis("gateway", &passwords.redis_gateway),
            sessions::settings(&passwords.sessions),
            layout.state().join("journal").display(),
            ports.ledger_sync_admin,
            passwords.journal,
        );
        let ledger_sync = format!(
            "{HEAD}admin_listen = \"127.0.0.1:{}\"\n\n[redis]\nurl = \"{}\"\n\n[postgres]\nurl = \"{postgres}\"\n\n\
             [journal]\nsecret = \"{}\"\n\n[log]\nformat = \"pretty\"\n",
            ports.ledger_sync_admin,
            redis("ledger-sync", &passwords.redis_ledger_sync),
            passwords.journal,
        );
        let stripe =
            format!("[stripe]\napi_url = \"{}\"\napi_key = \"{}\"\n", ports.pretend_stripe(), passwords.stripe_api);
        let webhook = format!(
            "{HEAD}listen = \"127.0.0.1:{}\"\nadmin_listen = \"127.0.0.1:{}\"\n\n[postgres]\nurl = \"{postgres}\"\n\n\
             {stripe}webhook_secrets = [\"{}\"]\n\n[log]\nformat = \"pretty\"\n",
            ports.webhook, ports.webhook_admin, passwords.stripe_webhook,
        );
        let tollgate = format!(
            "{HEAD}[redis]\nurl = \"{}\"\n\n[postgres]\nurl = \"{postgres}\"\n\n{stripe}",
            redis("tollgate", &passwords.redis_tollgate),
        );
        let write = |name: &str, text: &str| {
            let path = layout.run().join(name);
            // The URLs hold passwords.
            files::write_private(&path, text).map(|()| path)
        };
        Ok(Settings {
            gateway: write("gateway.toml", &gateway)?,
            ledger_sync: write("ledger-sync.toml", &ledger_sync)?,
            webhook: write("webhook.toml", &webhook)?,
            tollgate: write(TOLLGATE, &tollgate)?,
            postgres_url: postgres,
        })
    }
}

/// The name of the operators' settings file; `cargo dev ctl` uses it too.
pub const TOLLGATE: &str = "tollgate.toml";
