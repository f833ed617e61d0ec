//! `crash`: the gateway is killed in the middle of a load, and another one takes its place. What callers of the dead one did not hear is
//! explained: it was drawn at most once, and nobody else notices.

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::audit::Told;
use super::caller::Load;
use super::commands::Commands;
use super::found::Found;
use super::plant::Group;
use super::report::Outcome;
use super::stand::Stand;
use crate::bench::QUIET;
use crate::process::{self, Service};
use crate::{http, interrupt, ports, words};

/// From the first call to the kill.
const BEFORE: Duration = Duration::from_secs(8);
const READY_LIMIT: Duration = Duration::from_secs(30);
const GROUP: Group = Group { name: "load", accounts: 200, lots: 1, credits: 1 << 40, keys: 200, audited: true };

pub fn play(stand: &Stand) -> Result<bool> {
    let keys = stand.planter()?.plant(&[GROUP])?;
    let keys = keys.first().context("a group has keys")?;
    let load = Load {
        mix: "json=70,sse=20,free=10",
        rate: Some("400".to_owned()),
        arrivals: "poisson",
        duration: "25s".to_owned(),
        connections: 256,
        headers: vec!["Pretend-Stream: chunks=5, gap=20".to_owned()],
        ..Load::default()
    };
    let load = load.or(stand.wish);
    let since = stand.book_clock()?;
    let before = Commands::now(&stand.redis)?;
    let (found, again) = thread::scope(|scope| {
        let calls = scope.spawn(|| stand.caller().gateway(&load, keys));
        let again = kill_and_start(stand);
        let found = calls.join().ok().context("who called fell over")?;
        anyhow::Ok((found?, again?))
    })?;
    let commands = Commands::now(&stand.redis)?.since(&before);
    let receipts = stand.caller().receipts();
    let book = stand.auditor().ask(&receipts, &since, &[])?;
    drop(again);
    let mut wrong = noticed(&found, if stand.wish.debug { found.late() } else { 0 });
    wrong.extend(book.complaints(Told::of(&receipts)?, unheard(&found)));
    let drawn = book.receipts.broken_off.paid.answers + book.receipts.debits_without_receipt.debits;
    let notes = vec![format!(
        "{} calls came to no end, {} of them were never sent; {drawn} of the others were drawn",
        found.all.failed,
        found.answered("no connection")
    )];
    Outcome { scenario: "crash", found: Some(found), commands, book: Some(book), notes, wrong }.print(stand.wish.json)
}

/// Kills the gateway as a failing machine would, and starts another one in its place.
fn kill_and_start(stand: &Stand) -> Result<Service> {
    interrupt::pause_for(BEFORE)?;
    words::step("killing the gateway");
    let gateway = stand.standing.process("gateway")?;
    gateway.signal(Signal::KILL);
    // Its port is taken for as long as it is not gone.
    ensure!(process::wait_until(READY_LIMIT, || !gateway.alive()), "the gateway outlives a kill");
    let mut command = Command::new(stand.layout.program("gateway", !stand.wish.debug));
    command.arg("--config").arg(stand.layout.run().join("gateway.toml"));
    command.current_dir(&stand.layout.root).envs(QUIET.iter().copied());
    let mut again = Service::start("gateway", command, &stand.layout.log("gateway-again"), Signal::TERM)?;
    let admin = ports::of(&stand.standing.gateway_admin)?;
    again.wait_ready(READY_LIMIT, || http::is_good(admin, "/readyz"))?;
    words::note("another one serves");
    Ok(again)
}

/// Calls that were sent and have no whole answer: each may have drawn.
fn unheard(found: &Found) -> u64 {
    found.all.failed.saturating_sub(found.answered("no connection"))
}

/// What callers may notice: connections that break, and nobody there for a moment. Nothing else, and nothing at the end.
fn noticed(found: &Found, late: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let explained: u64 =
        ["200", "no connection", "no answer", "broken off"].iter().map(|label| found.answered(label)).sum();
    if explained + late != found.all.calls {
        wrong.push(format!("callers were told something else: {:?}", found.all.answers));
    }
    if found.all.failed == 0 {
        wrong.push("nobody noticed: the gateway was not killed".to_owned());
    }
    // The last second may be a part of one.
    if found.over_time.iter().rev().take(3).any(|second| second.failed > 0) {
        wrong.push("calls still failed at the end".to_owned());
    }
    wrong
}
