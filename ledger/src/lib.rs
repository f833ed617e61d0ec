//! The book in Postgres: accounts, keys, lots and the append-only entries; who owns which shard; what live state must be told.
//!
//! The only crate that names sqlx. Every function is one transaction; `README.md` says what each promises.
#![deny(missing_docs)]
#![deny(clippy::float_arithmetic, clippy::as_conversions, clippy::arithmetic_side_effects)]

mod accounts;
mod activity;
mod attention;
mod audit;
mod balance;
mod budget;
mod change;
mod columns;
mod compare;
mod cursors;
mod days;
mod dead_letters;
mod due;
mod entries;
mod error;
mod fence;
mod incidents;
mod install;
mod journal;
mod key_days;
mod key_lists;
mod keys;
mod look;
pub mod mails;
mod marks;
mod outbox;
mod outcomes;
mod owner;
mod past;
mod pool;
mod rebuilding;
mod receipt;
mod receipt_lines;
mod record;
mod schema;
mod search;
mod sessions;
pub mod stripe;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod usage;
mod verified;
mod verify;
mod words;
mod writes;

pub use accounts::{AccountSummary, AccountView, BudgetUse, LotState, LotView};
pub use activity::{ActivityCursor, ActivityFilter, ActivityKind, ActivityLine};
pub use attention::{ATTENTION_MAX, Attention};
pub use audit::{AccountSums, OpSum, Standing, Window};
pub use balance::{Balance, BalanceLot, PendingChange};
pub use change::By;
pub use change::account::NewAccount;
pub use change::key::{KEYS_MAX, NewKey};
pub use change::key_use::Rotation;
pub use change::lot::{Grant, Source};
pub use change::rebuild::RebuildAsked;
pub use change::session::SessionsEnded;
pub use compare::{Comparison, Drift, compare};
pub use cursors::{BadCursor, EntryCursor};
pub use days::{BadDay, DAY_MS, Day};
pub use dead_letters::{
    DeadLetter, Decision, DecisionState, DecisionView, LETTERS_A_LIST, LetterId, ParkedEvents, PendingDecision,
};
pub use due::DueHold;
pub use entries::{Entry, EntryKind};
pub use error::{LedgerError, Subject};
pub use fence::Fence;
pub use journal::{
    AccountLoss, Counted, DueReturn, Incident, IncidentFilter, JournalPost, LossReport, LossTotals, LostDebit,
    Reconciled, Refusal, Taken, Witness,
};
pub use key_lists::KeysWanted;
pub use keys::KeyView;
pub use look::{LookError, Seen, look};
pub use outbox::{OutboxRow, OutboxWatch, Outgoing};
pub use outcomes::Outcome;
pub use owner::{Fleet, Owner, OwnerId, ShardRow, ShardState};
pub use past::{Past, PastLot};
pub use pool::{Ledger, PoolSettings};
pub use rebuilding::{FieldChange, Rebuildable, changes};
pub use receipt::{AccountReceipt, KeyBefore, LotDrawn, Receipt, ReceiptState};
pub use receipt_lines::ReceiptLine;
pub use record::{CarriedOut, DrainBatch, Parked, ReadBatch, Recorded, Run, Shortfall};
pub use schema::Migrated;
pub use sessions::SessionsView;
pub use trace::{UndoKnown, on_its_way};
pub use usage::{Counting, DayUse, KeyUse, RouteUse, USAGE_DAYS_MAX, Usage, UsageCursor, UsageDifference};
pub use verified::Verified;
pub use verify::Difference;
pub use writes::Write;

/// Most lines of one page that people read.
pub const READ_MAX: u32 = 200;
