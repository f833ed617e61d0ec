//! What is known of an op that has no debit in the book: its undo, or its event on its way.

use std::time::Duration;

use metering::live::Meter;
use metering::{AccountId, Body, Event, EventId, OpId, Shard, ShardKind, TimeMs};
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, time};
use crate::{Ledger, LedgerError, LookError};

/// How long a look at all streams may take.
const TRACE_WAIT: Duration = Duration::from_secs(20);
const EVENTS_A_PAGE: usize = 2_000;

/// An undo of a debit that was never drawn, or about which the book waits to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndoKnown {
    /// The debit.
    pub debit_op: OpId,
    /// The account.
    pub account: AccountId,
    /// The op that asked.
    pub op: OpId,
    /// Whether the debit may still come.
    pub open: bool,
    /// Whether credits came back.
    pub returned: bool,
    /// From then on the debit can't be drawn.
    pub not_after: TimeMs,
    /// When it was asked.
    pub asked_at: TimeMs,
}

#[derive(FromRow)]
struct RawUndo {
    debit_op: Uuid,
    account_id: Uuid,
    op: Uuid,
    open: bool,
    returned: bool,
    not_after: Stamp,
    asked_at: Stamp,
}

impl Ledger {
    /// The undo that names an op, or was asked for by it.
    pub async fn undo_of(&self, op: OpId) -> Result<Option<UndoKnown>, LedgerError> {
        let raw: Option<RawUndo> = sqlx::query_as(include_str!("../queries/undo_of.sql"))
            .bind(op.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        let read = |raw: RawUndo| {
            Ok(UndoKnown {
                debit_op: OpId::from_uuid(raw.debit_op),
                account: AccountId::from_uuid(raw.account_id),
                op: OpId::from_uuid(raw.op),
                open: raw.open,
                returned: raw.returned,
                not_after: time(raw.not_after)?,
                asked_at: time(raw.asked_at)?,
            })
        };
        raw.map(read).transpose()
    }
}

/// Looks for an event of an op, or about it, that is not in the book yet, in the streams of all shards.
pub async fn on_its_way(book: &Ledger, meter: &Meter, op: OpId) -> Result<Option<(Shard, Event)>, LookError> {
    match tokio::time::timeout(TRACE_WAIT, search(book, meter, op)).await {
        Ok(found) => found,
        Err(_) => Err(LookError::TooSlow(TRACE_WAIT)),
    }
}

async fn search(book: &Ledger, meter: &Meter, op: OpId) -> Result<Option<(Shard, Event)>, LookError> {
    for row in book.shards().await?.into_iter().filter(|row| row.shard.kind == ShardKind::Accounts) {
        let mut sequence = row.applied_sequence.map_or(0, |applied| applied.saturating_add(1));
        loop {
            let from = EventId { incarnation: row.incarnation, sequence };
            let page = meter.entries_from(row.shard, from, EVENTS_A_PAGE).await?;
            let (last, full) = (page.last().map(|last| last.id.sequence), page.len() == EVENTS_A_PAGE);
            if let Some(event) = page.into_iter().filter_map(|entry| entry.event.ok()).find(|event| names(event, op)) {
                return Ok(Some((row.shard, event)));
            }
            let Some(last) = last.filter(|_| full) else { break };
            sequence = last.saturating_add(1);
        }
    }
    Ok(None)
}

fn names(event: &Event, op: OpId) -> bool {
    let about = match &event.body {
        Body::GiveBack { debit_op, .. } | Body::Undo { debit_op, .. } => Some(*debit_op),
        _ => None,
    };
    event.body.op() == Some(op) || about == Some(op)
}
