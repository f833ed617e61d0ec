//! `loadtest` as a program, before a server that keeps accounts in memory and can be told to misbehave.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod fake;
mod run;
