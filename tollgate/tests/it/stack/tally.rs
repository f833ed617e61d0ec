//! What many calls were answered, and whether the book agrees with it.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use super::{Answer, Customer, Stack, Totals};

/// One call's end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `200`, `402 credits_exhausted`, …; `broken` when the connection ended without an answer.
    pub what: String,
    /// The request's id, where there was an answer.
    pub op: Option<String>,
    pub retry_after: Option<u64>,
    pub at: Instant,
}

impl Reply {
    pub fn of(answer: Result<&Answer, &reqwest::Error>) -> Self {
        let broken = Self { what: "broken".to_owned(), op: None, retry_after: None, at: Instant::now() };
        let Ok(answer) = answer else { return broken };
        let ours = answer.header("content-type") == Some("application/problem+json");
        let what = if ours { answer.problem() } else { answer.status.to_string() };
        let op = Some(answer.op().to_owned());
        if answer.whole { Self { what, op, retry_after: answer.number("retry-after"), ..broken } } else { broken }
    }

    fn is_served(&self) -> bool {
        self.what == "200"
    }
}

/// All calls of a test.
#[derive(Debug, Default)]
pub struct Tally {
    pub replies: Vec<Reply>,
}

impl Tally {
    pub fn count(&self, what: &str) -> usize {
        self.replies.iter().filter(|reply| reply.what == what).count()
    }

    pub fn served(&self) -> usize {
        self.count("200")
    }

    /// How many of each.
    pub fn by_answer(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for reply in &self.replies {
            *counts.entry(reply.what.as_str()).or_insert(0) += 1;
        }
        counts
    }

    /// Nothing but these answers came.
    pub fn assert_only(&self, allowed: &[&str]) {
        let odd = self.replies.iter().find(|reply| !allowed.contains(&reply.what.as_str()));
        assert!(odd.is_none(), "only {allowed:?} was to be answered: {:?}, as {odd:?}", self.by_answer());
    }

    /// Who was turned away for a moment was told when to come again.
    pub fn assert_retry_after(&self) {
        for reply in self.replies.iter().filter(|reply| reply.what.starts_with("503")) {
            assert_eq!(reply.retry_after, Some(1), "{reply:?}");
        }
    }

    pub fn served_ops(&self) -> Vec<&str> {
        self.replies.iter().filter(|reply| reply.is_served()).filter_map(|reply| reply.op.as_deref()).collect()
    }
}

impl Stack {
    /// Audits, then: each call that was served has its one debit in the book, no other call has any, save those whose caller
    /// never learned how they ended.
    pub async fn audit_calls(&self, tally: &Tally) -> Totals {
        let totals = self.audit().await;
        let lost = self.served_without_debit(tally).await;
        assert!(lost.is_empty(), "{} served calls have no debit in the book: {lost:?}", lost.len());
        self.assert_nobody_else_paid(tally, totals).await;
        totals
    }

    /// The same for the calls of one customer among several: `debits` of this one stand in the book.
    pub async fn audit_calls_of(&self, customer: &Customer, tally: &Tally, debits: i64) {
        self.audit().await;
        let lost = self.served_without_debit(tally).await;
        assert!(lost.is_empty(), "{} served calls have no debit in the book: {lost:?}", lost.len());
        let sql = format!(
            "SELECT count(*) FROM entries WHERE kind = 'debit' AND account_id = '{}'",
            customer.account.as_uuid()
        );
        assert_eq!(self.book.number(&sql).await, debits);
    }

    /// Served calls that the book has no debit of.
    pub async fn served_without_debit(&self, tally: &Tally) -> Vec<Reply> {
        let served = tally.served_ops();
        assert_eq!(served.iter().collect::<HashSet<_>>().len(), served.len(), "each call has a receipt of its own");
        let paid = self.paid_of(&served).await;
        let lost = tally.replies.iter().filter(|reply| reply.is_served());
        lost.filter(|reply| !paid.contains(reply.op.as_deref().unwrap())).cloned().collect()
    }

    /// No refused call has paid, and no more debits stand than calls were served or broke off.
    pub async fn assert_nobody_else_paid(&self, tally: &Tally, totals: Totals) {
        let paid = self.refused_with_debit(tally).await;
        assert!(paid.is_empty(), "{} refused calls have paid: {paid:?}", paid.len());
        let most = tally.served() + tally.count("broken");
        assert!(
            totals.standing() <= most,
            "{totals:?} stand in the book, but only {most} calls can have drawn: {:?}",
            tally.by_answer()
        );
    }

    /// Refused calls that have paid all the same.
    pub async fn refused_with_debit(&self, tally: &Tally) -> HashSet<String> {
        let refused = tally.replies.iter().filter(|reply| !reply.is_served());
        self.paid_of(&refused.filter_map(|reply| reply.op.as_deref()).collect::<Vec<_>>()).await
    }

    /// Those of the ops that have a debit which was not given back.
    async fn paid_of(&self, ops: &[&str]) -> HashSet<String> {
        let sql = format!(
            "SELECT coalesce(string_agg(op::text, ','), '') FROM entries AS debit WHERE kind = 'debit' AND op = ANY ('{{{}}}'::uuid[]) \
             AND NOT EXISTS (SELECT FROM entries WHERE kind = 'give_back' AND debit_op = debit.op)",
            ops.join(",")
        );
        self.book.text(&sql).await.split(',').filter(|op| !op.is_empty()).map(str::to_owned).collect()
    }
}
