//! ledger-sync on a real Redis and a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod dead_letters;
mod histories;
mod model;
mod process;
mod refusals;
mod rest;
mod stories;
mod usage;
