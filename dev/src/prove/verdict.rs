//! The audit in one table, and whether every line of it holds.

mod receipts;

pub use receipts::all_done;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::audit::Book;
use super::calls::Reply;
use super::customers::Customer;
use super::faults::{Done, RECOVERY_LIMIT};
use super::race;
use super::report::Report;

/// The lines of the table, and what does not hold.
#[derive(Default)]
pub struct Verdict {
    lines: Vec<String>,
    failures: Vec<Failure>,
    /// When the load began.
    began: Option<Instant>,
}

/// What does not hold, in words, and where to look next.
struct Failure {
    what: String,
    next: &'static str,
}

const TO_AUDIT: &str = "run `tollgate audit` and `tollgate verify` on what was kept (see below)";
const TO_OPS: &str = "look for these ops in the file of receipts, in the entries of the book and in the logs";
const TO_LOGS: &str = "read the logs of ledger-sync and the gateways around that time";

impl Verdict {
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }

    pub fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
        for failure in &self.failures {
            println!("\nDOES NOT HOLD: {}\n    next: {}", failure.what, failure.next);
        }
    }

    fn line(&mut self, name: &str, value: &str, note: &str) {
        self.lines.push(format!("  {name:<30}{value:>14}   {note}").trim_end().to_owned());
    }

    fn fail(&mut self, what: impl Into<String>, next: &'static str) {
        self.failures.push(Failure { what: what.into(), next });
    }

    fn demand(&mut self, holds: bool, what: impl Into<String>, next: &'static str) {
        if !holds {
            self.fail(what, next);
        }
    }

    /// The first part: as many answers as there were credits, and everybody else refused.
    pub fn race(replies: &[Reply]) -> Verdict {
        let mut verdict = Verdict::default();
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for reply in replies {
            let what = if reply.whole { reply.status.to_string() } else { "broken".to_owned() };
            *answers.entry(what).or_default() += 1;
        }
        let told: Vec<String> = answers.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        verdict.lines.push(format!("  {}", told.join(", ")));
        let credits = usize::try_from(race::CREDITS).unwrap_or(usize::MAX);
        let expected = [("200".to_owned(), credits), ("402".to_owned(), race::CALLERS - credits)];
        verdict.demand(
            answers == BTreeMap::from(expected),
            format!("{} credits are {credits} x 200 and {} x 402", race::CREDITS, race::CALLERS - credits),
            "503 means that Redis did not answer in 2 s: is the machine busy? More than 100 x 200 is a defect in debit.lua",
        );
        verdict
    }

    pub fn of(book: &Book, report: &Report, replies: &[Reply], faults: &[Done], began: Instant) -> Verdict {
        let mut verdict = Verdict { began: Some(began), ..Verdict::default() };
        verdict.lines.push(format!("\n  {:<30}{:>14}", "the book", "credits"));
        verdict.book(book);
        verdict.lines.push(format!("\n  {:<30}{:>14}", "what callers were told", "answers"));
        verdict.receipts(book, replies, faults);
        verdict.lines.push(format!("\n  {:<30}{:>14}", "what the journals know", "debits"));
        verdict.witnessed(book, report, replies);
        verdict.lines.push("\n  the house".to_owned());
        verdict.recoveries(faults);
        verdict
    }

    fn book(&mut self, book: &Book) {
        self.line("granted", &grouped(book.granted), "");
        let (debits, back) = (grouped(book.debits), grouped(book.give_backs));
        let note = format!("{debits} debits − {back} give-backs");
        self.line("= drawn", &grouped(book.drawn.saturating_sub(book.given_back)), &note);
        let live = if book.left_live == book.left {
            "the same in live state".to_owned()
        } else {
            format!("but {} in live state", grouped(book.left_live))
        };
        self.line("+ left", &grouped(book.left), &live);
        self.line("+ expired", &grouped(book.expired), "");
        self.line("+ clawed back", &grouped(book.clawed_back), "");
        self.line("drift", &grouped(book.drift), "");
        let came = u128::from(book.granted) + u128::from(book.given_back) + u128::from(book.overdraft);
        let went = [book.drawn, book.left, book.expired, book.clawed_back].map(u128::from).iter().sum::<u128>();
        self.demand(came == went, "granted is not drawn + left + expired + clawed back", TO_AUDIT);
        self.demand(book.drift == 0, "book and live state differ", TO_AUDIT);
        self.demand(
            book.left == book.left_live,
            "the lots of live state do not hold what those of the book hold",
            TO_AUDIT,
        );
        self.demand(book.overdraft == 0, "live state drew credits that no lot had", TO_AUDIT);
        for what in &book.broken {
            self.fail(what.clone(), TO_AUDIT);
        }
        if let Some(why) = &book.not_at_rest {
            self.fail(format!("after 90 s something is still under way: {why}"), TO_LOGS);
        }
    }

    fn named(&mut self, replies: &[&Reply], what: &str) {
        if let Some(first) = replies.first() {
            let op = first.op.as_deref().unwrap_or_default();
            let at = self.began.map_or(0.0, |began| first.ended.saturating_duration_since(began).as_secs_f64());
            self.fail(
                format!(
                    "{} {what}, such as {op}: {:?} by gateway-{}, {at:.2} s into the load",
                    replies.len(),
                    first.call.kind,
                    first.call.gateway + 1
                ),
                TO_OPS,
            );
        }
    }

    /// Nobody was answered what no fault can make of an answer.
    pub fn answers(&mut self, replies: &[Reply], customers: &[Customer]) {
        let mut odd: BTreeMap<String, usize> = BTreeMap::new();
        let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
        for reply in replies {
            let rich = customers.get(reply.call.customer).is_some_and(|customer| customer.rich);
            if let Some(what) = reply.odd(rich) {
                *odd.entry(what).or_default() += 1;
            }
            let what = if reply.whole { reply.status.to_string() } else { "broken".to_owned() };
            *statuses.entry(what).or_default() += 1;
        }
        let all: Vec<String> = statuses.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        let slowest = replies.iter().map(Reply::took).max().unwrap_or_default();
        self.line("all answers", &grouped(u64::try_from(replies.len()).unwrap_or(u64::MAX)), &all.join(", "));
        self.line("the slowest took", &format!("{:.1} s", slowest.as_secs_f64()), "");
        for (what, count) in odd {
            self.fail(format!("{count} answers that nobody should get: {what}"), TO_LOGS);
        }
    }

    fn recoveries(&mut self, faults: &[Done]) {
        let slowest = faults.iter().filter_map(|done| done.recovered).max().unwrap_or_default();
        let late: Vec<&Done> = faults.iter().filter(|done| done.recovered.is_none()).collect();
        let note = format!("after {} faults; limit {} s", faults.len(), RECOVERY_LIMIT.as_secs());
        self.line("all served again within", &format!("{:.1} s", slowest.as_secs_f64()), &note);
        for done in late {
            self.fail(
                format!("not everybody was served again within {} s after: {}", RECOVERY_LIMIT.as_secs(), done.fault),
                TO_LOGS,
            );
        }
    }

    /// A run without faults, or without load, proves nothing.
    pub fn demand_something_happened(&mut self, replies: &[Reply], faults: &[Done], time: Duration, rate: u64) {
        let asked = time.as_secs() * rate;
        let served = u64::try_from(replies.iter().filter(|reply| reply.served()).count()).unwrap_or(u64::MAX);
        self.demand(
            served * 4 >= asked,
            format!("only {served} calls were served of about {asked}: that proves little"),
            "is the machine busy? Try a lower --rate, or --release",
        );
        self.demand(
            !faults.is_empty(),
            "no fault happened",
            "let it run longer (--minutes), or more faults come (--every)",
        );
    }
}

/// `1234567` as `1 234 567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
