//! The load: so many calls a second whether or not answers come, by callers who keep their connections; and an operator who grants
//! and takes out credits meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::calls::{Call, Reply};
use super::chance::Chance;
use super::customers::Customer;
use super::house::Desk;
use crate::http::Line;

/// As many calls can be under way; one that is due while all of them wait is sent late.
const CALLERS: usize = 96;
const STACK_BYTES: usize = 256 * 1024;
/// Between two changes of the operator.
const CHANGES: Duration = Duration::from_millis(1_500);

/// What everybody needs to know.
pub struct Load<'a> {
    pub seed: u64,
    pub rate: u64,
    pub gateways: [u16; 2],
    pub customers: &'a [Customer],
    pub over: AtomicBool,
    next: AtomicU64,
    pub began: Instant,
}

impl<'a> Load<'a> {
    pub fn new(seed: u64, rate: u64, gateways: [u16; 2], customers: &'a [Customer]) -> Load<'a> {
        Load {
            seed,
            rate,
            gateways,
            customers,
            over: AtomicBool::new(false),
            next: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// Runs while `meanwhile` does, and gives what it gave and every answer. Whatever happens, every call comes to its end.
    pub fn during<T>(&self, desk: &Desk, meanwhile: impl FnOnce() -> Result<T>) -> Result<(T, Vec<Reply>)> {
        thread::scope(|scope| {
            let start = || thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || self.call());
            let callers: Vec<_> = (0..CALLERS).map(|_| start()).collect();
            let operator = scope.spawn(|| self.operate(desk));
            let done = meanwhile();
            self.over.store(true, Ordering::Relaxed);
            let mut replies = Vec::new();
            for caller in callers {
                replies.extend(caller.context("starting a caller")?.join().ok().context("a caller fell over")?);
            }
            operator.join().ok().context("the operator fell over")?;
            Ok((done?, replies))
        })
    }

    /// One caller: the next call that is due, until it is over.
    fn call(&self) -> Vec<Reply> {
        let mut lines = self.gateways.map(Line::to);
        let mut replies = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let due = self.began + Duration::from_micros(number * 1_000_000 / self.rate);
            while let Some(early) = due.checked_duration_since(Instant::now()).filter(|early| !early.is_zero()) {
                if self.is_over() {
                    return replies;
                }
                thread::sleep(early.min(Duration::from_millis(100)));
            }
            if self.is_over() {
                return replies;
            }
            let call = Call::numbered(self.seed, number, self.customers.len());
            replies.push(call.send(&mut lines[call.gateway], self.customers));
        }
    }

    /// Changes that succeed or do not: the book knows which, and the audit asks it.
    fn operate(&self, desk: &Desk) {
        let mut chance = Chance::stream(self.seed, u64::MAX);
        while !self.is_over() {
            let customer = &self.customers[usize::try_from(chance.next()).unwrap_or(0) % self.customers.len()];
            let credits = chance.between(1, 9).to_string();
            let _ = if chance.between(0, 2) == 0 {
                desk.ask(&["lot", "reduce", "--lot", &customer.lot, "--credits", &credits])
            } else {
                desk.ask(&[
                    "lot",
                    "grant",
                    "--account",
                    &customer.account,
                    "--credits",
                    &credits,
                    "--expires-in",
                    "60s",
                ])
            };
            let pause = Instant::now();
            while pause.elapsed() < CHANGES && !self.is_over() {
                thread::sleep(Duration::from_millis(50));
            }
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) || crate::interrupt::requested()
    }
}
