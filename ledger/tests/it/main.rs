//! The book on a real Postgres, told as stories. Each test has a database of its own.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod actors;
mod changes;
mod compare;
mod dead_letters;
mod due;
mod entries;
mod install;
mod journal;
mod key_caps;
mod key_use;
mod keys;
mod outbox;
mod outcomes;
mod owner;
mod past;
mod property;
mod rebuild;
mod receipt;
mod record;
mod schema;
mod sessions;
mod speed;
mod stripe;
mod stripe_turn;
mod sweep;
mod undo;
mod verified;
mod verify;
