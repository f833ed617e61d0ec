//! Doing what the plan says, one fault after the other, and measuring how long it takes until everybody is served again.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::calls::{Call, Reply};
use super::customers::{Customer, RICH};
use super::house::House;
use super::plan::{Fault, Harm, Victim};
use crate::http::Line;
use crate::interrupt;

/// Everybody is served again this long after whatever was taken away is there again: a lease (5 s) may have to run out first, and
/// everything be installed anew. The machine may have much else to do.
pub const RECOVERY_LIMIT: Duration = Duration::from_mins(1);

/// As many ask at a time whether everybody is served again.
const ASKERS: usize = 16;

/// A fault that was done.
pub struct Done {
    pub fault: Fault,
    /// When it struck.
    pub at: Instant,
    /// From then on nothing of before can be answered any more: whoever is served later is served by what is there now.
    pub struck: Instant,
    /// Until every gateway had served every rich customer, from the moment when what was taken away was there again.
    pub recovered: Option<Duration>,
    /// The calls that asked whether it had.
    pub replies: Vec<Reply>,
}

/// Does all of them, as long as there is time.
pub fn run(house: &mut House, customers: &[Customer], plan: &[Fault], time: Duration) -> Result<Vec<Done>> {
    let began = Instant::now();
    let mut done = Vec::new();
    for fault in plan {
        if !wait(fault.after, began + time)? {
            return Ok(done);
        }
        print!("  {:6.1} s  {:<68}", began.elapsed().as_secs_f64(), fault.to_string());
        let _ = std::io::stdout().flush(); // nobody reading is no reason to stop
        let one = one(house, customers, *fault)?;
        match one.recovered {
            Some(took) => println!(" served again after {:.1} s", took.as_secs_f64()),
            None => println!(" NOT SERVED AGAIN within {} s", RECOVERY_LIMIT.as_secs()),
        }
        done.push(one);
    }
    wait(time, began + time)?;
    Ok(done)
}

/// Waits so long; false where the time is over before.
fn wait(length: Duration, end: Instant) -> Result<bool> {
    let until = Instant::now() + length;
    while Instant::now() < until.min(end) {
        interrupt::check()?;
        interrupt::pause();
    }
    Ok(until < end)
}

fn one(house: &mut House, customers: &[Customer], fault: Fault) -> Result<Done> {
    let at = Instant::now();
    let struck = strike(house, fault)?;
    let there_again = Instant::now();
    let (served, replies) = all_served(house, customers, there_again + RECOVERY_LIMIT)?;
    let recovered = served.then(|| there_again.elapsed());
    if matches!(fault.harm, Harm::StalePromotion { .. }) {
        house.follow()?;
    }
    Ok(Done { fault, at, struck, recovered, replies })
}

/// Does it and undoes it: processes run again when this returns. Gives the moment from which on nothing of before answers.
fn strike(house: &mut House, fault: Fault) -> Result<Instant> {
    let victim = fault.victim;
    let mut struck = Instant::now();
    match fault.harm {
        Harm::Kill { down } => {
            house.kill(victim);
            struck = Instant::now();
            wait(down, Instant::now() + down)?;
            house.start_again(victim)?;
        }
        Harm::Stop { still } => {
            house.signal(victim, Signal::STOP);
            let waited = wait(still, Instant::now() + still);
            house.signal(victim, Signal::CONT);
            waited?;
        }
        Harm::CutAof { back, bytes } => {
            let length = house.redis.aof_bytes()? + bytes;
            wait(back, Instant::now() + back)?;
            house.kill(Victim::Redis);
            struck = Instant::now();
            house.redis.cut_aof(length)?;
            house.start_again(Victim::Redis)?;
        }
        Harm::Flush => {
            house.redis.flush(&house.passwords)?;
            struck = Instant::now();
        }
        Harm::Empty => {
            house.kill(Victim::Redis);
            struck = Instant::now();
            house.redis.forget_data()?;
            house.start_again(Victim::Redis)?;
        }
        Harm::StalePromotion { apart } => {
            house.redis.wait_following(&house.passwords)?;
            house.redis.lead(&house.passwords)?;
            wait(apart, Instant::now() + apart)?;
            house.kill(Victim::Redis);
            struck = Instant::now();
            house.replica_takes_over()?;
        }
    }
    Ok(struck)
}

/// Asks for every rich customer through every gateway until each was served, or the time is over. Several ask at a time, so that what
/// is measured is the house, not the asking.
fn all_served(house: &House, customers: &[Customer], deadline: Instant) -> Result<(bool, Vec<Reply>)> {
    let ports = house.ports.gateways;
    let asked = thread::scope(|scope| {
        let ask = |number: usize| scope.spawn(move || served_in_time(ports, customers, number, deadline));
        let askers: Vec<_> = (0..ASKERS).map(ask).collect();
        askers.into_iter().map(|asker| asker.join().ok().context("who asked fell over")).collect::<Result<Vec<_>>>()
    })?;
    interrupt::check()?;
    let served = asked.iter().all(|(served, _)| *served);
    Ok((served, asked.into_iter().flat_map(|(_, replies)| replies).collect()))
}

/// One asker's share of customers and gateways.
fn served_in_time(ports: [u16; 2], customers: &[Customer], number: usize, deadline: Instant) -> (bool, Vec<Reply>) {
    let (mut lines, mut replies) = (ports.map(Line::to), Vec::new());
    for call in (number..RICH * 2).step_by(ASKERS).map(|both| Call::plain(both / 2, both % 2)) {
        loop {
            let reply = call.send(&mut lines[call.gateway], customers);
            let served = reply.served();
            replies.push(reply);
            if served {
                break;
            }
            if Instant::now() >= deadline || interrupt::requested() {
                return (false, replies);
            }
            interrupt::pause();
        }
    }
    (true, replies)
}
