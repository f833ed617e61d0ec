//! What the histories have met: a rule that none of them meets is not tested.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Mutex;

/// How often each answer came.
#[derive(Default)]
pub struct Seen(Mutex<BTreeMap<String, u64>>);

/// Every answer that the rules know and a history can lead to.
const ALL: [&str; 44] = [
    "debit Drawn",
    "debit over several lots",
    "debits alike",
    "debits alike, the last refused",
    "debit Status",
    "debit KeyRevoked",
    "debit Repeated",
    "debit KeyCapExhausted",
    "debit BudgetExhausted",
    "debit CreditsExhausted",
    "debit Frozen",
    "debit TooLate",
    "debit Closed",
    "debit without memory",
    "give-back returned",
    "give-back lapsed",
    "give-back AlreadyClosed",
    "give-back BecameUndo",
    "give-back Deferred",
    "give-back without memory",
    "settle Settled",
    "settle of nothing",
    "settle AlreadyClosed",
    "settle BecameUndo",
    "settle Deferred",
    "confirm Confirmed",
    "confirm Extended",
    "confirm AlreadyClosed",
    "confirm without memory",
    "confirm while frozen",
    "confirm whose mark was gone",
    "an outcome confirmed",
    "an outcome unconfirmed",
    "a hold released",
    "an old mark forgotten",
    "undo Marked",
    "undo AlreadyClosed",
    "undo Deferred",
    "control Applied",
    "control Already",
    "control Gap",
    "control NeedsInstall",
    "control Frozen",
    "an undo settled by an install",
];

impl Seen {
    pub fn note(&self, what: &str, answer: &impl Debug) {
        let answer = format!("{answer:?}");
        let words: Vec<&str> = answer.split(|letter: char| !letter.is_alphanumeric()).collect();
        let word = if words[0] == "Refused" { words[1] } else { words[0] };
        self.met(&format!("{what} {word}"));
    }

    pub fn met(&self, what: &str) {
        *self.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    pub fn assert_all(&self) {
        let seen = self.0.lock().unwrap();
        let missed: Vec<_> = ALL.into_iter().filter(|what| !seen.contains_key(*what)).collect();
        assert!(missed.is_empty(), "no history met {missed:?}");
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &*self.0.lock().unwrap() {
            write!(formatter, "{what} {times}, ")?;
        }
        Ok(())
    }
}
