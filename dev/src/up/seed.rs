//! The accounts a fresh setup starts with, made through the operators' command as an operator would.

mod stock;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Setup, sessions};
use crate::{files, http, interrupt, process, words};
use stock::{Account, STOCK};

/// What is planted so far, kept in `.dev/seed.json`: a run that was interrupted goes on where it stopped.
#[derive(Default, Serialize, Deserialize)]
pub struct Seeds {
    pub accounts: BTreeMap<String, String>,
    pub keys: BTreeMap<String, String>,
    /// Accounts on which everything of the stock list was done.
    done: Vec<String>,
}

/// A change of the book reaches Redis and the gateway within a second; a busy machine may take longer.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);

/// A request like any caller's.
const CHAT: &str = r#"{"messages":[{"role":"user","content":"one for the seed"}]}"#;

/// Plants what is missing, through a gateway that runs.
pub fn plant(setup: &Setup) -> Result<Seeds> {
    let mut seeds = Seeds::read(setup)?;
    let missing = seeds.missing();
    if missing.is_empty() {
        return Ok(seeds);
    }
    words::step(&format!("seeding {} accounts", missing.len()));
    for account in &missing {
        let (id, key) = make(setup, account)?;
        seeds.accounts.insert(account.name.to_owned(), id);
        seeds.keys.insert(account.name.to_owned(), key);
    }
    for account in &missing {
        let key = seeds.keys.get(account.name).context("each planted account has a key")?;
        settle(setup, account, key).with_context(|| format!("seeding {}", account.name))?;
        seeds.done.push(account.name.to_owned());
        files::write_json(&file(setup), &seeds)?;
    }
    Ok(seeds)
}

/// Plants what is missing before the gateway faces somebody else's server: the requests that spend a seed's credits are
/// no business of that server, and it might not answer them.
pub fn plant_apart(setup: &Setup) -> Result<()> {
    if Seeds::read(setup)?.missing().is_empty() {
        return Ok(());
    }
    let _upstream = setup.pretend_upstream()?;
    let _gateway = setup.gateway(&[("TOLLGATE_GATEWAY_UPSTREAMS__DEMO", &setup.ports.pretend_upstream())])?;
    plant(setup).map(|_| ())
}

impl Seeds {
    fn read(setup: &Setup) -> Result<Seeds> {
        Ok(files::read_json(&file(setup))?.unwrap_or_default())
    }

    fn missing(&self) -> Vec<&'static Account> {
        STOCK.iter().filter(|account| !self.done.iter().any(|name| name == account.name)).collect()
    }
}

fn file(setup: &Setup) -> PathBuf {
    setup.layout.state().join("seed.json")
}

/// Makes the account with its lots, budget and key; gives its id and key.
fn make(setup: &Setup, account: &Account) -> Result<(String, String)> {
    let email = sessions::person(account.name);
    let create = ["account", "create", "--name", account.name, "--status", account.status, "--email", &email];
    let made = setup.tollgate(&create)?;
    let id = text(&made, "account")?;
    for lot in account.lots {
        let credits = lot.credits.to_string();
        let grant = ["--account", &id, "--credits", &credits, "--expires-in", lot.expires_in, "--product", lot.product];
        setup.tollgate(&[&["lot", "grant"], &grant[..]].concat())?;
    }
    if let Some(plan) = &account.plan {
        buy(setup, &id, plan.code)?;
    }
    if let Some(limit) = account.budget {
        setup.tollgate(&["budget", "set", "--account", &id, "--limit", &limit.to_string()])?;
    }
    let mut issue = vec!["key", "issue", "--account", &id, "--name", "seed", "--mode", "test"];
    issue.extend(account.rate.into_iter().flat_map(|rate| ["--rate", rate]));
    let issued = setup.tollgate(&issue)?;
    if account.key_revoked {
        setup.tollgate(&["key", "revoke", "--key", &text(&issued, "key_id")?])?;
    }
    Ok((id, text(&issued, "key")?))
}

/// Pays for a plan at the pretend Stripe, whose delivery then grants the credits.
fn buy(setup: &Setup, account: &str, plan: &str) -> Result<()> {
    let opened = setup.tollgate(&["checkout", "create", "--account", account, "--plan", plan])?;
    let path = format!("/_pretend/sessions/{}/pay", text(&opened, "session")?);
    let answer = http::post(setup.ports.stripe, &path, &setup.passwords.stripe_api, "{}")?;
    if answer.status != 200 {
        bail!("the pretend Stripe takes no payment for {plan}: {} {}", answer.status, answer.body.trim());
    }
    Ok(())
}

fn text(answer: &Value, field: &str) -> Result<String> {
    answer[field]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("the tollgate command answered no {field}: {answer}"))
}

/// Waits until the gateway knows all of it, and spends what the account shall have spent.
fn settle(setup: &Setup, account: &Account, key: &str) -> Result<()> {
    let credits = account.credits();
    let gateway = setup.ports.gateway;
    arrive("its credits", || {
        let answer = http::get(gateway, "/v1/credits", Some(key))?;
        // Asking counts against a rate, and being told so is an arrival, too.
        let limited = account.rate.is_some() && answer.status == 429;
        let known = limited || answer.status == 200 && answer.json()["remaining"].as_u64() == Some(credits);
        Ok((if account.key_revoked { answer.status == 401 } else { known }, answer))
    })?;
    for _ in 0..account.requests {
        arrive("one request", || {
            let answer = http::post(gateway, "/v1/messages", key, CHAT)?;
            Ok((answer.status == 200, answer))
        })?;
    }
    Ok(())
}

/// Asks the gateway again until it answers as expected.
fn arrive(what: &str, mut ask: impl FnMut() -> Result<(bool, http::Answer)>) -> Result<()> {
    let mut last = String::from("nothing");
    let arrived = process::wait_until(ARRIVAL_LIMIT, || {
        match ask() {
            Ok((true, _)) => return true,
            Ok((false, answer)) => last = format!("{} {}", answer.status, answer.body.trim()),
            Err(err) => last = format!("{err:#}"),
        }
        interrupt::requested()
    });
    interrupt::check()?;
    if !arrived {
        bail!("{what} did not come through the gateway within {} s; its last answer: {last}", ARRIVAL_LIMIT.as_secs());
    }
    Ok(())
}
