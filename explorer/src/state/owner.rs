//! An owner of the shard: a `ledger-sync` process, with what it believes.

use std::hash::{Hash, Hasher};

use super::{BATCH, Event, Split};

/// Where an owner is in `certify.rs`, `accounts.rs`, `install.rs`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Debug)]
pub enum At {
    /// It owns nothing.
    #[default]
    Away,
    /// The book names it; next it looks at the head.
    Claimed,
    /// Next it seals.
    Looked,
    /// Next it raises the fence.
    Sealed,
    /// Next it compares.
    Fenced,
    /// Redis holds all that the book knows: it drains the rest, then certifies.
    GoingOn,
    /// It does not: what can still be drained is, then an incarnation begins.
    Rescuing,
    /// Next it begins an incarnation in the book.
    Beginning,
    /// Next it certifies the new incarnation in Redis.
    Begun,
    /// Certified as before: what is undelivered is carried, then gateways are let in.
    Carrying,
    /// Certified as new: next it lets gateways in.
    Opening,
    /// Next it reads the account from the book.
    Preparing,
    /// Next it writes the account.
    Installing,
    /// Next it drains, then says that the shard is open.
    Installed,
    Serving,
    /// One account is installed anew: frozen, being drained.
    Frozen,
    /// Its picture is read from the book; next it is written.
    Pictured,
}

/// The account as the book has it, for an install.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Picture {
    pub seq: u8,
    pub version: u8,
    pub lots: u8,
    pub left: Split,
    pub used: u8,
    pub period: u8,
    /// One bit for each debit whose undo is open.
    pub undos: u8,
}

/// A transaction of `record`: what was read, and under which fence.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Batch {
    pub epoch: u8,
    pub certification: u8,
    pub incarnation: u8,
    pub from: Option<u8>,
    pub count: u8,
    pub events: [Event; BATCH],
}

impl Hash for Batch {
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.count.hash(to);
        if self.count > 0 {
            (self.epoch, self.certification, self.incarnation, self.from).hash(to);
            self.events.iter().take(usize::from(self.count)).for_each(|event| event.hash(to));
        }
    }
}

/// One process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Owner {
    pub at: At,
    pub epoch: u8,
    pub certification: u8,
    pub incarnation: u8,
    /// The connection it certified over still stands.
    pub link: bool,
    /// The head's numbers as it read them.
    pub head_incarnation: u8,
    pub head_certification: u8,
    /// Sequence of the last event in the book, as it knows.
    pub applied: Option<u8>,
    /// Up to where it has told Redis.
    pub noted: u8,
    /// Credits drawn by recorded debits that it has not told Redis.
    pub credits: u8,
    /// The time up to which the stream is in the book.
    pub drained_time: u8,
    /// One bit for each row that was applied and whose event is not drained yet.
    pub sent: u8,
    /// Gateways had time, since they were let in, to deliver what they had queued.
    pub grace_over: bool,
    /// An account is installed anew before gateways are let in.
    pub before_opening: bool,
    pub picture: Picture,
    /// What it waits for the book to commit.
    pub batch: Batch,
}
