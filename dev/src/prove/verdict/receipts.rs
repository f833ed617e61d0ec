//! What callers were told, and what gateways have written down, against the book.

use std::collections::BTreeSet;

use super::super::audit::{Book, LATE_LIMIT, by_op};
use super::super::calls::Reply;
use super::super::faults::Done;
use super::super::losses::{confirmation_lost, explain, give_back_lost, left_open, passes_bound};
use super::super::report::Report;
use super::super::settings::{CONFIRM_MS, EXPOSURE};
use super::super::witness::compare;
use super::{TO_AUDIT, TO_LOGS, TO_OPS, Verdict, grouped};

const TO_LOSSES: &str = "ask `tollgate losses --account` of its account, and look for the op in the file of receipts and in the logs of its gateway";

impl Verdict {
    pub(super) fn receipts(&mut self, book: &Book, replies: &[Reply], faults: &[Done]) {
        let known = by_op(replies);
        let of = |ops: &[String]| ops.iter().filter_map(|op| known.get(op.as_str()).copied()).collect::<Vec<_>>();
        let receipts = &book.receipts;
        let served =
            receipts.paid.answers + receipts.lost.answers + receipts.returned.answers + receipts.other_amount.answers;
        self.line("served", &grouped(served), "");
        self.line(
            "= debits that stand",
            &grouped(receipts.paid.answers),
            &format!("{} credits", grouped(receipts.paid.credits)),
        );
        self.lost(book, &of(&receipts.lost.ops), faults);
        let returned = of(&receipts.returned.ops);
        let note = if returned.is_empty() { "" } else { "confirm = true: the word that they were over was lost" };
        self.line("+ served, given back", &grouped(receipts.returned.answers), note);
        let charged = of(&receipts.charged.ops);
        let note = if charged.is_empty() { "" } else { "only their gateway knew, and it was killed" };
        self.line("charged, not served", &grouped(receipts.charged.answers), note);
        self.named(
            &without(&returned, |reply| confirmation_lost(reply, faults)),
            "served calls were given back all the same",
        );
        self.named(&of(&receipts.other_amount.ops), "served calls cost something else than their callers were told");
        self.named(
            &without(&charged, |reply| give_back_lost(reply, faults)),
            "calls were told that they cost nothing, and were charged",
        );
        self.left_open(book, replies, faults);
        self.silent(book, replies);
    }

    /// Served and not charged: which fault took it, and whether it may have taken so much.
    fn lost(&mut self, book: &Book, missing: &[&Reply], faults: &[Done]) {
        let lost = &book.receipts.lost;
        let (losses, unexplained) = explain(missing, faults);
        let bound = if faults.iter().any(|done| done.fault.loses_tail()) {
            format!(
                "bound a shard: {} events, {} credits, {} s",
                grouped(EXPOSURE.events),
                grouped(EXPOSURE.credits),
                EXPOSURE.age_ms / 1000
            )
        } else {
            "nothing happened that may lose any".to_owned()
        };
        let bound = format!("{} credits; {bound}", grouped(lost.credits));
        self.line("+ lost, not charged", &grouped(lost.answers), &bound);
        for loss in &losses {
            let note = format!("{:.2} s before: {}", loss.age.as_secs_f64(), loss.done.fault);
            self.line("    of these", &grouped(loss.answers), &note);
            if let Some(what) = passes_bound(loss) {
                self.fail(what, "compare the exposure caps in .dev/prove/run/ledger-sync-1.toml with debit.lua");
            }
        }
        let named = u64::try_from(lost.ops.len()).unwrap_or(0);
        self.demand(named == lost.answers, "more was lost than can be named", TO_OPS);
        self.named(&unexplained, "served calls are not in the book, and no fault explains it");
    }

    /// What killed gateways had drawn on the route whose debits are confirmed, and could not finish.
    fn left_open(&mut self, book: &Book, replies: &[Reply], faults: &[Done]) {
        let open: Vec<&Reply> = replies.iter().filter(|reply| left_open(reply, faults)).collect();
        let stand: BTreeSet<&str> = book.receipts.broken_off.paid.ops.iter().map(String::as_str).collect();
        let standing: Vec<&Reply> =
            open.iter().copied().filter(|reply| reply.op().is_some_and(|op| stand.contains(op.as_str()))).collect();
        let back = open.len() - standing.len();
        let note = format!("confirm = true: {back} of them given back once {} s were over", CONFIRM_MS / 1000);
        self.line("open when their gateway died", &grouped(u64::try_from(open.len()).unwrap_or(u64::MAX)), &note);
        self.named(&standing, "calls whose gateway was killed stay drawn, though nobody has confirmed them");
    }

