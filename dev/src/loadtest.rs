//! `cargo dev loadtest SCENARIO`: a house of its own, accounts for the scenario, load from the program `loadtest`, and then the audit:
//! what every caller was told is what the book has drawn and what live state is short of. The exit code tells.

mod audit;
mod caller;
mod commands;
mod crash;
mod found;
mod ladder;
mod many;
mod plant;
mod report;
mod rest;
mod scripts;
mod stand;
mod streams;
mod wish;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cli::Scenario;
use crate::layout::Layout;
use crate::{compare, words};
use audit::Told;
use caller::Load;
use commands::Commands;
use report::Outcome;
use scripts::Script;
use stand::Stand;

pub use wish::LoadWish;

/// How long the highest rate is looked for, and by how many connections: enough that nobody waits for work.
const PEAK_SECONDS: u64 = 5;
const PEAK_CONNECTIONS: u32 = 64;

pub fn run(layout: &Layout, scenario: &Scenario) -> Result<ExitCode> {
    match scenario {
        Scenario::Compare(wish) => compare::run(layout, wish),
        Scenario::Smoke(wish) => Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::smoke(wish))),
        Scenario::Steady(wish) => Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::steady(wish))),
        Scenario::Burst(wish) => Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::burst(wish))),
        Scenario::Exhaustion(wish) => {
            Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::exhaustion(wish)))
        }
        Scenario::HotAccount(wish) => {
            Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::hot_account(wish)))
        }
        Scenario::SlowUpstream(wish) => {
            Stand::for_scenario(layout, wish, |stand| play(stand, &scripts::slow_upstream(wish)))
        }
        Scenario::Crash(wish) => Stand::for_scenario(layout, wish, crash::play),
        Scenario::Ladder(wish) => Stand::for_scenario(layout, wish, ladder::play),
        Scenario::Streams(wish) => Stand::for_scenario(layout, wish, streams::play),
        Scenario::ManyAccounts(wish) => Stand::for_scenario(layout, wish, many::accounts),
        Scenario::ManyLots(wish) => Stand::for_scenario(layout, wish, many::lots),
    }
}

/// What `cargo dev ci` runs.
pub fn smoke(layout: &Layout) -> Result<ExitCode> {
    let wish = LoadWish { seed: 1, debug: true, ..LoadWish::default() };
    Stand::for_scenario(layout, &wish, |stand| play(stand, &scripts::smoke(&wish)))
}

/// One load and the audit of it; whether all of it holds.
fn play(stand: &Stand, script: &Script) -> Result<bool> {
    let keys = stand.planter()?.plant(&[script.group])?;
    let keys = keys.first().context("a group has keys")?;
    let mut load = script.load.clone();
    if script.half_of_peak {
        load.rate = Some(half_of_peak(stand, keys)?);
    }
    let since = stand.book_clock()?;
    let before = Commands::now(&stand.redis)?;
    words::step(&format!("calls: {}", script.name));
    let found = stand.caller().gateway(&load, keys)?;
    let commands = Commands::now(&stand.redis)?.since(&before);
    let receipts = stand.caller().receipts();
    let book = stand.auditor().ask(&receipts, &since, &[])?;
    // A debit has 250 ms, which programs that are not optimised may miss on a busy machine.
    let late = if stand.wish.debug { found.late() } else { 0 };
    let mut wrong = (script.check)(&found, late);
    // Nobody is killed here: every call comes to its end.
    wrong.extend(book.complaints(Told::of(&receipts)?, 0));
    Outcome { scenario: script.name, found: Some(found), commands, book: Some(book), notes: Vec::new(), wrong }
        .print(stand.wish.json)
}

fn half_of_peak(stand: &Stand, keys: &str) -> Result<String> {
    words::step("looking for the highest rate");
    let load =
        Load { duration: format!("{PEAK_SECONDS}s"), connections: PEAK_CONNECTIONS, zipf: 1.1, ..Load::default() };
    let peak = stand.caller().quietly(&load, &stand.standing.gateway, keys)?.per_second;
    let rate = (peak / 2.0).floor().max(1.0);
    words::note(&format!("{peak:.0} calls/s at most; half of that is the rate"));
    Ok(format!("{rate}"))
}
