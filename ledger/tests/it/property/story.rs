//! One history: an operator, two accounts in live state, and an owner who drains when it likes.

use std::collections::BTreeMap;

use ledger::{Comparison, EntryKind, Grant, Outgoing};
use metering::{AccountId, Body, LotId, OpId, Status, TimeMs};
use uuid::Uuid;

use super::Step;
use super::model::{Drawn, Live};
use crate::actors::{DAY, Operator, Stream, by, credits, period_end, shard_of};

const HOUR_MS: u64 = 3_600_000;
/// How long after being asked an op can still draw.
const OP_LIFE_MS: u64 = 2_000;

struct Member {
    account: AccountId,
    live: Live,
    lots: Vec<LotId>,
    drawn: Vec<Drawn>,
    /// What could be drawn and what was used of the budget at the end of each instant, as far as the book may know of it.
    was: BTreeMap<TimeMs, (u64, u64)>,
}

pub struct Story {
    operator: Operator,
    stream: Stream,
    members: Vec<Member>,
}

impl Story {
    pub async fn begins() -> Self {
        let operator = Operator::arrives().await;
        let first = operator.account(Status::Active).await;
        let second = operator.account_in(shard_of(first)).await;
        let stream = Stream::opens(&operator.db, shard_of(first)).await;
        let member =
            |account| Member { account, live: Live::default(), lots: vec![], drawn: vec![], was: BTreeMap::new() };
        let mut story = Self { operator, stream, members: vec![member(first), member(second)] };
        story.delivers().await;
        story
    }

    pub async fn goes_on(&mut self, step: &Step) {
        match *step {
            Step::Grant { account, credits, days } => self.grants(account, credits, days).await,
            Step::Debit { account, credits } => self.debits(account, credits, OpId::from_uuid(Uuid::now_v7())),
            Step::Repeat { account, debit } => self.repeats(account, debit),
            Step::GiveBack { account, debit } => self.gives_back(account, debit),
            Step::Undo { account, debit } => {
                if let Some(drawn) = self.pick(account, debit) {
                    self.undoes(account, drawn.op, drawn.at);
                }
            }
            Step::UndoUnknown { account } => self.undoes(account, OpId::from_uuid(Uuid::now_v7()), self.stream.at),
            Step::Reduce { account, lot, credits: most } => {
                if let Some(lot) = self.pick_lot(account, lot) {
                    // A lot that is being swept answers `lot_swept`; nothing has happened then.
                    let _ = self.operator.db.ledger.reduce_lot(lot, credits(most), &by(self.stream.at)).await;
                }
            }
            Step::MoveExpiry { account, lot, days } => {
                if let Some(lot) = self.pick_lot(account, lot) {
                    let expiry = self.stream.at.plus_ms(days * DAY);
                    let _ = self.operator.db.ledger.move_lot_expiry(lot, expiry, &by(self.stream.at)).await; // as above
                }
            }
            Step::Sweep => {
                self.operator.db.ledger.expire_due(self.stream.fence, self.stream.at, HOUR_MS, 100).await.unwrap();
            }
            Step::Deliver => self.delivers().await,
            Step::Drain { events } => self.drains(events).await,
            Step::Wait { hours } => self.stream.at = self.stream.at.plus_ms(hours * HOUR_MS),
            Step::Mark { every } => self.operator.db.ledger.mark_lots_every(&self.accounts(), every).await.unwrap(),
            Step::Rebuild { lost } => self.rebuilds(lost).await,
        }
        self.agrees().await;
        let at = self.stream.at;
        for member in &mut self.members {
            member.was.insert(at, (member.live.drawable(at), member.live.used_at(at)));
        }
    }

    /// At any moment live state is the book and the events that are not in it yet.
    async fn agrees(&self) {
        let accounts = self.accounts();
        for balance in self.operator.db.ledger.balances(&accounts).await.unwrap() {
            let member = self.members.iter().find(|member| member.account == balance.account).unwrap();
            let snapshot = member.live.snapshot(member.account, self.stream.seqs[&member.account], self.stream.at);
            let comparison = ledger::compare(&balance, Some(&snapshot), &self.stream.events);
            assert!(matches!(comparison, Comparison::Agrees { .. }), "{comparison:?}");
        }
    }

    async fn grants(&mut self, account: usize, count: u64, days: u64) {
        let at = self.stream.at;
        let expires_at = at.plus_ms(days * DAY);
        let grant =
            Grant { credits: credits(count), product: "p".to_owned(), granted_at: at, expires_at, source: None };
        let member = &mut self.members[account];
        member.lots.push(self.operator.db.ledger.grant_lot(member.account, &grant, &by(at)).await.unwrap());
    }

