//! A batch of events reaches the book: one transaction, whatever the batch holds.
//!
//! Move the cursor, read what the book knows of the batch, decide in memory, write the outcome in bulk.

mod cursor;
mod known;
mod plan;
mod settle;
mod write;

use metering::{AccountId, Credits, Event, LotId};

use crate::pool::commit;
use crate::record::known::Known;
use crate::record::plan::Plan;

pub(crate) use crate::record::known::AccountOp;
pub(crate) use crate::record::plan::NewOutcome;
use crate::{Fence, Ledger, LedgerError};

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
        let Some(last) = cursor::check(batch)? else { return Ok(Recorded::default()) };
        let mut transaction = self.begin().await?;
        cursor::advance(&mut transaction, batch, last).await?;
        let known = Known::read(&mut transaction, batch).await?;
        let plan = Plan::of(batch, known)?;
        let recorded = plan.write(&mut transaction, batch.fence).await?;
        commit(transaction).await?;
        Ok(recorded)
    }
}
