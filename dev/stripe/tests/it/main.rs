//! The pretend Stripe as a program: what its API, its pages and its deliveries do, told as stories.

mod api;
mod checkout;
mod deliveries;
mod idempotency;
mod inbox;
mod keep;
mod pages;
mod pretend;
mod reversals;
mod subscriptions;
