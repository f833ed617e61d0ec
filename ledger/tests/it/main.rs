//! The book on a real Postgres, told as stories. Each test has a database of its own.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod actors;
mod changes;
mod compare;
mod due;
mod entries;
mod install;
mod journal;
mod key_caps;
mod key_use;
mod keys;
mod outbox;
mod owner;
mod property;
mod record;
mod schema;
mod sessions;
mod speed;
mod sweep;
mod undo;
mod verify;
