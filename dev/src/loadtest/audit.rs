//! The audit after a run: what every caller was told, held against the book and against live state by `tollgate audit`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::layout::Layout;
use crate::report::Report;
use crate::{ctl, http, interrupt, ports, process, words};

/// How long the gateway gets to give back what it owes.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);
const OWED: [&str; 2] = ["tollgate_gateway_requests_in_flight", "tollgate_gateway_restitutions_open"];
/// How long the audit waits until nothing is under way.
const WAIT: &str = "120s";

/// What `tollgate audit` says.
#[derive(Deserialize, Serialize)]
pub struct Book {
    pub debits: u64,
    pub give_backs: u64,
    pub left: u64,
    pub left_live: u64,
    pub drift: u64,
    pub at_rest: bool,
    pub standing: Standing,
    pub receipts: Receipts,
    pub broken: Vec<String>,
}

/// Debits that stay drawn.
#[derive(Deserialize, Serialize)]
pub struct Standing {
    pub debits: u64,
    pub credits: u64,
}

#[derive(Deserialize, Serialize)]
pub struct Receipts {
    pub paid: Kind,
    pub free: Kind,
    pub lost: Kind,
    pub returned: Kind,
    pub other_amount: Kind,
    pub charged: Kind,
    pub broken_off: BrokenOff,
    pub debits_without_receipt: Standing,
}

#[derive(Deserialize, Serialize)]
pub struct BrokenOff {
    pub paid: Kind,
    pub free: Kind,
}

#[derive(Deserialize, Serialize)]
pub struct Kind {
    pub answers: u64,
    pub credits: u64,
}

/// Served answers among the receipts, as this side counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub answers: u64,
    pub credits: u64,
}

pub struct Auditor<'a> {
    pub layout: &'a Layout,
    pub standing: &'a Report,
    pub release: bool,
}

impl Auditor<'_> {
    /// Waits until the gateway owes nothing, and asks the book about all since `since`; about these accounts alone where some are named.
    pub fn ask(&self, receipts: &Path, since: &str, accounts: &[String]) -> Result<Book> {
        words::step("the audit, once nothing is under way");
        let admin = ports::of(&self.standing.gateway_admin)?;
        let settled = || OWED.iter().all(|name| http::metric_told(admin, name) == Some(0)) || interrupt::requested();
        if !process::wait_until(SETTLE_LIMIT, settled) {
            words::note(&format!("the gateway still owes after {} s", SETTLE_LIMIT.as_secs()));
        }
        interrupt::check()?;
        let mut command = ctl::command(self.layout, self.release);
        command.args([
            "--json",
            "--actor",
            "cargo dev loadtest",
            "audit",
            "--wait",
            WAIT,
            "--since",
            since,
            "--receipts",
        ]);
        command.arg(receipts).args(accounts.iter().flat_map(|account| ["--account", account]));
        let output = command.output().context("running tollgate")?;
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(said["receipts"].is_object(), "tollgate audit failed ({}): {}", output.status, complaint.trim());
        serde_json::from_value(said).context("reading what tollgate audit says")
    }
}

impl Book {
    /// What does not hold, in words. `broken` calls may have drawn without their callers hearing of it.
    pub fn complaints(&self, told: Told, broken: u64) -> Vec<String> {
        let mut found: Vec<String> = self.broken.clone();
        let receipts = &self.receipts;
        for (kind, what) in [
            (&receipts.lost, "were told a cost that the book does not have"),
            (&receipts.returned, "were told a cost that was given back"),
            (&receipts.other_amount, "were told another cost than the book has"),
            (&receipts.charged, "were told that they cost nothing, and have drawn"),
        ] {
            if kind.answers > 0 {
                found.push(format!("{} answers ({} credits) {what}", kind.answers, kind.credits));
            }
        }
        if self.drift > 0 || self.left != self.left_live || !self.at_rest {
            found.push(format!("book {} and live state {} differ, drift {}", self.left, self.left_live, self.drift));
        }
        if (receipts.paid.answers, receipts.paid.credits) != (told.answers, told.credits) {
            let Kind { answers, credits } = receipts.paid;
            found.push(format!("{told:?} was told, and {answers} answers, {credits} credits stand in the book"));
        }
        let unheard = receipts.broken_off.paid.answers + receipts.debits_without_receipt.debits;
        if unheard > broken {
            found.push(format!("{unheard} debits have no whole answer, and {broken} calls came to no end"));
        }
        if self.standing.debits != told.answers + unheard {
            let stands = self.standing.debits;
            found.push(format!(
                "{stands} debits stand; {} answers and {unheard} without one make another sum",
                told.answers
            ));
        }
        found
    }
}

