//! What interrupts the ownership of a shard, sorted by what the owner does next.

use ledger::LedgerError;
use metering::live::owner::OwnerError;
use thiserror::Error;

/// Why a step of an owner ended early.
#[derive(Debug, Error)]
pub enum Interruption {
    /// Somebody else owns the shard: give it up at once.
    #[error("the shard has another owner")]
    Lost(#[source] anyhow::Error),
    /// Live state must be compared with the book again.
    #[error("live state must be certified again")]
    Recertify(#[source] OwnerError),
    /// The book can't be reached: what was certified stays certified; try again soon.
    #[error("the book can't be reached")]
    BookAway(#[source] LedgerError),
    /// Stream and book do not fit together: the shard stands until somebody looks.
    #[error("stream and book do not fit together: {0}")]
    Broken(String, #[source] Option<LedgerError>),
}

impl From<OwnerError> for Interruption {
    fn from(error: OwnerError) -> Self {
        match error {
            OwnerError::Newer(_) => Self::Lost(error.into()),
            OwnerError::Decode(broken) => Self::Broken(broken.to_string(), None),
            other => Self::Recertify(other),
        }
    }
}

impl From<LedgerError> for Interruption {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Fenced { .. } => Self::Lost(error.into()),
            LedgerError::Gap { .. }
            | LedgerError::OutOfOrder { .. }
            | LedgerError::Unappliable { .. }
            | LedgerError::TooManyDeadLetters { .. } => Self::Broken(error.to_string(), Some(error)),
            other => Self::BookAway(other),
        }
    }
}
