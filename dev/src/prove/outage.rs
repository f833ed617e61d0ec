//! `cargo dev outage`: Postgres is away for a while under load, and comes back; then how fast the book takes in what a peak leaves
//! behind, what a row costs Postgres, and how fast live state is built anew. Measurements, not a test: the goals stand beside them.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::book_side::{BookSide, Cost};
use super::house::{Desk, House};
use super::load::Load;
use super::plan::Victim;
use super::settings::{EXPOSURE_OF_AN_OUTAGE, SHARDS};
use super::verdict::{Verdict, all_done, grouped};
use super::{audit, customers, peak, rebuild};
use crate::cli::OutageWish;
use crate::layout::Layout;
use crate::{build, interrupt, process, state, tools, words};

/// The load alone, before anything happens.
const QUIET: Duration = Duration::from_secs(30);
/// A book that has not caught up by then won't.
const CATCH_UP_LIMIT: Duration = Duration::from_mins(10);
const EVENTS: &str = "tollgate_sync_drained_events_total";
const BACKLOG: &str = "tollgate_sync_backlog_events";
const UNTRUE: i32 = 2;

/// How the book caught up.
struct CaughtUp {
    /// Events a second that the load makes.
    made: f64,
    /// Events a second that went into the book while it was behind.
    drained: f64,
    took: Duration,
    /// Rounds of `tollgate verify` while requests flowed.
    verified: usize,
}

pub fn run(layout: &Layout, wish: &OutageWish) -> Result<ExitCode> {
    let layout = layout.aside("outage");
    let turn = state::lock(&layout)?;
    tools::install_missing(&tools::absent(&["wrk"]))?;
    build::release(&layout)?;
    words::step("starting two gateways, two ledger-syncs, Redis with a replica, and Postgres");
    let mut house = House::build(&layout, true, &EXPOSURE_OF_AN_OUTAGE)?;
    let holds = measure(&mut house, wish)?;
    house.remove_data()?;
    drop(turn);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that is measured; whether what must hold does. Goals that are missed are told, and fail nothing.
fn measure(house: &mut House, wish: &OutageWish) -> Result<bool> {
    words::step("making accounts");
    let mut customers = customers::make(house)?;
    while BookSide::of(house)?.shards_with_accounts()? < SHARDS {
        let name = format!("customer {}", customers.len());
        customers.push(customers::make_one(house, &name, customers::RICH_CREDITS, true)?);
    }
    let (desk, gateways) = (house.desk(), house.ports.gateways);
    let minutes = wish.minutes.0.as_secs_f64() / 60.0;
    println!("{} requests a second; after {} s Postgres is away for {minutes:.1} minutes", wish.rate, QUIET.as_secs());
    let load = Load::new(wish.seed, wish.rate, gateways, &customers);
    let (caught_up, replies) = load.during(&desk, || outage(house, wish))?;
    let (book, report) = audit::ask(house, &replies, |book, report| all_done(book, report, &replies, &[]))?;
    let mut verdict = Verdict::of(&book, &report, &replies, &[], load.began);
    verdict.answers(&replies, &customers);
    verdict.print();
    let shards = BookSide::of(house)?.shards_drawn_from()?;
    println!(
        "\n  debits of {shards} of {SHARDS} shards; {} rounds of verify meanwhile, drift 0 in each",
        caught_up.verified
    );
    println!(
        "  the load makes {:.0} events/s; behind, the book took in {:.0} events/s for {:.1} s: {:.1} times as many   goal 3",
        caught_up.made,
        caught_up.drained,
        caught_up.took.as_secs_f64(),
        caught_up.drained / caught_up.made
    );
    words::step("a peak without Postgres, and the book alone with what it left");
    let peak = peak::run(house, &customers)?;
    println!(
        "  P9   drained alone {:.0} events/s / peak {:.0} debits/s         {:5.2}   goal 3",
        peak.drained,
        peak.debits,
        peak.drained / peak.debits
    );
    words::step("the same rows by COPY");
    let side = BookSide::of(house)?;
    let copy = side.copied()?;
    print_cost(&peak.cost, &copy);
    words::step(&format!("{} accounts more, and every key of Redis gone", grouped(wish.accounts)));
    let rebuilt = rebuild::run(house, wish.accounts)?;
    println!(
        "  P14  {} accounts installed in {:.1} s: {:.0} accounts/s   goal 10 000",
        grouped(rebuilt.accounts),
        rebuilt.took.as_secs_f64(),
        rebuilt.rate()
    );
    Ok(verdict.holds())
}

fn print_cost(drained: &Cost, copied: &Cost) {
    println!(
        "  P10  Postgres CPU: {:.1} µs an event drained / {:.1} µs a row by COPY  {:5.2}   goal 4",
        drained.a_row(),
        copied.a_row(),
        drained.a_row() / copied.a_row()
    );
}

/// Verifies while requests flow, takes Postgres away and brings it back, and waits until the book has caught up.
fn outage(house: &mut House, wish: &OutageWish) -> Result<CaughtUp> {
    let (began, before) = (Instant::now(), drained(house)?);
    let verified = verify_for(&house.desk(), QUIET)?;
    let made = rate(drained(house)? - before, began.elapsed());
    house.kill(Victim::Postgres);
    interrupt::pause_for(wish.minutes.0)?;
    house.start_again(Victim::Postgres)?;
    let (back, before) = (Instant::now(), drained(house)?);
    let behind = (made * wish.minutes.0.as_secs_f64() / 2.0).round();
    let caught_up = || {
        let drained = house.sync_metric(EVENTS).map(|events| events.saturating_sub(before));
        let most = drained.is_some_and(|events| as_f64(events) >= behind);
        let left = house.sync_metric(BACKLOG).is_some_and(|events| as_f64(events) < made / 2.0);
        (most && left) || interrupt::requested()
    };
    ensure!(process::wait_until(CATCH_UP_LIMIT, caught_up), "the book has not caught up in time");
    interrupt::check()?;
    let took = back.elapsed();
    let drained = rate(drained(house)? - before, took);
    interrupt::pause_for(Duration::from_secs(2))?;
    Ok(CaughtUp { made, drained, took, verified })
}

/// Verifies again and again; each round must find nothing.
fn verify_for(desk: &Desk, length: Duration) -> Result<usize> {
    let (began, mut rounds) = (Instant::now(), 0);
    while began.elapsed() < length {
        interrupt::check()?;
        let (code, said) = desk.ask(&["verify"])?;
        ensure!(code != Some(UNTRUE), "verify found drift while requests flowed: {said}");
        ensure!(code == Some(0), "verify failed: {said}");
        rounds += 1;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(rounds)
}

pub fn drained(house: &House) -> Result<u64> {
    house.sync_metric(EVENTS).context("ledger-sync does not say how many events it has drained")
}

pub fn backlog(house: &House) -> Option<u64> {
    house.sync_metric(BACKLOG)
}

pub fn rate(count: u64, time: Duration) -> f64 {
    as_f64(count) / time.as_secs_f64()
}

/// Exact for any count of a run: they stay far below 2^32.
fn as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
