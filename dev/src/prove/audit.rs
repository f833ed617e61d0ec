//! The audit after a run: what callers were told, written as a file of receipts, and what `tollgate audit` says about it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::calls::Reply;
use super::house::House;
use super::report::{self, Report};
use crate::{files, interrupt, process};

/// How long gateways get to give back what they owe.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);
const OWED: [&str; 2] = ["tollgate_gateway_requests_in_flight", "tollgate_gateway_restitutions_open"];
/// How long the audit waits until nothing is under way.
const WAIT: &str = "90s";
/// How long owners get to give back what killed gateways left open and what lost tails held, and gateways to say what was lost.
pub const LATE_LIMIT: Duration = Duration::from_mins(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
const UNTRUE: i32 = 2;

/// What `tollgate audit` says.
#[derive(Deserialize)]
pub struct Book {
    pub granted: u64,
    pub drawn: u64,
    pub given_back: u64,
    pub expired: u64,
    pub clawed_back: u64,
    pub left: u64,
    pub left_live: u64,
    pub overdraft: u64,
    pub drift: u64,
    pub debits: u64,
    pub give_backs: u64,
    pub not_at_rest: Option<String>,
    pub broken: Vec<String>,
    pub receipts: Receipts,
}

#[derive(Deserialize)]
pub struct Receipts {
    pub paid: Kind,
    pub lost: Kind,
    pub returned: Kind,
    pub other_amount: Kind,
    pub charged: Kind,
    pub broken_off: BrokenOff,
    pub debits_without_receipt: Standing,
}

/// Answers that came to no end, by whether their debits stand.
#[derive(Deserialize)]
pub struct BrokenOff {
    pub paid: Kind,
}

#[derive(Deserialize)]
pub struct Kind {
    pub answers: u64,
    pub credits: u64,
    #[serde(default)]
    pub ops: Vec<String>,
}

#[derive(Deserialize)]
pub struct Standing {
    pub debits: u64,
}

/// Waits until gateways owe nothing, and asks book and journals, again until nothing more is due (`all_done`) or the time is over.
pub fn ask(house: &mut House, replies: &[Reply], all_done: impl Fn(&Book, &Report) -> bool) -> Result<(Book, Report)> {
    house.wait_ready()?;
    let owed = || OWED.iter().map(|name| (*name, house.gateway_metric(name))).collect::<Vec<_>>();
    let settled = || owed().iter().all(|(_, count)| *count == Some(0)) || interrupt::requested();
    if !process::wait_until(SETTLE_LIMIT, settled) {
        println!("  gateways still owe after {} s: {:?}", SETTLE_LIMIT.as_secs(), owed());
    }
    let file = write_receipts(house, replies)?;
    let deadline = Instant::now() + LATE_LIMIT;
    loop {
        interrupt::check()?;
        // The report first: what it names when nothing more can come, the book must lack.
        let report = report::ask(&house.desk())?;
        let book = compare(house, &file)?;
        if all_done(&book, &report) || Instant::now() >= deadline {
            return Ok((book, report));
        }
        thread::sleep(PAUSE);
    }
}

fn write_receipts(house: &House, replies: &[Reply]) -> Result<PathBuf> {
    let mut text = String::new();
    for receipt in replies.iter().filter_map(Reply::receipt) {
        let _ = write!(text, "{receipt}"); // a String takes all
    }
    let file = house.layout.run().join("receipts");
    files::write_private(&file, &text)?;
    Ok(file)
}

fn compare(house: &House, receipts: &Path) -> Result<Book> {
    let path = receipts.to_str().context("the path of the receipts")?;
    let (code, said) = house.desk().ask(&["audit", "--receipts", path, "--wait", WAIT])?;
    interrupt::check()?;
    ensure!(matches!(code, Some(0 | UNTRUE | 69)) && said["receipts"].is_object(), "tollgate audit failed: {said}");
    serde_json::from_value(said).context("reading what tollgate audit says")
}

/// Replies by op, as the audit names ops.
pub fn by_op(replies: &[Reply]) -> BTreeMap<String, &Reply> {
    replies.iter().filter_map(|reply| Some((reply.op()?, reply))).collect()
}
