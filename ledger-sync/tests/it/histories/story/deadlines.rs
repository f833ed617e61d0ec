//! Debits with a deadline: what gateways say of them, and what the book makes of it.

use metering::live::{Confirm, ConfirmOutcome, Progress};
use metering::{Ended, RequestOutcome};
use proptest::sample::Index;

use super::{Story, pick};

impl Story<'_> {
    pub(super) async fn confirm(&mut self, items: &[(Index, Option<u64>)]) {
        let mut asks = Vec::new();
        for (debit, goes_on_ms) in items {
            let Some(known) = pick(*debit, &self.debits) else { return };
            let outcome = RequestOutcome {
                upstream_status: Some(200),
                answer_bytes: self.model.sequence,
                duration_ms: known.ask.credits.get(),
                ended: Ended::Complete,
            };
            let progress = match goes_on_ms {
                Some(ms) => Progress::GoesOn { hold_until: self.world.now.plus_ms(*ms) },
                None => Progress::Over { credits: known.ask.credits, outcome },
            };
            asks.push(Confirm { debit_op: known.ask.op, account: known.ask.account, progress });
        }
        let mut after = self.model.clone();
        let expected = after.confirm(&asks);
        let answer = self.world.meter.confirm(self.world.fence.shard, &asks).await;
        if !self.goes_through("confirm", &after, &answer) {
            return;
        }
        assert_eq!(answer.unwrap(), expected, "{asks:?}");
        for (ask, outcome) in asks.iter().zip(&expected) {
            self.seen.note("confirm", outcome);
            let account = &self.model.accounts[&ask.account];
            let was_open = account.open.contains_key(&ask.debit_op);
            if *outcome == ConfirmOutcome::Confirmed && !was_open && account.ended.contains_key(&ask.debit_op) {
                self.seen.met("confirm whose mark was gone");
            }
            if *outcome != ConfirmOutcome::AlreadyClosed && account.frozen {
                self.seen.met("confirm while frozen");
            }
        }
        self.model = after;
    }

    /// The book says how each request ended, and of no other that it did.
    pub(super) async fn outcomes_agree(&self) {
        for (id, account) in &self.model.accounts {
            for known in self.debits.iter().filter(|known| known.ask.account == *id) {
                let in_book = self.world.book.outcome(*id, known.ask.op).await.unwrap();
                let in_model = account.outcomes.get(&known.ask.op).copied();
                assert_eq!(in_book.map(|outcome| outcome.confirmed), in_model, "how {} ended", known.ask.op);
                match in_model {
                    Some(None) => self.seen.met("an outcome unconfirmed"),
                    Some(Some(_)) => self.seen.met("an outcome confirmed"),
                    None => {}
                }
            }
        }
    }
}
