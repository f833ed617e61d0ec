//! All programs together, as the people who use them meet them: real processes on a real Redis and a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod audit_command;
mod audits;
mod book_put_back;
mod cli;
mod clock_jumps;
mod confirms;
mod crashes;
mod day;
mod dead_letters;
mod exactness;
mod failpoints;
mod faults;
mod hang_up;
mod holds;
mod idempotency;
mod install_progress;
mod interrupted;
mod key_caps;
mod losses;
mod lost_tails;
mod owners;
mod postgres_away;
mod prompt_changes;
mod receipts;
mod redis_cluster;
mod redis_troubles;
mod redis_users;
mod refusals;
mod secrets;
mod sign_out;
mod stack;
mod stopped_owners;
mod unknown_outcomes;
mod verified;