    fn debits(&mut self, account: usize, price: u64, op: OpId) {
        let (at, incarnation) = (self.stream.at, self.stream.fence.incarnation);
        let member = &mut self.members[account];
        let Some(split) = member.live.draw(price, at) else { return };
        let parts: Vec<(LotId, u64)> = split.iter().map(|draw| (draw.lot, draw.credits.get())).collect();
        self.stream.debits(member.account, op, &parts);
        if let Some(Body::Debit { remaining_after, .. }) = self.stream.events.last_mut().map(|event| &mut event.body) {
            *remaining_after = credits(member.live.drawable(at));
        }
        member.drawn.push(Drawn { op, split, period_end: period_end(at), at, incarnation });
    }

    fn repeats(&mut self, account: usize, debit: usize) {
        let Some(drawn) = self.pick(account, debit) else { return };
        let in_time = self.stream.at < drawn.at.plus_ms(OP_LIFE_MS);
        if in_time && !self.members[account].live.closed.contains(&drawn.op) {
            let price = drawn.split.iter().map(|draw| draw.credits.get()).sum();
            self.debits(account, price, drawn.op);
            // The gateway knows of one debit only: the first.
            let known = self.members[account].drawn.iter().filter(|known| known.op == drawn.op).count();
            if known > 1 {
                self.members[account].drawn.pop();
            }
        }
    }

    /// A debit of this incarnation is given back from its own event; any other becomes an undo.
    fn gives_back(&mut self, account: usize, debit: usize) {
        let Some(drawn) = self.pick(account, debit) else { return };
        if drawn.incarnation != self.stream.fence.incarnation {
            return self.undoes(account, drawn.op, drawn.at);
        }
        let at = self.stream.at;
        let member = &mut self.members[account];
        if !member.live.closed.insert(drawn.op) {
            return;
        }
        let (returned, lapsed) = member.live.put_back(&drawn.split, drawn.period_end, at);
        let seq = self.stream.next_seq(member.account);
        let (remaining_after, budget_used_after) = (metering::Credits::ZERO, credits(member.live.used));
        let (account, op, debit_op, period_end) =
            (member.account, OpId::from_uuid(Uuid::now_v7()), drawn.op, drawn.period_end);
        self.stream.push(Body::GiveBack {
            account,
            seq,
            op,
            debit_op,
            returned,
            lapsed,
            kept: None,
            period_end,
            remaining_after,
            budget_used_after,
            key: None,
            debited_at: TimeMs::EPOCH,
        });
    }

    /// `asked` is when the debit was asked for: it can't draw from its own deadline on.
    fn undoes(&mut self, account: usize, op: OpId, asked: TimeMs) {
        let not_after = asked.plus_ms(OP_LIFE_MS);
        let member = &mut self.members[account];
        if member.live.closed.insert(op) {
            member.live.undos += 1;
            self.stream.is_asked_to_undo(member.account, op, not_after);
        }
    }

    /// Carries pending rows to live state; those it has already are left alone.
    async fn delivers(&mut self) {
        for row in self.operator.db.ledger.pending(self.stream.fence.shard, 0, 1_000).await.unwrap() {
            let Outgoing::Change { version, change } = &row.what else { panic!("a key in an accounts' shard") };
            let Some(member) = self.members.iter_mut().find(|member| member.account == row.account) else { continue };
            if *version > member.live.version {
                let (returned, lapsed, taken) = member.live.apply(change, *version, self.stream.at);
                self.stream.applies(&row, returned, lapsed, taken);
            }
        }
    }

    async fn drains(&mut self, events: usize) {
        let rest = self.stream.events.split_off(events.min(self.stream.events.len()));
        let recorded = self.stream.drains(&self.operator.db).await;
        assert!(recorded.shortfalls.is_empty(), "{recorded:?}");
        self.stream.events = rest;
    }

    /// Builds live state anew. What was drained must come back exactly as live state had it, had every pending change
    /// arrived there.
    async fn rebuilds(&mut self, lost: bool) {
        if !lost {
            self.drains(usize::MAX).await;
            self.delivers().await; // as it would have been; its events are lost, the changes are in the images
        }
        if let Some(first_lost) = self.stream.events.first().map(|event| event.at) {
            for member in &mut self.members {
                member.was.retain(|at, _| *at < first_lost);
            }
        }
        self.stream.begins_anew(&self.operator.db).await;
        let images =
            self.operator.db.ledger.prepare_install(self.stream.fence, None, 100, &[], self.stream.at).await.unwrap();
        for member in &mut self.members {
            let image =
                images.iter().find(|image| image.account == member.account).expect("every account has an image");
            let installed = Live::of(image);
            if !lost {
                assert_eq!(with_credits(&installed), with_credits(&member.live));
                assert_eq!((installed.used, installed.period_end), (member.live.used, member.live.period_end));
                assert_eq!((installed.undos, installed.version), (member.live.undos, member.live.version));
            }
            member.live = installed;
            self.stream.seqs.insert(member.account, image.seq);
            let (account, seq, control_version) = (member.account, image.seq, image.control_version);
            self.stream.push(Body::Installed { account, seq, control_version });
        }
    }

