//! Our programs as child processes of tests, and the pretend Stripe as tests speak to it. Only tests depend on this.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod program;
mod settings;
mod stripe;
mod wait;

pub use program::{Ground, Program, client, executable};
pub use settings::laid_over;
pub use stripe::{Stripe, WEBHOOK_SECRET};
pub use wait::wait_until;
