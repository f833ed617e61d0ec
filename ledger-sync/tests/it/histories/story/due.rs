//! What the owner does without anybody asking.

use std::collections::BTreeSet;

use metering::live::{Undo, UndoOutcome};

use super::{Story, new_op};
use crate::model::DAY;

/// Due holds in a page.
const PAGE: u32 = 100;

impl Story<'_> {
    /// As ledger-sync: what nobody has settled in time is asked to be undone.
    pub(super) async fn release_holds(&mut self) {
        self.drain(false).await;
        let (fence, now) = (self.world.fence, self.world.now);
        let mut all_due = Vec::new();
        loop {
            let page = self.world.book.due_holds(fence, now, all_due.last().copied(), PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            all_due.extend(page);
        }
        all_due.retain(|due| self.accounts.contains(&due.account)); // others are an earlier story's, and stay due
        let open = self.model.accounts.values().flat_map(|account| account.open.iter());
        let expected: BTreeSet<_> = open.filter(|(_, until)| **until <= now).map(|(op, _)| *op).collect();
        assert_eq!(all_due.iter().map(|due| due.op).collect::<BTreeSet<_>>(), expected, "what is due");
        for due in all_due {
            let known = self.debits.iter().find(|known| known.ask.op == due.op).expect("a hold that was drawn");
            assert_eq!(
                due.idempotency,
                known.ask.idempotency.map(|under| under.key).filter(|_| due.idempotency.is_some())
            );
            let (op, account, debit_op, idempotency) = (new_op(), due.account, due.op, due.idempotency);
            let ask = Undo { op, account, debit_op, not_after: due.drawn_at, idempotency };
            let mut after = self.model.clone();
            let expected = after.undo(&ask);
            assert_eq!(self.world.link.release(&self.world.certified, &ask).await.unwrap(), expected);
            if expected == UndoOutcome::Marked {
                self.seen.met("a hold released");
            }
            self.model = after;
        }
    }

    pub(super) async fn forget_marks(&mut self, wait: bool) {
        let marks = self.model.accounts.values().flat_map(|account| account.marks.values());
        if let Some(old) = marks.map(|mark| mark.at.plus_ms(DAY)).min().filter(|_| wait) {
            self.wait_until(old.max(self.world.now));
        }
        self.drain(false).await;
        let (book, fence, now) = (&self.world.book, self.world.fence, self.world.now);
        let old = book.old_idempotency_marks(fence, now, 1_000).await.unwrap();
        self.world.note(0, vec![], old.clone()).await;
        self.world.book.forget_idempotency_marks(fence, now, &old).await.unwrap();
        for (account, key) in old {
            let Some(account) = self.model.accounts.get_mut(&account) else { continue };
            if account.marks.get(&key).is_some_and(|mark| now >= mark.at.plus_ms(DAY)) {
                account.marks.remove(&key);
                self.seen.met("an old mark forgotten");
            }
        }
    }
}
