//! All programs together, as the people who use them meet them: real processes on a real Redis and a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod day;
mod exactness;
mod faults;
mod hang_up;
mod prompt_changes;
mod refusals;
mod stack;
