//! Live state: what `metering/src/live/scripts/*.lua` keep in one shard with one account.

use std::hash::{Hash, Hasher};

use super::{EVENTS, LOTS, OPS, Split};

/// A Redis process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Redis {
    pub image: Image,
    /// One bit for each certification that this process was given: its scripts bear the process' `run_id`, and what was certified in another process
    /// names them by that one's.
    pub scripts: u16,
}

/// The keys of the shard: the head, and the newest incarnation.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Image {
    // the head, outside any incarnation
    pub epoch: u8,
    pub incarnation: u8,
    pub certification: u8,
    pub meta: Meta,
    /// First sequence still in the stream.
    pub first: u8,
    /// By sequence; what was let go is empty.
    pub events: [Event; EVENTS],
    pub account: Account,
    /// Closed marks, by op of the debit.
    pub closed: [Mark; OPS],
}

impl Image {
    /// The event at a place of the stream, if it is still there.
    pub fn event(&self, sequence: u8) -> Option<&Event> {
        let is_there = self.meta.is_there && (self.first..=self.meta.sequence).contains(&sequence);
        self.events.get(usize::from(sequence)).filter(|event| is_there && event.kind != Kind::None)
    }
}

impl Hash for Image {
    fn hash<H: Hasher>(&self, to: &mut H) {
        (self.epoch, self.incarnation, self.certification, self.meta, self.first, self.account, self.closed).hash(to);
        let stream = usize::from(self.first)..usize::from(self.meta.sequence) + 1;
        self.events.get(stream).unwrap_or_default().iter().for_each(|event| event.hash(to));
    }
}

/// `meta`: doors, sequence, highest time, bounds of exposure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Meta {
    pub is_there: bool,
    /// The certification whose owner may write; 0 = none.
    pub owner: u8,
    /// The certification whose gateways may draw; 0 = none.
    pub open: u8,
    pub sequence: u8,
    pub highest: u8,
    pub exposed: u8,
    pub last_sequence: u8,
}

/// The account's hash and its lots.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Account {
    pub is_there: bool,
    pub is_frozen: bool,
    pub seq: u8,
    pub version: u8,
    /// One bit for each lot that live state knows.
    pub lots: u8,
    pub left: Split,
    pub used: u8,
    pub period: u8,
    pub undos: u8,
}

impl Account {
    pub const fn has(&self, lot: usize) -> bool {
        self.lots >> lot & 1 == 1
    }
}

/// A closed mark.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mark {
    #[default]
    None,
    /// Left by the undo, give-back or settlement itself.
    Closed,
    /// Written by an install for an undo that the book has open.
    Installed,
    /// Left by a settlement, where it has a mark of its own (without the guard).
    Settled,
}

/// What an event says happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    #[default]
    None,
    Opened,
    Installed,
    Debit,
    GiveBack,
    Settle,
    Undo,
    Control,
}

/// One numbered change of live money.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Event {
    pub kind: Kind,
    /// Index of the request whose debit this is, or closes.
    pub op: u8,
    /// Number within the account.
    pub seq: u8,
    /// Drawn, returned or taken, by kind.
    pub split: Split,
    pub lapsed: u8,
    pub period: u8,
    /// Of an undo: `not_after`. Of a debit: until when it is a hold (0 = it is none).
    pub until: u8,
    /// Of an undo or settlement: one more than what stays drawn; 0 = nothing was said.
    pub kept: u8,
    pub at: u8,
    /// Of a control change: its row. Of an install: the version it brings.
    pub version: u8,
}

impl Hash for Event {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let fields = [
            self.op,
            self.seq,
            self.split[0],
            self.split[LOTS - 1],
            self.lapsed,
            self.period,
            self.until,
            self.kept,
            self.at,
            self.version,
        ];
        let packed = fields.iter().fold(0, |packed, &field| packed << 4 | u64::from(field));
        to.write_u64(packed << 4 | self.kind as u64);
    }
}
