//! What gateways and ledger-sync both say of the journal.

/// A shorter secret could be guessed.
pub const SECRET_BYTES_MIN: usize = 32;
