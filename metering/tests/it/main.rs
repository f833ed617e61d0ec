//! The scripts on a real Redis: each documented outcome, and being called twice.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod accounts;
mod budget;
mod debit;
mod give_back;
mod refusals;
mod scene;
mod undo;
