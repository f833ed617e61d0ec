//! The live balance in Redis: its keys, its scripts, and the two sides that speak to it.
//!
//! Gateways use [`Meter`]: they run scripts by digest and can't load any. The owner of a shard uses [`owner::OwnerLink`]: it
//! certifies a Redis process against the book, loads the scripts and is the only other writer.

pub mod answers;
pub mod asks;
mod clocks;
mod commands;
pub(crate) mod connect;
mod debits;
pub mod durable;
pub mod errors;
mod fences;
mod groups;
pub mod keys;
mod meter;
mod nodes;
pub mod owner;
pub mod place;
mod replies;
pub mod safety;
pub mod scripts;
mod slots;
mod snapshot;

pub use answers::{
    AccountStanding, BudgetView, ConfirmOutcome, CreditsView, DebitOutcome, Drawn, Exposure, GiveBackOutcome,
    RateOutcome, RateState, Refusal, Repeat, SettleOutcome, UndoOutcome,
};
pub use asks::{Confirm, Debit, GiveBack, KeyRates, Progress, Settle, Undo};
pub use durable::{Certificate, NotDurable};
pub use errors::MeterError;
pub use keys::Fence;
pub use meter::{Changed, Meter, Sleep};
pub use place::{Place, PlaceError};
pub use snapshot::Snapshot;
