//! What `tollgate losses` says after a run: each debit that went with Redis, as the gateways' journals have it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::house::Desk;

/// Incidents and debits that are asked for; a run has fewer.
const MOST: &str = "1000";
/// The kinds of incident that can cost credits.
const COST: [&str; 2] = ["rebuild", "tail_lost"];

/// The report of the whole run.
#[derive(Default)]
pub struct Report {
    pub debits: u64,
    pub credits: u64,
    /// By op.
    pub named: BTreeMap<String, Named>,
    /// Why something may still come.
    pub not_final: Option<String>,
    /// Parts of journals that are missing.
    pub not_exact: Option<String>,
}

/// One debit that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// What nobody pays: nothing, where the gateway had given it back before.
    pub credits: u64,
}

#[derive(Deserialize)]
struct Said {
    debits: u64,
    lost: u64,
    incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct Incident {
    #[serde(rename = "incident")]
    id: u64,
    shard: String,
    kind: String,
    losses: Option<Losses>,
}

#[derive(Deserialize)]
struct Losses {
    #[serde(rename = "final")]
    is_final: bool,
    complete: bool,
    why_incomplete: Vec<String>,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    account: String,
    lost: u64,
}

#[derive(Deserialize)]
struct OfAccount {
    lost: u64,
    debits: Vec<Debit>,
}

#[derive(Deserialize)]
struct Debit {
    op: String,
    drawn: u64,
    kept: Option<u64>,
}

/// The report, debit by debit, and whether anything can still come.
pub fn ask(desk: &Desk) -> Result<Report> {
    let said: Said = read(desk, &["losses"])?;
    let mut report = Report { debits: said.debits, credits: said.lost, ..Report::default() };
    let mut by_account: BTreeMap<String, u64> = BTreeMap::new();
    for losses in said.incidents.iter().filter_map(|incident| incident.losses.as_ref()) {
        report.look_at(losses);
        for account in &losses.accounts {
            *by_account.entry(account.account.clone()).or_default() += account.lost;
        }
    }
    for (account, lost) in by_account {
        let of: OfAccount = read(desk, &["losses", "--account", &account])?;
        ensure!(of.lost == lost, "the report of {account} says {} credits, those of its incidents {lost}", of.lost);
        report.named.extend(of.debits.into_iter().map(|debit| {
            let credits = debit.kept.unwrap_or(debit.drawn);
            (debit.op.replace('-', ""), Named { credits })
        }));
    }
    for incident in latest_of_each_shard(desk)? {
        let incident: Incident = read(desk, &["incidents", "show", "--incident", &incident.to_string()])?;
        if let Some(losses) = &incident.losses {
            report.look_at(losses);
        }
    }
    Ok(report)
}

impl Report {
    fn look_at(&mut self, losses: &Losses) {
        let why = || losses.why_incomplete.join("; ");
        if !losses.is_final {
            self.not_final.get_or_insert_with(why);
        } else if !losses.complete {
            self.not_exact.get_or_insert_with(why);
        }
    }
}

/// Whoever has posted past the latest has posted past those before.
fn latest_of_each_shard(desk: &Desk) -> Result<Vec<u64>> {
    #[derive(Deserialize)]
    struct All {
        incidents: Vec<Incident>,
    }
    let all: All = read(desk, &["incidents", "list", "--limit", MOST])?;
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    for incident in all.incidents.into_iter().filter(|incident| COST.contains(&incident.kind.as_str())) {
        let known = latest.entry(incident.shard).or_default();
        *known = incident.id.max(*known);
    }
    Ok(latest.into_values().collect())
}

fn read<T: for<'a> Deserialize<'a>>(desk: &Desk, args: &[&str]) -> Result<T> {
    let (code, said): (Option<i32>, Value) = desk.ask(args)?;
    ensure!(code == Some(0), "tollgate {} failed: {said}", args.join(" "));
    serde_json::from_value(said).with_context(|| format!("reading what tollgate {} says", args.join(" ")))
}
