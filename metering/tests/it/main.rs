//! The scripts on a real Redis: each documented outcome, and being called twice.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod accounts;
mod batches;
mod budget;
mod caps;
mod clocks;
mod confirms;
mod control;
mod credits;
mod debit;
mod disk_full;
mod drained;
mod durable;
mod exposure;
mod fence;
mod give_back;
mod holds;
mod idempotency;
mod install;
mod keys;
mod memory;
mod numbers;
mod out_of_memory;
mod previous;
mod rates;
mod refusals;
mod scene;
mod sessions;
mod undo;
mod unreadable;
mod wanted;
