//! What happened to an account, in words for people: changes, Stripe's deliveries, mails and what became of them.

pub mod csv;
pub mod details;
pub mod filter;
pub mod words;
