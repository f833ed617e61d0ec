//! Receipts as a list: the debits of an account and what became of each, page by page.

use metering::{AccountId, Credits, KeyId, OpId, TimeMs};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, bigint, count, credits, maybe_time, stamp, time};
use crate::receipt::closed_as;
use crate::{EntryCursor, EntryKind, Ledger, LedgerError, READ_MAX, ReceiptState};

/// One debit in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptLine {
    /// The debit's op, by which its receipt is found.
    pub op: OpId,
    /// When it was drawn.
    pub at: TimeMs,
    /// What was drawn.
    pub credits: Credits,
    /// What of it stays drawn, as things stand.
    pub kept: Credits,
    /// Whether it stands.
    #[serde(flatten)]
    pub state: ReceiptState,
    /// The route it was asked on.
    pub route: Option<String>,
    /// The key that asked; `None` for a session.
    pub key: Option<KeyId>,
    /// What people call that key.
    pub key_name: Option<String>,
    /// Credits left just after it, as live state said.
    pub remaining_after: Option<Credits>,
    #[serde(skip)]
    entry: u64,
}

impl ReceiptLine {
    /// Where the page after this line begins.
    #[must_use]
    pub const fn cursor(&self) -> EntryCursor {
        EntryCursor { at: self.at, entry: self.entry }
    }
}

#[derive(FromRow)]
struct RawLine {
    entry_id: i64,
    op: Option<Uuid>,
    credits: i64,
    key_id: Option<Uuid>,
    route: Option<String>,
    remaining_after: Option<i64>,
    occurred_at: Stamp,
    key_name: Option<String>,
    closed_by: Option<String>,
    returned: Option<i64>,
    hold_until: Option<Stamp>,
    undo_asked: bool,
}

impl Ledger {
    /// An account's debits, latest first, at most [`READ_MAX`]; the next page begins at the cursor of the last line. Second debits of one op
    /// are not among them: they stand in the receipt of the first.
    pub async fn receipt_lines(
        &self,
        account: AccountId,
        after: Option<EntryCursor>,
        limit: u32,
    ) -> Result<Vec<ReceiptLine>, LedgerError> {
        // Planned for these values each time: without them whole months seem to be asked for, and are read.
        let rows: Vec<RawLine> = sqlx::query_as(include_str!("../queries/receipt_lines.sql"))
            .persistent(false)
            .bind(account.as_uuid())
            .bind(after.map(|cursor| stamp(cursor.at)).transpose()?)
            .bind(after.map(|cursor| bigint(cursor.entry)).transpose()?)
            .bind(i64::from(limit.clamp(1, READ_MAX)))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ReceiptLine::try_from).collect()
    }
}

impl TryFrom<RawLine> for ReceiptLine {
    type Error = LedgerError;

    fn try_from(raw: RawLine) -> Result<Self, LedgerError> {
        let closed_by = raw.closed_by.as_deref().map(EntryKind::try_from).transpose()?;
        let drawn = credits(raw.credits)?;
        let closed = closed_by.zip(raw.returned);
        let state = closed_as(drawn, closed, maybe_time(raw.hold_until)?, raw.undo_asked)?;
        let op =
            raw.op.ok_or_else(|| LedgerError::Corrupt(format!("a debit without an op: entry {}", raw.entry_id)))?;
        Ok(Self {
            op: OpId::from_uuid(op),
            at: time(raw.occurred_at)?,
            credits: drawn,
            kept: state.kept_of(drawn),
            state,
            route: raw.route,
            key: raw.key_id.map(KeyId::from_uuid),
            key_name: raw.key_name,
            remaining_after: raw.remaining_after.map(credits).transpose()?,
            entry: count(raw.entry_id)?,
        })
    }
}
