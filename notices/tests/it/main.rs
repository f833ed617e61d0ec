//! The real notices on a private Postgres and a real conversation by SMTP: each mail once, and what became of it.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod addresses;
mod aiosmtpd;
mod crashes;
mod kinds;
mod low_balance;
mod mailbox;
mod open_line;
mod payer;
mod program;
mod settings;
mod tries;

pub use mailbox::Mailbox;
pub use payer::House;
pub use program::{Notices, wait_until};
