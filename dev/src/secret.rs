//! Random names and passwords of this machine's private services.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::layout::Layout;

/// One password for each who connects. They are kept with the data, since Postgres' is inside it.
#[derive(Serialize, Deserialize)]
pub struct Passwords {
    pub postgres: String,
    pub redis_gateway: String,
    pub redis_ledger_sync: String,
    pub redis_tollgate: String,
    pub redis_admin: String,
    /// What the console signs in to Redis with; a setup of before has none yet.
    #[serde(default)]
    pub redis_console: String,
    /// What the sessions of the seeded accounts are signed with; the same.
    #[serde(default)]
    pub sessions: String,
    /// What ledger-sync knows the gateway's journal by; the same.
    #[serde(default)]
    pub journal: String,
    /// What the pretend Stripe signs its deliveries with, and the key that it is asked with; the same.
    #[serde(default)]
    pub stripe_webhook: String,
    #[serde(default)]
    pub stripe_api: String,
    /// What a mail provider would sign with what became of a mail; the same.
    #[serde(default)]
    pub mail_webhook: String,
}

impl Passwords {
    /// Those of the last `up`, or new ones.
    pub fn kept(layout: &Layout) -> Result<Passwords> {
        let file = layout.state().join("passwords.json");
        let new = || random_hex(16);
        let (webhook, api) = (
            || random_hex(16).map(|hex| format!("whsec_{hex}")),
            || random_hex(16).map(|hex| format!("sk_test_{hex}")),
        );
        if let Some(mut kept) = files::read_json::<Passwords>(&file)? {
            for missing in [&mut kept.sessions, &mut kept.journal, &mut kept.redis_console] {
                if missing.is_empty() {
                    *missing = random_hex(32)?;
                }
            }
            if kept.stripe_webhook.is_empty() {
                (kept.stripe_webhook, kept.stripe_api) = (webhook()?, api()?);
            }
            if kept.mail_webhook.is_empty() {
                kept.mail_webhook = webhook()?;
            }
            files::write_json(&file, &kept)?;
            return Ok(kept);
        }
        let passwords = Passwords {
            postgres: new()?,
            redis_gateway: new()?,
            redis_ledger_sync: new()?,
            redis_tollgate: new()?,
            redis_admin: new()?,
            redis_console: new()?,
            sessions: random_hex(32)?,
            journal: random_hex(32)?,
            stripe_webhook: webhook()?,
            stripe_api: api()?,
            mail_webhook: webhook()?,
        };
        files::write_json(&file, &passwords)?;
        Ok(passwords)
    }
}

/// `bytes` random bytes as hex: safe in a URL, a file name and an ACL file.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0_u8; bytes];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random)).context("reading /dev/urandom")?;
    Ok(random.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
