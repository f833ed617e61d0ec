//! Every setting of every service: its default and its meaning in `<service>.toml`, compiled in, and the loader that lays
//! the operator's file and the `TOLLGATE_…` variables over it.

mod address;
mod credits;
mod error;
mod failpoint;
mod files;
mod layers;
mod lines;
mod secret_url;

pub mod console;
pub mod gateway;
pub mod journal;
pub mod ledger_sync;
pub mod log;
pub mod notices;
pub mod plans;
pub mod postgres;
pub mod redis;
pub mod routes;
pub mod sessions;
pub mod stripe;
pub mod tollgate;
pub mod upstream;
pub mod webhook;

pub use address::UpstreamAddress;
pub use credits::CREDITS_MAX;
pub use error::{ConfigError, EXIT_CODE};
pub use failpoint::failpoint;
pub use layers::{Service, load};
pub use stripe::Stripe;