    /// Lets everything on its way arrive, then compares.
    pub async fn ends_in_agreement(mut self) {
        self.drains(usize::MAX).await;
        self.stream.at = self.stream.at.plus_ms(OP_LIFE_MS + 1);
        self.operator.db.ledger.settle_undos(self.stream.fence, self.stream.at).await.unwrap();
        while !self.operator.db.ledger.pending(self.stream.fence.shard, 0, 1).await.unwrap().is_empty() {
            self.delivers().await;
            self.drains(usize::MAX).await;
        }
        for member in &self.members {
            let view = self.operator.db.ledger.account_view(member.account, self.stream.at).await.unwrap();
            for lot in &view.lots {
                let live = member.live.lots.get(&lot.lot).map_or(0, |lot| lot.left);
                assert_eq!(lot.remaining.get(), live, "{} of {}", lot.lot, member.account);
            }
            let used = if self.stream.at < member.live.period_end { member.live.used } else { 0 };
            assert_eq!((view.budget.used.get(), member.live.undos), (used, 0));
        }
        self.remembers_what_was().await;
        self.operator.finds_no_difference(&self.accounts()).await;
        let not_undone = "SELECT count(*) FROM (SELECT u.debit_op FROM undos u JOIN entries e \
                          ON e.account_id = u.account_id AND u.debit_op IN (e.op, e.debit_op) \
                          WHERE e.kind IN ('debit', 'debit_duplicate', 'give_back', 'duplicate_return') \
                          GROUP BY u.debit_op HAVING sum(e.credits + e.lapsed) <> 0) AS odd";
        assert_eq!(self.operator.db.number(not_undone).await, 0, "an undone debit leaves nothing behind");
    }

    /// Of every instant the book tells what live state had then, and of every debit what live state said when it drew.
    async fn remembers_what_was(&self) {
        let book = &self.operator.db.ledger;
        for member in &self.members {
            for (&at, &(drawable, used)) in &member.was {
                let past = book.past(member.account, at).await.unwrap();
                assert_eq!((past.remaining.get(), past.budget.used.get()), (drawable, used), "at {at}: {past:?}");
            }
            for entry in book.entries(member.account, None, 1_000).await.unwrap() {
                let Some(said) = entry.remaining_after.filter(|_| entry.kind == EntryKind::Debit) else { continue };
                let receipts = book.receipts(entry.op.unwrap()).await.unwrap();
                let receipt = receipts.iter().find(|receipt| receipt.debit.account == member.account).unwrap();
                let price = entry.credits.unsigned_abs();
                assert_eq!(receipt.before.remaining.get() - price, said.get(), "{receipt:?}");
                assert_eq!(receipt.lots.iter().map(|lot| lot.drawn.get()).sum::<u64>(), price);
                let own = book.account_receipt(member.account, entry.op.unwrap()).await.unwrap().unwrap();
                assert_eq!(own.lots.iter().map(|(lot, _)| *lot).collect::<Vec<_>>(), receipt.lots, "{own:?}");
                assert_eq!(own.budget_limit, receipt.before.budget.limit, "{own:?}");
                assert_eq!((own.state, &own.after), (receipt.state, &receipt.after));
            }
        }
    }

    fn accounts(&self) -> Vec<AccountId> {
        self.members.iter().map(|member| member.account).collect()
    }

    fn pick(&self, account: usize, debit: usize) -> Option<Drawn> {
        let drawn = &self.members[account].drawn;
        (!drawn.is_empty()).then(|| drawn[debit % drawn.len()].clone())
    }

    fn pick_lot(&self, account: usize, lot: usize) -> Option<LotId> {
        let lots = &self.members[account].lots;
        (!lots.is_empty()).then(|| lots[lot % lots.len()])
    }
}

fn with_credits(live: &Live) -> Vec<(LotId, super::model::Lot)> {
    live.lots.iter().filter(|(_, lot)| lot.left > 0).map(|(id, lot)| (*id, *lot)).collect()
}
