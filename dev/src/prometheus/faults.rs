//! Faults that are planted in a house that runs: each has to fire its alerts, and to end them when it is mended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use super::ask::Prometheus;
use crate::layout::Layout;
use crate::report::Report;
use crate::{ctl, interrupt, ports, process, redis, words};

/// From a fault to its alerts, and from its end to theirs: a scrape, an evaluation, and what the service itself takes to see it. The sample of
/// accounts pauses thirty times as long as it looks, which is seconds, and more on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

/// The head lot of an account holds a credit less: the last number of what `account.lua` packs into `m`.
const SPOIL: &str = "local seq, used, left = struct.unpack('>I7I7I7', redis.call('HGET', KEYS[1], 'm')) \
                     redis.call('HSET', KEYS[1], 'm', struct.pack('>I7I7I7', seq, used, left - 1))";

pub fn plant(layout: &Layout, standing: &Report, prometheus: &Prometheus) -> Result<()> {
    spoil_a_lot(layout, standing, prometheus)?;
    stop_the_owner(standing, prometheus)
}

/// A credit is taken out of a lot in Redis, behind everybody's back; then the account is written anew from the book.
fn spoil_a_lot(layout: &Layout, standing: &Report, prometheus: &Prometheus) -> Result<()> {
    let account = standing.accounts.get("trial").context("the account trial")?;
    let keys = ask(standing, &format!("KEYS tg:*:a:{}", account.trim_start_matches("acct_")))?;
    let key = keys.first().context("the account's hash in Redis")?;
    ask(standing, &format!("EVAL \"{SPOIL}\" 1 {key}"))?;
    fires(prometheus, "a lot that lacks a credit in Redis", &["TollgateDrift"])?;
    let mut mend = ctl::command(layout, false);
    mend.args(["--actor", "cargo dev prometheus", "--json", "rebuild", "--account", account]);
    let output = mend.output().context("starting tollgate")?;
    ensure!(output.status.success(), "tollgate rebuild failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    ends(prometheus, &["TollgateDrift"])
}

/// The only owner stands still for a while.
fn stop_the_owner(standing: &Report, prometheus: &Prometheus) -> Result<()> {
    let owner = standing.process("ledger_sync")?;
    let alerts = ["TollgateTargetDown", "TollgateOwnerMissing"];
    owner.signal(Signal::STOP);
    let fired = fires(prometheus, "ledger-sync stopped", &alerts);
    owner.signal(Signal::CONT);
    fired?;
    ends(prometheus, &alerts)
}

fn fires(prometheus: &Prometheus, fault: &str, alerts: &[&str]) -> Result<()> {
    let planted = Instant::now();
    let mut firing = BTreeSet::new();
    let fired = process::wait_until(LIMIT, || {
        prometheus.firing().is_ok_and(|now| {
            firing = now;
            alerts.iter().all(|alert| firing.contains(*alert))
        })
    });
    interrupt::check()?;
    if !fired {
        bail!("{fault}: {} should fire; what fires is {firing:?}", alerts.join(", "));
    }
    words::note(&format!("{fault}: {} fired after {:.1} s", alerts.join(", "), planted.elapsed().as_secs_f64()));
    Ok(())
}

fn ends(prometheus: &Prometheus, alerts: &[&str]) -> Result<()> {
    let over = process::wait_until(LIMIT, || {
        prometheus.firing().is_ok_and(|firing| alerts.iter().all(|alert| !firing.contains(*alert)))
    });
    interrupt::check()?;
    ensure!(over, "mended, and one of these still fires: {}", alerts.join(", "));
    Ok(())
}

/// The texts that an administrator is answered by Redis.
fn ask(standing: &Report, command: &str) -> Result<Vec<String>> {
    let (_, place) = standing.redis.split_once("admin:").context("Redis' administrator")?;
    let (password, _) = place.split_once('@').context("an administrator's password")?;
    let answered = redis::ask(ports::of(&standing.redis)?, password, command)?;
    ensure!(!answered.contains("-ERR") && !answered.contains("-NO"), "Redis refuses {command}: {answered}");
    let texts = answered.lines().filter(|line| !line.starts_with(['+', '$', '*', ':']));
    Ok(texts.map(str::to_owned).collect())
}
