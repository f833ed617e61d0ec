//! Live state as the book sees it: a stream of events, numbered without a gap, and the owner who drains it.

use std::collections::HashMap;
use std::time::Duration;

use ledger::testing::TestDatabase;
use ledger::{DrainBatch, Fence, LedgerError, OutboxRow, Outgoing, OwnerId, Recorded};
use metering::{
    AccountId, Body, Change, Credits, Draw, Event, EventId, KeyId, LotId, OpId, Shard, Split, TimeMs, lots,
};
use serde_json::json;
use uuid::Uuid;

use super::{NOON, credits, period_end};

pub const LEASE: Duration = Duration::from_mins(1);

/// The stream of one shard and the cursor of its owner.
pub struct Stream {
    pub owner: OwnerId,
    pub fence: Fence,
    /// Sequence of the last event in the book.
    pub from: Option<u64>,
    /// Events that are not in the book yet.
    pub events: Vec<Event>,
    pub seqs: HashMap<AccountId, u64>,
    pub at: TimeMs,
}

impl Stream {
    /// Claims a shard, certifies it and opens its first incarnation.
    pub async fn opens(db: &TestDatabase, shard: Shard) -> Self {
        let owner = OwnerId::from_uuid(Uuid::now_v7());
        db.ledger.heartbeat(owner, "sync-1", LEASE).await.unwrap();
        let row = db.ledger.claim(owner, shard, LEASE).await.unwrap().expect("nobody has it yet");
        let certification = db.ledger.raise_fence(shard, row.epoch, 0).await.unwrap();
        let fence = Fence { certification, ..row.fence() };
        let mut stream = Self { owner, fence, from: None, events: Vec::new(), seqs: HashMap::new(), at: NOON };
        stream.begins_anew(db).await;
        stream
    }

    /// A new incarnation: what was not drained is gone. Events' numbers go on from what the book has.
    pub async fn begins_anew(&mut self, db: &TestDatabase) {
        let why = json!({ "test": "a new incarnation" });
        self.fence.incarnation = db.ledger.start_incarnation(self.fence, 0, &why).await.unwrap();
        (self.from, self.events) = (None, Vec::new());
        self.push(Body::Opened);
    }

    pub fn push(&mut self, body: Body) {
        let sequence = self.next_sequence();
        let id = EventId { incarnation: self.fence.incarnation, sequence };
        self.events.push(Event { id, at: self.at, body });
    }

    pub fn next_sequence(&self) -> u64 {
        self.from.map_or(0, |from| from + 1) + self.events.len() as u64
    }

    pub fn next_seq(&mut self, account: AccountId) -> u64 {
        let seq = self.seqs.entry(account).or_default();
        *seq += 1;
        *seq
    }

    pub fn debits(&mut self, account: AccountId, op: OpId, split: &[(LotId, u64)]) {
        self.debits_by(account, None, op, split);
    }

    pub fn debits_by(&mut self, account: AccountId, key: Option<KeyId>, op: OpId, split: &[(LotId, u64)]) {
        let (split, seq) = (draws(split), self.next_seq(account));
        self.push(Body::Debit {
            account,
            seq,
            op,
            credits: lots::total(&split).unwrap(),
            split,
            period_end: period_end(self.at),
            remaining_after: Credits::ZERO,
            budget_used_after: Credits::ZERO,
            key,
            route: "v1.messages".parse().unwrap(),
            hold_until: None,
            idempotency: None,
        });
    }

    pub fn gives_back(
        &mut self,
        account: AccountId,
        debit_op: OpId,
        returned: &[(LotId, u64)],
        lapsed: &[(LotId, u64)],
        period: TimeMs,
    ) {
        let seq = self.next_seq(account);
        self.push(Body::GiveBack {
            account,
            seq,
            op: OpId::from_uuid(Uuid::now_v7()),
            debit_op,
            returned: draws(returned),
            lapsed: draws(lapsed),
            kept: None,
            period_end: period,
            remaining_after: Credits::ZERO,
            budget_used_after: Credits::ZERO,
            key: None,
            debited_at: TimeMs::EPOCH,
        });
    }

    pub fn is_asked_to_undo(&mut self, account: AccountId, debit_op: OpId, not_after: TimeMs) {
        let seq = self.next_seq(account);
        let op = OpId::from_uuid(Uuid::now_v7());
        self.push(Body::Undo { account, seq, op, debit_op, not_after, kept: None });
    }

    /// Live state applied an outbox row; `taken` and `returned` are what it then did.
    pub fn applies(&mut self, row: &OutboxRow, returned: Split, lapsed: Split, taken: Split) {
        let Outgoing::Change { version, change } = &row.what else { panic!("a key's row has no event") };
        let (account, seq) = (row.account, self.next_seq(row.account));
        let (row, version, change) = (row.row, *version, change.kind());
        self.push(Body::Control { account, seq, row, version, change, returned, lapsed, taken });
    }

    /// Applies every pending row: reductions take what `taken` says, settled undos return their split.
    pub async fn applies_pending(&mut self, db: &TestDatabase, taken: &[(LotId, u64)]) {
        for row in db.ledger.pending(self.fence.shard, 0, 1_000).await.unwrap() {
            let Outgoing::Change { change, .. } = &row.what else { continue };
            let (returned, took) = match change {
                Change::UndoSettled { split, .. } => (split.clone(), Split::new()),
                Change::LotReduced { .. } | Change::LotExpired { .. } => (Split::new(), draws(taken)),
                _ => (Split::new(), Split::new()),
            };
            self.applies(&row, returned, Split::new(), took);
        }
    }

    /// The events that are not in the book yet, as a batch.
    pub fn batch(&self) -> DrainBatch {
        DrainBatch { fence: self.fence, from: self.from, events: self.events.clone() }
    }

    pub async fn drains(&mut self, db: &TestDatabase) -> Recorded {
        self.tries_to_drain(db).await.unwrap()
    }

    pub async fn tries_to_drain(&mut self, db: &TestDatabase) -> Result<Recorded, LedgerError> {
        let recorded = db.ledger.record(&self.batch()).await?;
        self.from = self.events.last().map(|event| event.id.sequence).or(self.from);
        self.events.clear();
        Ok(recorded)
    }
}

pub fn draws(split: &[(LotId, u64)]) -> Split {
    split.iter().map(|&(lot, count)| Draw { lot, credits: credits(count) }).collect()
}
