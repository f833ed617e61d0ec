//! A file of receipts: what callers were told, one answer a line, compared with what the book has of each.
//!
//! A line is `OP STATUS CREDITS`, or `OP STATUS CREDITS broken` where the answer did not come to its end: the caller can't know then.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ledger::{Ledger, OpSum, Standing, Window};
use metering::OpId;
use serde_json::{Value, json};

use super::number;
use crate::failure::Failure;

const LINE_BYTES_MAX: u64 = 200;
/// Sixteen bytes are kept of each, to find one that is there twice.
const LINES_MAX: usize = 20_000_000;
const OPS_A_PAGE: usize = 2_000;
/// Of each kind of misfit so many are named, and all are counted.
const NAMED_MAX: usize = 10_000;

/// What one caller was told.
struct Receipt {
    op: OpId,
    credits: u64,
    broken: bool,
}

pub struct Receipts {
    path: PathBuf,
    reader: BufReader<File>,
    line: usize,
    seen: HashSet<OpId>,
}

/// Answers of one kind.
#[derive(Default)]
pub struct Kind {
    pub answers: u64,
    pub credits: u128,
    ops: Vec<OpId>,
}

/// What comparing found.
#[derive(Default)]
pub struct Told {
    /// Told that it cost something, and so it stands in the book.
    pub paid: Kind,
    /// Told that it cost something; the book has no debit of it.
    pub lost: Kind,
    /// Told that it cost something; the book has the debit, and gave all of it back.
    pub returned: Kind,
    /// Told that it cost something; something else stands in the book.
    pub other: Kind,
    /// Told that it cost nothing, and nothing stands in the book.
    pub free: Kind,
    /// Told that it cost nothing; something stands in the book.
    pub charged: Kind,
    /// The answer broke off: nothing stands in the book.
    pub broken_free: Kind,
    /// The answer broke off: this stands in the book.
    pub broken_paid: Kind,
    /// Debits that stand in the book, of the time asked for, among all of these.
    known: Standing,
}

impl Receipts {
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), line: 0, seen: HashSet::new() })
    }

    /// Reads to the end, a page at a time, and asks the book about each.
    pub async fn compare(mut self, book: &Ledger, window: Window) -> Result<Told, Failure> {
        let mut told = Told::default();
        loop {
            let page = self.page()?;
            if page.is_empty() {
                return Ok(told);
            }
            let ops: Vec<OpId> = page.iter().map(|receipt| receipt.op).collect();
            let sums: BTreeMap<OpId, OpSum> =
                book.op_sums(&ops, window).await?.into_iter().map(|sum| (sum.op, sum)).collect();
            for receipt in page {
                told.add(&receipt, sums.get(&receipt.op));
            }
        }
    }

    fn page(&mut self) -> Result<Vec<Receipt>, Failure> {
        let mut page = Vec::new();
        while page.len() < OPS_A_PAGE {
            let mut text = String::new();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut text);
            if read.map_err(|error| unreadable(&self.path, &error))? == 0 {
                break;
            }
            self.line += 1;
            let receipt = Receipt::read(text.trim_end()).ok_or_else(|| {
                self.refused("is not OP STATUS CREDITS, with the word broken behind where the answer broke off")
            })?;
            if !self.seen.insert(receipt.op) {
                return Err(self.refused("names an op that stood there before"));
            }
            if self.line > LINES_MAX {
                return Err(self.refused(&format!("is one more than {LINES_MAX}; audit the file in parts")));
            }
            page.push(receipt);
        }
        Ok(page)
    }

    fn refused(&self, why: &str) -> Failure {
        let message = format!("line {} of {} {why}", self.line, self.path.display());
        Failure { code: "invalid", message, cause: None, exit: config::EXIT_CODE }
    }
}

impl Receipt {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        // Answers write an id with hyphens, the command without.
        let op = OpId::from_hex(&words.next()?.replace('-', "")).ok()?;
        let _status: u16 = words.next()?.parse().ok()?;
        let credits = words.next()?.parse().ok()?;
        let broken = match words.next() {
            None => false,
            Some("broken") => true,
            Some(_) => return None,
        };
        words.next().is_none().then_some(Self { op, credits, broken })
    }
}

impl Kind {
    fn add(&mut self, op: OpId, credits: u64) {
        self.answers += 1;
        self.credits += u128::from(credits);
        if self.ops.len() < NAMED_MAX {
            self.ops.push(op);
        }
    }

    fn json(&self) -> Value {
        json!({ "answers": self.answers, "credits": number(self.credits) })
    }

    fn json_with_ops(&self) -> Value {
        let ops: Vec<String> = self.ops.iter().map(OpId::hex).collect();
        json!({ "answers": self.answers, "credits": number(self.credits), "ops": ops })
    }
}

