//! The real console on a private book: what it shows, what it does, and whom it refuses.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod activity;
mod authorisation;
mod billing;
mod book_away;
mod description;
mod guards;
mod house;
mod keys;
mod limits;
mod notices;
mod operator;
mod promises;
mod schemathesis;
mod sessions;
mod settings;
