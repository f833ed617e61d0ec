//! What talks to Stripe: signatures and events of its deliveries, plans, checkout, portal, and proof that the book agrees.
//!
//! The only crate that names async-stripe. The gateway never reaches it.

mod api;
mod error;
mod event;
mod objects;
mod plans;
mod read;
mod signature;

pub use api::Stripe;
pub use error::StripeError;
pub use event::{Event, Unreadable, parse};
pub use plans::{Expiry, Plan, PlanKind, Plans};
pub use read::{Reading, read};
#[cfg(any(test, feature = "testing"))]
pub use signature::sign;
pub use signature::{HEADER_BYTES_MAX, SECRET_BYTES_MIN, Secrets, SecretsError, SignatureError, TOLERANCE, verify};
