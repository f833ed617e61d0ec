//! Book and live state of one account, compared: live state must be the book, with the events that are not in it yet.
//!
//! Read the book first, then live state, then the stream from the book's cursor on: so live state is never older than the
//! book, and every event between the two is there.

mod expected;
mod key_counts;

use std::fmt;

use metering::live::Snapshot;
use metering::{Credits, Event, LotId};
use serde::Serialize;

use crate::{Balance, ParkedEvents};
use expected::{Expected, Stop};

/// What a comparison says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They agree.
    Agrees {
        /// Events of the account that are not in the book yet.
        unapplied: u64,
        /// What the lots hold, by the book and those events, that can be drawn at the time of the snapshot; lots whose grant
        /// is on its way to live state included.
        drawable: Credits,
    },
    /// They can't be compared as they were read: something changed in between, or the account is being written. Read again.
    Unsure(&'static str),
    /// They differ by what the account has parked: an operator has to decide.
    Parked(ParkedEvents),
    /// They differ.
    Differs(Vec<Drift>),
}

/// One difference between book and live state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Drift {
    /// Live state does not have the account.
    Absent,
    /// Live state has the account, but in a form that can't be read.
    Unreadable {
        /// What of it.
        what: String,
    },
    /// Live state is at an earlier event than the book.
    Behind {
        /// The book's last event of the account.
        book: u64,
        /// Live state's.
        live: u64,
    },
    /// A lot holds another number of credits.
    Lot {
        /// The lot.
        lot: LotId,
        /// By the book and the events that are not in it yet.
        book: Credits,
        /// By live state.
        live: Credits,
    },
    /// Something else than credits differs.
    Field {
        /// What.
        field: &'static str,
        /// By the book and the events that are not in it yet.
        book: String,
        /// By live state.
        live: String,
    },
}

impl Drift {
    /// How many credits it is about.
    #[must_use]
    pub fn credits(&self) -> u64 {
        match self {
            Self::Lot { book, live, .. } => book.get().abs_diff(live.get()),
            Self::Absent | Self::Unreadable { .. } | Self::Behind { .. } | Self::Field { .. } => 0,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(formatter, "live state does not have it"),
            Self::Unreadable { what } => write!(formatter, "live state has it in a form that can't be read: {what}"),
            Self::Behind { book, live } => write!(formatter, "the book is at event {book}, live state only at {live}"),
            Self::Lot { lot, book, live } => {
                write!(formatter, "{lot} has {book} credits in the book and {live} in live state")
            }
            Self::Field { field, book, live } => {
                write!(formatter, "{field} is {book} in the book and {live} in live state")
            }
        }
    }
}

/// Compares. `events` are the shard's from [`Balance::applied`] on, at least up to the snapshot; those of other accounts are
/// passed over.
#[must_use]
pub fn compare(book: &Balance, live: Option<&Snapshot>, events: &[Event]) -> Comparison {
    if let Some(parked) = book.parked {
        return Comparison::Parked(parked);
    }
    let Some(live) = live else {
        let on_its_way = book.pending.first().is_some_and(|first| first.version == 1);
        return if on_its_way {
            Comparison::Agrees { unapplied: 0, drawable: Credits::ZERO }
        } else {
            Comparison::Differs(vec![Drift::Absent])
        };
    };
    if live.frozen {
        return Comparison::Unsure("it is being installed anew");
    }
    if live.seq < book.seq {
        return Comparison::Differs(vec![Drift::Behind { book: book.seq, live: live.seq }]);
    }
    let expected = match Expected::of(book, live, events) {
        Ok(expected) => expected,
        Err(Stop::Unsure(why)) => return Comparison::Unsure(why),
        Err(Stop::Drift(drift)) => return Comparison::Differs(vec![drift]),
    };
    let drifts = expected.differences(live);
    if drifts.is_empty() {
        let unapplied = live.seq.saturating_sub(book.seq);
        Comparison::Agrees { unapplied, drawable: expected.drawable_at(live.at) }
    } else {
        Comparison::Differs(drifts)
    }
}