impl Told {
    /// Reads a file of receipts.
    pub fn of(receipts: &Path) -> Result<Told> {
        let text = fs::read_to_string(receipts).with_context(|| format!("reading {}", receipts.display()))?;
        Ok(text.lines().fold(Told::default(), Told::and))
    }

    fn and(self, line: &str) -> Told {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, status, credits] = words[..] else { return self };
        let credits: u64 = credits.parse().unwrap_or(0);
        let served = status.starts_with('2') && credits > 0;
        if served { Told { answers: self.answers + 1, credits: self.credits + credits } } else { self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn book(change: impl FnOnce(&mut Value)) -> Book {
        let none = json!({ "answers": 0, "credits": 0 });
        let mut said = json!({
            "debits": 10, "give_backs": 0, "left": 90, "left_live": 90, "drift": 0, "at_rest": true, "broken": [],
            "standing": { "debits": 10, "credits": 10 },
            "receipts": {
                "paid": { "answers": 10, "credits": 10 }, "free": none, "lost": none, "returned": none, "other_amount": none,
                "charged": none, "broken_off": { "paid": none, "free": none },
                "debits_without_receipt": { "debits": 0, "credits": 0 },
            },
        });
        change(&mut said);
        serde_json::from_value(said).unwrap()
    }

    const TOLD: Told = Told { answers: 10, credits: 10 };

    #[test]
    fn a_book_that_has_what_callers_were_told_holds() {
        assert_eq!(book(|_| ()).complaints(TOLD, 0), Vec::<String>::new());
    }

    #[test]
    fn each_way_to_differ_is_told() {
        let one = json!({ "answers": 1, "credits": 1 });
        for kind in ["lost", "returned", "other_amount", "charged"] {
            assert_eq!(book(|said| said["receipts"][kind] = one.clone()).complaints(TOLD, 0).len(), 1, "{kind}");
        }
        assert_eq!(book(|said| said["drift"] = json!(1)).complaints(TOLD, 0).len(), 1);
        assert_eq!(book(|said| said["left_live"] = json!(91)).complaints(TOLD, 0).len(), 1);
        assert_eq!(book(|said| said["standing"]["debits"] = json!(11)).complaints(TOLD, 0).len(), 1);
        assert_eq!(book(|said| said["broken"] = json!(["a lot is short"])).complaints(TOLD, 0).len(), 1);
        assert_eq!(book(|_| ()).complaints(Told { answers: 9, credits: 9 }, 0).len(), 2);
    }

    #[test]
    fn a_debit_that_nobody_heard_of_needs_a_call_without_an_end() {
        let unheard = || {
            book(|said| {
                said["receipts"]["debits_without_receipt"]["debits"] = json!(1);
                said["standing"]["debits"] = json!(11);
            })
        };
        assert_eq!(unheard().complaints(TOLD, 0).len(), 1);
        assert_eq!(unheard().complaints(TOLD, 1), Vec::<String>::new());
    }

    #[test]
    fn receipts_of_served_calls_that_cost_something_are_counted() {
        let lines = ["a 200 3", "b 200 0", "c 402 0", "d 200 3 broken", "e 503 1", "f 201 4", ""];
        assert_eq!(lines.into_iter().fold(Told::default(), Told::and), Told { answers: 2, credits: 7 });
    }
}