    /// Connections that broke before an answer began: each may have drawn once, and nobody else may have.
    fn silent(&mut self, book: &Book, replies: &[Reply]) {
        let silent = silent(replies);
        let drew = book.receipts.debits_without_receipt.debits;
        self.line("broke without an answer", &grouped(silent), &format!("{} of them drew", grouped(drew)));
        self.demand(
            drew <= silent,
            format!("{drew} debits belong to nobody's answer, but only {silent} calls broke without one"),
            TO_AUDIT,
        );
    }

    /// What was lost, as the journals have it: exactly what callers got and the book lacks, and what only they can know.
    pub(super) fn witnessed(&mut self, book: &Book, report: &Report, replies: &[Reply]) {
        let known = by_op(replies);
        let missing: Vec<&Reply> =
            book.receipts.lost.ops.iter().filter_map(|op| known.get(op.as_str()).copied()).collect();
        let booked = book.receipts.broken_off.paid.ops.iter().map(String::as_str).collect();
        let found = compare(report, &missing, &known, &booked);
        let credits = |credits: u64| format!("{} credits", grouped(credits));
        let standing = match (&report.not_final, &report.not_exact) {
            (Some(why), _) => format!("not final: {why}"),
            (None, Some(why)) => format!("final, not exact: {why}"),
            (None, None) => "exact".to_owned(),
        };
        let total = format!("{}; {standing}", credits(report.credits));
        self.line("tollgate losses", &grouped(report.debits), &total);
        let served = format!("{}: each of those above", credits(found.served.credits));
        self.line("= served, not charged", &grouped(found.served.debits), &served);
        let nothing = format!("{}: their give-backs were lost with them", credits(found.nothing.credits));
        self.line("+ failed, not charged", &grouped(found.nothing.debits), &nothing);
        let unheard = format!("{}: their callers heard no end", credits(found.unheard.credits));
        self.line("+ broken off", &grouped(found.unheard.debits), &unheard);
        for wrong in &found.wrong {
            self.fail(format!("journals and callers differ: {wrong}"), TO_LOSSES);
        }
        let silent = silent(replies);
        self.demand(
            found.unknown <= silent,
            format!(
                "{} lost debits belong to nobody's answer, but only {silent} calls broke without one",
                found.unknown
            ),
            TO_LOSSES,
        );
        if let Some(why) = &report.not_final {
            let waited = LATE_LIMIT.as_secs();
            self.fail(format!("after {waited} s the loss report is not final: {why}"), TO_LOGS);
        }
        if let Some(why) = &report.not_exact {
            self.fail(format!("the loss report is not exact: {why}"), TO_LOGS);
        }
    }
}

/// Those that have no excuse.
fn without<'a>(replies: &[&'a Reply], excuse: impl Fn(&Reply) -> bool) -> Vec<&'a Reply> {
    replies.iter().copied().filter(|reply| !excuse(reply)).collect()
}

fn silent(replies: &[Reply]) -> u64 {
    let silent = replies.iter().filter(|reply| reply.op.is_none() && reply.sent).count();
    u64::try_from(silent).unwrap_or(u64::MAX)
}

/// Whether nothing more can come of which the verdict would be another.
pub fn all_done(book: &Book, report: &Report, replies: &[Reply], faults: &[Done]) -> bool {
    let known = by_op(replies);
    let booked = &book.receipts.broken_off.paid.ops;
    let open = |op: &String| known.get(op.as_str()).is_some_and(|reply| left_open(reply, faults));
    let unnamed = |op: &String| !report.named.contains_key(op);
    let receipts = &book.receipts;
    report.not_final.is_none()
        && receipts.charged.answers == 0
        && !booked.iter().any(open)
        && !receipts.lost.ops.iter().any(unnamed)
}
