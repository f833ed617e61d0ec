//! The book: what `ledger` keeps in Postgres of the shard and its account.

use super::{INCARNATIONS, Kind, OPS, ROWS, Split};

/// How far live state is, as the book has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BookState {
    #[default]
    Installing,
    Open,
}

/// The shard's row, the account, its lots, debits, undos, outbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Book {
    // shards
    pub owner: u8,
    pub epoch: u8,
    pub certification: u8,
    pub incarnation: u8,
    pub applied: Option<u8>,
    pub applied_kind: Kind,
    pub applied_op: u8,
    pub state: BookState,
    /// When a batch was recorded last.
    pub drained_at: u8,
    // accounts
    pub seq: u8,
    pub version: u8,
    pub used: u8,
    pub period: u8,
    // lots
    pub lots: u8,
    pub granted: Split,
    pub remaining: Split,
    pub swept: u8,
    pub sweep_asked: u8,
    // entries
    pub debits: [Debit; OPS],
    /// One bit for each event recorded, by incarnation: what the unique keys keep.
    pub entries: [u16; INCARNATIONS],
    // undos
    pub undos: [Undo; OPS],
    // outbox
    pub rows: [Row; ROWS],
}

impl Book {
    pub const fn has(&self, lot: usize) -> bool {
        self.lots >> lot & 1 == 1
    }

    /// The outbox row that makes a version.
    pub fn row(&self, version: u8) -> Option<&Row> {
        self.rows.get(usize::from(version).checked_sub(1)?).filter(|row| row.kind != RowKind::None)
    }

    /// Versions whose rows live state has not been seen to have.
    pub fn undelivered(&self) -> impl Iterator<Item = u8> + '_ {
        (1..=self.version).filter(|&version| self.row(version).is_some_and(|row| !row.is_delivered))
    }
}

/// What the entries say of a debit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Debit {
    pub is_known: bool,
    pub split: Split,
    pub period: u8,
    pub at: u8,
    /// By all entries of the op.
    pub drawn: u8,
    /// By all entries of the op, lapsed ones included.
    pub returned: u8,
    /// A give-back or a settlement is recorded.
    pub is_closed: bool,
    /// The deadline of a hold that waits to be settled; 0 = none.
    pub hold_until: u8,
}

/// What was decided about an undo.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Undo {
    pub is_asked: bool,
    pub is_open: bool,
    pub is_returned: bool,
    pub kept: u8,
    pub not_after: u8,
}

/// What an outbox row tells live state to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RowKind {
    #[default]
    None,
    Grant,
    Reduce,
    Expire,
    UndoSettled,
    /// Live state does not hold what it needs: the account is installed anew (`key_capped`).
    Capped,
}

/// An outbox row; its version is its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub kind: RowKind,
    /// The lot, or the op of the debit.
    pub of: u8,
    pub split: Split,
    pub period: u8,
    /// Of an undo: whether it lowers how many are open.
    pub is_counted: bool,
    pub is_settled: bool,
    pub is_delivered: bool,
}
