//! As many debits as the machine can draw while Postgres is away, then the book alone with what they left: what it takes in a second,
//! and what that costs Postgres.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::book_side::{BookSide, Cost};
use super::customers::Customer;
use super::house::House;
use super::outage::{backlog, drained, rate};
use super::plan::Victim;
use crate::bench::{Load, Target};
use crate::{interrupt, process};

/// How long the peak lasts.
const PEAK: Duration = Duration::from_secs(12);
const CONNECTIONS: u32 = 64;
const DRAIN_LIMIT: Duration = Duration::from_mins(5);

pub struct Peak {
    /// Debits a second, at the peak.
    pub debits: f64,
    /// Events a second, drained alone.
    pub drained: f64,
    /// What draining them cost Postgres.
    pub cost: Cost,
}

/// All rich customers draw in turn, so that every shard that has one is drawn from.
pub fn run(house: &mut House, customers: &[Customer]) -> Result<Peak> {
    let load = Load::new(&house.layout)?;
    let keys: Vec<&str> =
        customers.iter().filter(|customer| customer.rich).map(|customer| customer.key.as_str()).collect();
    let url = format!("http://127.0.0.1:{}/v1/messages", house.ports.gateways[0]);
    let target = Target { url, key: Some(keys.join(",")), refused: false };
    house.kill(Victim::Postgres);
    let answers = load.run(&target, CONNECTIONS, PEAK)?;
    ensure!(answers.errors == 0, "{} of {} requests failed at the peak", answers.errors, answers.requests);
    house.start_again(Victim::Postgres)?;
    let side = BookSide::of(house)?;
    let (began, before, cpu_before) = (Instant::now(), drained(house)?, side.cpu_us()?);
    let all = u64::from(answers.requests);
    let is_drained = || drained(house).is_ok_and(|events| events - before >= all) || interrupt::requested();
    ensure!(process::wait_until(DRAIN_LIMIT, is_drained), "the book did not take in what the peak left");
    interrupt::check()?;
    let (took, rows) = (began.elapsed(), drained(house)? - before);
    let cost = Cost { cpu_us: side.cpu_us()? - cpu_before, rows };
    // Nothing of the peak is left for what is measured next.
    while backlog(house).is_none_or(|events| events > 0) {
        interrupt::check()?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(Peak { debits: f64::from(answers.requests) / answers.seconds, drained: rate(rows, took), cost })
}
