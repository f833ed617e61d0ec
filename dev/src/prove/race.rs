//! The first part: 500 callers at once on an account of 100 credits.

use std::sync::Barrier;
use std::thread;

use anyhow::{Context, Result};

use super::calls::{Call, Kind, Reply};
use super::customers::{self, Customer};
use super::house::House;
use crate::http::Line;
use crate::process;
use std::time::Duration;

pub const CALLERS: usize = 500;
pub const CREDITS: u64 = 100;

/// A thread of a caller does little.
const STACK_BYTES: usize = 256 * 1024;
const ARRIVAL_LIMIT: Duration = Duration::from_mins(1);

/// All answers. Every caller has a connection of its own, and sends when all of them stand ready.
pub fn run(house: &House) -> Result<Vec<Reply>> {
    let racer = customers::make_one(house, "five hundred at once", CREDITS, false)?;
    wait_known(house, &racer)?;
    let (start, customers) = (Barrier::new(CALLERS), [racer]);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let (start, customers, port) = (&start, &customers, house.ports.gateways[number % 2]);
                let call = Call { kind: Kind::Chat, customer: 0, gateway: number % 2 };
                thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || {
                    start.wait();
                    call.send(&mut Line::to(port), customers)
                })
            })
            .collect();
        let answer = |caller: std::io::Result<thread::ScopedJoinHandle<'_, Reply>>| {
            caller.context("starting a caller")?.join().ok().context("a caller fell over")
        };
        callers.into_iter().map(answer).collect()
    })
}

/// Both gateways know the key, and that nothing is spent yet.
fn wait_known(house: &House, racer: &Customer) -> Result<()> {
    for port in house.ports.gateways {
        let known = || {
            let answer = crate::http::get(port, "/v1/credits", Some(&racer.key));
            answer.is_ok_and(|answer| answer.json()["remaining"].as_u64() == Some(CREDITS))
                || crate::interrupt::requested()
        };
        anyhow::ensure!(process::wait_until(ARRIVAL_LIMIT, known), "the racers' account did not arrive in time");
        crate::interrupt::check()?;
    }
    Ok(())
}
