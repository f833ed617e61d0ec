//! `cargo dev prove`: whatever dies, the balance and the book agree. Real processes, real signals; the exit code tells.

mod audit;
mod book_side;
mod calls;
mod chance;
mod customers;
mod faults;
mod house;
mod load;
mod losses;
mod outage;
mod peak;
mod plan;
mod race;
mod rebuild;
mod redis_pair;
mod report;
mod settings;
mod verdict;
mod witness;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::ProveWish;
use crate::layout::Layout;
use crate::{build, state, words};
use house::House;
use load::Load;
use settings::{EXPOSURE, SHARDS};
use verdict::{Verdict, all_done, grouped};

pub use outage::run as outage;
pub use plan::Choice;

pub fn run(layout: &Layout, wish: &ProveWish) -> Result<ExitCode> {
    let plan = plan::plan(wish.seed, wish.minutes.0, wish.every.0, &wish.faults);
    if wish.plan {
        println!("seed {}: at most these faults, each so long after everybody is served again", wish.seed);
        for fault in &plan {
            println!("  {:5.1} s later  {fault}", fault.after.as_secs_f64());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let layout = layout.aside("prove");
    let turn = state::lock(&layout)?;
    build::house(&layout, wish.release)?;
    words::step("starting two gateways, two ledger-syncs, Redis with a replica, and Postgres");
    let mut house = House::build(&layout, wish.release, &EXPOSURE)?;
    let holds = prove(&mut house, wish, &plan)?;
    if holds && !wish.keep {
        house.remove_data()?;
    } else {
        println!("\n  logs, receipts and settings are kept in {}", layout.state().display());
    }
    drop(turn);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Both parts and the audit. Everything of a house that lives.
fn prove(house: &mut House, wish: &ProveWish, plan: &[plan::Fault]) -> Result<bool> {
    println!("{} requests at once on {} credits", race::CALLERS, race::CREDITS);
    let raced = race::run(house)?;
    let race = Verdict::race(&raced);
    race.print();

    words::step("making accounts");
    let customers = customers::make(house)?;
    println!(
        "\n{} requests a second for {:.1} minutes, {} faults at most, seed {}",
        wish.rate,
        wish.minutes.0.as_secs_f64() / 60.0,
        plan.len(),
        wish.seed
    );
    let (desk, gateways) = (house.desk(), house.ports.gateways);
    let load = Load::new(wish.seed, wish.rate, gateways, &customers);
    let (done, mut replies) = load.during(&desk, || faults::run(house, &customers, plan, wish.minutes.0))?;
    replies.extend(done.iter().flat_map(|done| done.replies.iter().cloned()));

    println!(
        "\nThe audit, once nothing is under way. A lost Redis may lose {} events, {} credits or {} s of each of {SHARDS} shards.",
        grouped(EXPOSURE.events),
        grouped(EXPOSURE.credits),
        EXPOSURE.age_ms / 1000
    );
    let everybody = [raced, replies.clone()].concat();
    let (book, report) = audit::ask(house, &everybody, |book, report| all_done(book, report, &everybody, &done))?;
    let mut verdict = Verdict::of(&book, &report, &everybody, &done, load.began);
    verdict.answers(&replies, &customers);
    if !plan.is_empty() {
        verdict.demand_something_happened(&replies, &done, wish.minutes.0, wish.rate);
    }
    verdict.print();
    let holds = race.holds() && verdict.holds();
    println!("\n{}", if holds { "PROVEN: every line holds" } else { "NOT PROVEN" });
    Ok(holds)
}
