//! A batch of events reaches the book: one transaction, whatever the batch holds.
//!
//! Move the cursor, read what the book knows of the batch, decide in memory, write the outcome in bulk.

mod carry_out;
mod cursor;
mod known;
mod letters;
mod park;
mod plan;
mod settle;
mod write;

use metering::{AccountId, Credits, Event, EventId, LotId, StreamEntry};

use crate::entries::EntriesTransaction;
use crate::record::known::Known;
use crate::record::plan::Plan;

pub(crate) use crate::record::known::AccountOp;
pub(crate) use crate::record::plan::NewOutcome;
use crate::{Fence, Ledger, LedgerError};

pub use carry_out::{CarriedOut, Run};
pub use park::{Parked, ReadBatch};

/// Events that follow on what the book has, as read from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainBatch {
    /// Who records them.
    pub fence: Fence,
    /// Sequence of the last event in the book; `None` when it has none of this incarnation.
    pub from: Option<u64>,
    /// The events after that, without a gap.
    pub events: Vec<Event>,
}

/// What a batch changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whether rows were appended to the outbox of this shard: undos decided, duplicates to be given back.
    pub outbox_appended: bool,
    /// Debits, duplicates included.
    pub debits: u64,
    /// Credits they drew.
    pub credits_debited: u64,
    /// Give-backs, those the book decided on included.
    pub give_backs: u64,
    /// Credits they returned to lots.
    pub credits_returned: u64,
    /// Debits that were confirmed.
    pub confirmed: u64,
    /// Confirmations of debits that the book does not hold open: given back before, or lost.
    pub confirmed_in_vain: u64,
    /// Credits that confirmations were about, the vain ones included.
    pub credits_confirmed: u64,
    /// Debits given back because nobody had settled or confirmed them by their deadline.
    pub unconfirmed: u64,
    /// Debits that were second ones of their op.
    pub duplicates: u64,
    /// Outbox rows that are delivered now.
    pub delivered: u64,
    /// Lots that had less than was drawn; the difference is in their accounts' overdraft.
    pub shortfalls: Vec<Shortfall>,
    /// Events that were parked instead.
    pub parked: Vec<Parked>,
}

impl Recorded {
    /// Counts another part of the same batch.
    fn add(&mut self, more: Self) {
        // Taken apart, so that nothing that is counted later can be forgotten here.
        let Self {
            outbox_appended,
            debits,
            credits_debited,
            give_backs,
            credits_returned,
            confirmed,
            confirmed_in_vain,
            credits_confirmed,
            unconfirmed,
            duplicates,
            delivered,
            shortfalls,
            parked,
        } = more;
        self.outbox_appended |= outbox_appended;
        for (sum, more) in [
            (&mut self.debits, debits),
            (&mut self.credits_debited, credits_debited),
            (&mut self.give_backs, give_backs),
            (&mut self.credits_returned, credits_returned),
            (&mut self.confirmed, confirmed),
            (&mut self.confirmed_in_vain, confirmed_in_vain),
            (&mut self.credits_confirmed, credits_confirmed),
            (&mut self.unconfirmed, unconfirmed),
            (&mut self.duplicates, duplicates),
            (&mut self.delivered, delivered),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.shortfalls.extend(shortfalls);
        self.parked.extend(parked);
    }

    /// What was parked because of itself, not only because it follows.
    pub fn poison(&self) -> impl Iterator<Item = &Parked> {
        self.parked.iter().filter(|parked| !parked.follows)
    }

    /// Credits that are no longer at risk: of debits and confirmations that were recorded, and of those that are parked with all they say.
    #[must_use]
    pub fn credits_unexposed(&self) -> u64 {
        let recorded = self.credits_debited.saturating_add(self.credits_confirmed);
        self.parked.iter().fold(recorded, |sum, parked| sum.saturating_add(parked.exposed))
    }
}

/// What one transaction records.
struct Piece<'a> {
    fence: Fence,
    from: Option<u64>,
    steps: Vec<Step<'a>>,
}

/// One event of a piece.
struct Step<'a> {
    id: EventId,
    /// To be applied; `None` where it can't be.
    event: Option<&'a Event>,
    /// What it was read from, so that it can be parked; `None` where it must be applied.
    entry: Option<&'a StreamEntry>,
    /// Why it can't be applied.
    poison: Option<String>,
}

impl<'a> Piece<'a> {
    /// The events that may be applied, in order.
    fn events(&self) -> impl Iterator<Item = &'a Event> {
        self.steps.iter().filter_map(|step| step.event)
    }
}

/// A lot that had less in the book than live state drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The account, whose overdraft was raised.
    pub account: AccountId,
    /// The lot.
    pub lot: LotId,
    /// What was missing.
    pub credits: Credits,
}

impl Ledger {
    /// Records a batch: entries, lots, accounts, deliveries and the cursor, all or nothing.
    ///
    /// `Fenced` when the cursor or the fence has moved on, `OutOfOrder` and `Gap` when the batch does not follow,
    /// `Unappliable` when an event says what can't be. After `Unknown`, read the shard's row before going on.
    pub async fn record(&self, batch: &DrainBatch) -> Result<Recorded, LedgerError> {
        let steps =
            batch.events.iter().map(|event| Step { id: event.id, event: Some(event), entry: None, poison: None });
        self.record_piece(&Piece { fence: batch.fence, from: batch.from, steps: steps.collect() }).await
    }

    async fn record_piece(&self, piece: &Piece<'_>) -> Result<Recorded, LedgerError> {
        let Some(last) = cursor::check(piece)? else { return Ok(Recorded::default()) };
        let mut transaction = self.begin_keyed().await?;
        let recorded = follow(&mut transaction, piece, last).await;
        transaction.end(recorded).await
    }
}

/// Moves the cursor and writes what follows from the events.
async fn follow(
    transaction: &mut EntriesTransaction,
    piece: &Piece<'_>,
    last: &Step<'_>,
) -> Result<Recorded, LedgerError> {
    cursor::advance(transaction, piece, last).await?;
    let known = Known::read(transaction, piece).await?;
    let plan = Plan::of(piece, known)?;
    plan.write(transaction, piece.fence).await
}
