//! Everything there is at one instant: Redis and its disk, the book, owners, gateways, a clock.

mod book;
mod gateway;
mod owner;
mod redis;

pub use book::{Book, BookState, Debit, Row, RowKind, Undo};
pub use gateway::{Gateway, Op};
pub use owner::{At, Batch, Owner, Picture};
pub use redis::{Account, Event, Image, Kind, Mark, Meta, Redis};

use crate::{Guards, Invariant, Scope};

/// Requests that may ask; the scope says how many do.
pub const OPS: usize = 3;
/// Lots: the first is there from the start, the second is granted on the way.
pub const LOTS: usize = 2;
/// Outbox rows of the account; a row is its version.
pub const ROWS: usize = 6;
/// Events of one incarnation; a step that would append more is cut off and counted.
pub const EVENTS: usize = 14;
/// Events recorded in one transaction.
pub const BATCH: usize = 3;
/// Incarnations; as events.
pub const INCARNATIONS: usize = 5;

/// Credits of a debit or a return, by lot.
pub type Split = [u8; LOTS];

/// What a split comes to.
pub const fn total(split: Split) -> u8 {
    split[0] + split[1]
}

/// What a run holds fixed.
#[derive(Clone, Copy)]
pub struct World<'a> {
    pub scope: &'a Scope,
    pub guards: Guards,
}

/// How much of what a scope allows has happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Spent {
    pub crashes: u8,
    pub takeovers: u8,
    pub rows: u8,
    pub give_ups: u8,
    pub lost_answers: u8,
    pub lost_commits: u8,
    pub deaths: u8,
    pub clock_backs: u8,
    pub trims: u8,
    pub resets: u8,
}

/// One instant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    /// The wall clock of Redis and owners.
    pub clock: u8,
    pub redis: Redis,
    /// What of Redis is on its disk: any earlier image.
    pub disk: Image,
    pub book: Book,
    pub owners: [Owner; 2],
    /// A transaction whose owner waits no longer; it may still be committed.
    pub late: Batch,
    pub ops: [Op; OPS],
    pub spent: Spent,
    /// The highest time that any script of what is there now has seen; only invariants read it.
    pub seen: u8,
    /// Redis has lost writes since it was last certified; only invariants read it.
    pub rolled_back: bool,
    /// A step needed more room than the model has: the state is cut off.
    pub full: bool,
    /// The invariant that the last step broke.
    pub broken: Option<Invariant>,
}

impl State {
    /// A shard that is served: incarnation 1, certification 1, epoch 1 of owner A, its account installed with one lot.
    pub fn begin(scope: &Scope) -> Self {
        let mut image = Image { epoch: 1, incarnation: 1, certification: 1, first: 1, ..Image::default() };
        image.events[1] = Event { kind: Kind::Installed, version: 1, ..Event::default() };
        let last_sequence = 1 + scope.cap_events;
        image.meta = Meta { is_there: true, owner: 1, open: 1, sequence: 1, last_sequence, ..Meta::default() };
        let left = [scope.credits, 0];
        image.account = Account { is_there: true, version: 1, lots: 1, left, ..Account::default() };
        let mut book = Book { owner: 0, epoch: 1, certification: 1, incarnation: 1, ..Book::default() };
        book.state = BookState::Open;
        book.applied = Some(1);
        book.applied_kind = Kind::Installed;
        book.entries[1] = 0b11;
        book.rows[0] = Row { kind: RowKind::Grant, is_delivered: true, ..Row::default() };
        (book.version, book.lots, book.granted, book.remaining) = (1, 1, left, left);
        let mut owners = [Owner::default(); 2];
        owners[0] = Owner {
            at: At::Serving,
            epoch: 1,
            certification: 1,
            incarnation: 1,
            applied: Some(1),
            noted: 1,
            link: true,
            grace_over: true,
            ..Owner::default()
        };
        Self {
            clock: 0,
            redis: Redis { image, scripts: 1 << 1 },
            disk: if scope.crashes > 0 { image } else { Image::default() },
            book,
            owners,
            late: Batch::default(),
            ops: [Op::default(); OPS],
            spent: Spent::default(),
            seen: 0,
            rolled_back: false,
            full: false,
            broken: None,
        }
    }

    /// Notes the first invariant that a step breaks.
    pub fn breaks(&mut self, invariant: Invariant) {
        self.broken = self.broken.or(Some(invariant));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_small_enough_to_keep_millions() {
        assert!(std::mem::size_of::<State>() <= 800, "a state has {} bytes", std::mem::size_of::<State>());
    }
}
