//! A batch as it was read: what can be applied is recorded, what can't is parked, and the cursor passes both.
//!
//! A batch that fails because of one event is tried again in halves, until that event is alone: then it is parked. Each half is a
//! transaction that moves the cursor by compare-and-set, so every event is recorded once or parked once, whatever fails between.

use metering::{AccountId, EventId, StreamEntry};

use super::{Piece, Recorded, Step};
use crate::{Fence, Ledger, LedgerError};

/// Letters of a shard that may be open before the fault is no longer one of single events; those that only follow are not counted.
pub(super) const LETTERS_MOST: i64 = 1_000;

/// Entries that follow on what the book has, as read from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBatch {
    /// Who records them.
    pub fence: Fence,
    /// Sequence of the last event in the book; `None` when it has none of this incarnation.
    pub from: Option<u64>,
    /// The entries after that, without a gap.
    pub entries: Vec<StreamEntry>,
}

/// An event that was parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which.
    pub event: EventId,
    /// Its account, as far as it can be read.
    pub account: Option<AccountId>,
    /// Why.
    pub reason: String,
    /// Whether only because an earlier event of its account is.
    pub follows: bool,
    /// What it drew, where it is a debit that can be read.
    pub credits: u64,
    /// What was at risk until it was in the book, if it can be read.
    pub exposed: u64,
}

impl Ledger {
    /// Records a batch, each event once, but for those that can't be applied and those that come after them of the same account:
    /// they are parked as dead letters. Errors as [`Ledger::record`], of the shard only; a part of the batch may be in the book then, so read
    /// the shard's row before going on.
    pub async fn record_or_park(&self, batch: &ReadBatch) -> Result<Recorded, LedgerError> {
        let mut recorded = Recorded::default();
        let mut from = batch.from;
        let mut parts = vec![batch.entries.as_slice()];
        while let Some(part) = parts.pop() {
            let Some(last) = part.last().map(|entry| entry.id.sequence) else { continue };
            match self.record_piece(&Piece::read(batch.fence, from, part, None)).await {
                Ok(more) => recorded.add(more),
                Err(error) if !is_of_an_event(&error) => return Err(error),
                Err(_) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                    continue;
                }
                Err(error) => {
                    let why = reason(&error);
                    recorded.add(self.record_piece(&Piece::read(batch.fence, from, part, Some(&why))).await?);
                }
            }
            from = Some(last);
        }
        Ok(recorded)
    }
}

impl<'a> Piece<'a> {
    /// Entries in their order. With `poison`, why they can't be applied.
    fn read(fence: Fence, from: Option<u64>, entries: &'a [StreamEntry], poison: Option<&'a str>) -> Self {
        let step = |entry: &'a StreamEntry| match &entry.event {
            Ok(event) if poison.is_none() => {
                Step { id: entry.id, event: Some(event), entry: Some(entry), poison: None }
            }
            Ok(_) => Step { id: entry.id, event: None, entry: Some(entry), poison: poison.map(str::to_owned) },
            Err(error) => Step { id: entry.id, event: None, entry: Some(entry), poison: Some(error.to_string()) },
        };
        Self { fence, from, steps: entries.iter().map(step).collect() }
    }
}

/// Whether an error may be the fault of one event; else it is the shard's or the book's, and nothing is parked for it.
pub(super) fn is_of_an_event(error: &LedgerError) -> bool {
    match error {
        LedgerError::Unappliable { .. } | LedgerError::Gap { .. } | LedgerError::Invalid(_) => true,
        LedgerError::Database(sqlx::Error::Database(refusal)) => {
            // Data exceptions and violated constraints: about values of a row, not about tables or rights.
            refusal.code().is_some_and(|code| matches!(code.get(..2), Some("22" | "23")))
        }
        _ => false,
    }
}

/// An error in words, with what the server said of a refused statement.
pub(super) fn reason(error: &LedgerError) -> String {
    let text = match error {
        LedgerError::Database(refusal) => format!("{error}: {refusal}"),
        _ => error.to_string(),
    };
    text.chars().take(500).collect()
}
