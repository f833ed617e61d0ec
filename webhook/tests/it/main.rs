//! The real webhook on a private Postgres: what it refuses, what it keeps, and that it answers 200 to nothing else.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod book_away;
mod kept;
mod mail;
mod process;
mod refused;
mod secrets;
mod settings;
mod signed;
mod stops;
