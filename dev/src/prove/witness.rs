//! What callers lost, held against what the gateways' journals say of it: op by op, to the credit.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Reply;
use super::report::Report;

/// Debits of the report by what their callers were told.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Their callers were served, at that price.
    pub served: Sum,
    /// Their callers were told that they pay nothing, and their give-backs went with them.
    pub nothing: Sum,
    /// Their callers heard no end of the answer, or no answer at all: only the journal knows.
    pub unheard: Sum,
    /// Of these those of which not even the op reached a caller.
    pub unknown: u64,
    /// What does not agree, each in words.
    pub wrong: Vec<String>,
}

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Sum {
    pub debits: u64,
    pub credits: u64,
}

impl Sum {
    fn add(&mut self, credits: u64) {
        self.debits += 1;
        self.credits += credits;
    }
}

/// `missing`: served calls that the book does not have. `known`: every answer, by op. `booked`: ops of broken answers whose debits stand.
pub fn compare(
    report: &Report,
    missing: &[&Reply],
    known: &BTreeMap<String, &Reply>,
    booked: &BTreeSet<&str>,
) -> Witnessed {
    let mut found = Witnessed::default();
    let missing: BTreeSet<String> = missing.iter().filter_map(|reply| reply.op()).collect();
    let unnamed: Vec<&String> = missing.iter().filter(|op| !report.named.contains_key(*op)).collect();
    found.several(unnamed.into_iter(), "were served, are not in the book, and the loss report does not name them");
    for (op, named) in &report.named {
        let credits = named.credits;
        let Some(reply) = known.get(op) else {
            found.unheard.add(credits);
            found.unknown += 1;
            continue;
        };
        let (told, heard, in_book) = (reply.credits, reply.whole, booked.contains(op.as_str()));
        if missing.contains(op) {
            found.served.add(credits);
            let what = format!("its caller was told {told} credits, the loss report says {credits}");
            found.wrong.extend((credits != told).then(|| format!("{op}: {what}")));
        } else if in_book || (heard && told > 0) {
            found.wrong.push(format!("{op}: the loss report calls it lost, and it is in the book"));
        } else if heard {
            found.nothing.add(credits);
            let what = format!("its caller pays nothing, and the loss report counts {credits} credits");
            found.wrong.extend((credits > 0).then(|| format!("{op}: {what}")));
        } else {
            found.unheard.add(credits);
        }
    }
    let named =
        report.named.values().map(|named| named.credits).fold((0, 0), |sum, credits| (sum.0 + 1, sum.1 + credits));
    if named != (report.debits, report.credits) {
        let (debits, credits) = (report.debits, report.credits);
        found.wrong.push(format!(
            "the loss report says {debits} debits of {credits} credits, those that it names are {} of {}",
            named.0, named.1
        ));
    }
    found
}

impl Witnessed {
    fn several<'a>(&mut self, mut ops: impl ExactSizeIterator<Item = &'a String>, what: &str) {
        let count = ops.len();
        if let Some(first) = ops.next() {
            self.wrong.push(format!("{count} calls {what}, such as {first}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::calls::{Call, Kind};
    use super::super::report::Named;
    use super::*;

    fn reply(op: &str, credits: u64, whole: bool) -> Reply {
        let call = Call { kind: Kind::Chat, customer: 0, gateway: 0 };
        let now = Instant::now();
        let op = Some(op.to_owned());
        Reply { call, started: now, ended: now, status: 200, op, credits, whole, sent: true, code: None }
    }

    fn report(named: &[(&str, u64)]) -> Report {
        let credits = named.iter().map(|(_, credits)| credits).sum();
        let debits = u64::try_from(named.len()).unwrap();
        let named = named.iter().map(|(op, credits)| ((*op).to_owned(), Named { credits: *credits })).collect();
        Report { debits, credits, named, ..Report::default() }
    }

    /// The book lacks what `lost` was told, and has what `booked` was not told the end of.
    fn compared(report: &Report, replies: &[Reply], lost: &[&str], booked: &[&str]) -> Witnessed {
        let known: BTreeMap<String, &Reply> = replies.iter().filter_map(|reply| Some((reply.op()?, reply))).collect();
        let missing: Vec<&Reply> = lost.iter().map(|op| known[*op]).collect();
        compare(report, &missing, &known, &booked.iter().copied().collect())
    }

    #[test]
    fn each_debit_of_the_report_is_explained_by_what_its_caller_was_told() {
        let replies = [reply("a", 3, true), reply("b", 0, true), reply("c", 1, false), reply("d", 9, true)];
        let found = compared(&report(&[("a", 3), ("b", 0), ("c", 1), ("x", 2)]), &replies, &["a"], &[]);
        let sum = |debits, credits| Sum { debits, credits };
        let expected =
            Witnessed { served: sum(1, 3), nothing: sum(1, 0), unheard: sum(2, 3), unknown: 1, wrong: Vec::new() };
        assert_eq!(found, expected);
    }

    #[test]
    fn one_credit_or_one_debit_too_few_or_too_many_is_told() {
        let replies = [reply("a", 3, true), reply("b", 0, true), reply("c", 1, false)];
        for (named, lost, booked, word) in [
            (&[][..], &["a"][..], &[][..], "does not name"),
            (&[("a", 2)], &["a"], &[], "told 3 credits"),
            (&[("a", 3)], &[], &[], "in the book"),
            (&[("c", 1)], &[], &["c"], "in the book"),
            (&[("b", 1)], &[], &[], "pays nothing"),
        ] {
            let found = compared(&report(named), &replies, lost, booked);
            assert!(found.wrong.len() == 1 && found.wrong[0].contains(word), "{word}: {found:?}");
        }
        let short = Report { credits: 4, ..report(&[("a", 3)]) };
        assert!(compared(&short, &replies, &["a"], &[]).wrong[0].contains("4 credits"));
    }
}