impl Told {
    fn add(&mut self, receipt: &Receipt, sum: Option<&OpSum>) {
        let stands = sum.map_or(0, |sum| sum.drawn.saturating_sub(sum.given_back));
        if stands > 0 && sum.is_some_and(|sum| sum.in_time) {
            self.known.debits += 1;
            self.known.credits += stands;
        }
        let (kind, credits) = match (receipt.broken, receipt.credits, sum) {
            (true, _, _) if stands > 0 => (&mut self.broken_paid, stands),
            (true, _, _) => (&mut self.broken_free, 0),
            (false, 0, _) if stands > 0 => (&mut self.charged, stands),
            (false, 0, _) => (&mut self.free, 0),
            (false, told, None) => (&mut self.lost, told),
            (false, told, Some(_)) if told == stands => (&mut self.paid, told),
            (false, told, Some(_)) if stands == 0 => (&mut self.returned, told),
            (false, told, Some(_)) => (&mut self.other, told),
        };
        kind.add(receipt.op, credits);
    }

    /// Debits that stand in the book and have no receipt.
    pub fn without_receipt(&self, standing: Standing) -> Standing {
        Standing {
            debits: standing.debits.saturating_sub(self.known.debits),
            credits: standing.credits.saturating_sub(self.known.credits),
        }
    }

    pub fn broken(&self) -> Vec<String> {
        let complain = |kind: &Kind, what: &str| {
            let example = kind.ops.first().map(OpId::hex).unwrap_or_default();
            (kind.answers > 0)
                .then(|| format!("{} answers {what} ({} credits), such as {example}", kind.answers, kind.credits))
        };
        [
            complain(&self.lost, "said a cost that the book does not have"),
            complain(&self.returned, "said a cost that the book has given back"),
            complain(&self.other, "said another cost than the book has"),
            complain(&self.charged, "said that they cost nothing, and the book has drawn all the same"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub fn json(&self, standing: Standing) -> Value {
        let unknown = self.without_receipt(standing);
        json!({
            "paid": self.paid.json(), "free": self.free.json(),
            "broken_off": { "paid": self.broken_paid.json_with_ops(), "free": self.broken_free.json() },
            "lost": self.lost.json_with_ops(), "returned": self.returned.json_with_ops(),
            "other_amount": self.other.json_with_ops(), "charged": self.charged.json_with_ops(),
            "debits_without_receipt": { "debits": unknown.debits, "credits": unknown.credits },
        })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("the receipts in {} can't be read", path.display());
    Failure { code: "invalid", message, cause: Some(error.to_string()), exit: config::EXIT_CODE }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OP: &str = "01a207da-9ea2-723b-819e-39d3c2378e21";

    fn told(line: &str, sum: Option<(u64, u64)>) -> Told {
        let receipt = Receipt::read(line).unwrap();
        let sum = sum.map(|(drawn, given_back)| OpSum { op: receipt.op, drawn, given_back, in_time: true });
        let mut told = Told::default();
        told.add(&receipt, sum.as_ref());
        told
    }

    #[test]
    fn what_was_told_is_what_must_stand() {
        for (line, sum) in [
            ("200 3", Some((3, 0))),
            ("200 3", Some((10, 7))),
            ("503 0", Some((3, 3))),
            ("402 0", None),
            ("200 3 broken", Some((3, 0))),
            ("0 0 broken", Some((3, 0))),
            ("200 3 broken", None),
        ] {
            assert!(told(&format!("{OP} {line}"), sum).broken().is_empty(), "{line} {sum:?}");
        }
        for (line, sum, word) in [
            ("200 3", None, "does not have"),
            ("200 3", Some((3, 3)), "given back"),
            ("200 3", Some((3, 1)), "another cost"),
            ("503 0", Some((3, 0)), "drawn all the same"),
        ] {
            let found = told(&format!("{OP} {line}"), sum).broken();
            assert!(found.len() == 1 && found[0].contains(word), "{line} {sum:?}: {found:?}");
        }
    }

    #[test]
    fn a_line_that_is_none_is_refused() {
        for line in ["", OP, "x 200 1", &format!("{OP} 200"), &format!("{OP} 200 -1"), &format!("{OP} 200 1 cut")] {
            assert!(Receipt::read(line).is_none(), "{line}");
        }
        assert!(Receipt::read(&format!("{OP} 200 1 broken")).is_some_and(|receipt| receipt.broken));
    }

    #[test]
    fn debits_of_nobody_are_those_that_stand_and_have_no_receipt() {
        let told = told(&format!("{OP} 200 3"), Some((3, 0)));
        let without = told.without_receipt(Standing { debits: 4, credits: 10 });
        assert_eq!(without, Standing { debits: 3, credits: 7 });
    }
}
