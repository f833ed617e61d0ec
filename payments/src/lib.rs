//! What talks to Stripe: signatures and events of its deliveries, plans, checkout, portal, and proof that the book agrees.
//!
//! The only crate that names async-stripe. The gateway never reaches it.

mod api;
mod checkout;
mod error;
mod event;
mod objects;
mod plans;
mod portal;
mod read;
mod reconcile;
mod signature;
mod sync;

pub use api::Stripe;
pub use checkout::{CheckoutError, Opened, Urls, check_eligible, open_checkout};
pub use error::StripeError;
pub use event::{Event, Unreadable, parse};
pub use plans::{Expiry, Plan, PlanKind, Plans};
pub use portal::{PortalError, open_portal};
pub use read::{Reading, read};
pub use reconcile::{Difference, DifferenceKind, ReconcileError, Reconciliation, look_due, reconcile};
#[cfg(any(test, feature = "testing"))]
pub use signature::sign;
pub use signature::{HEADER_BYTES_MAX, SECRET_BYTES_MIN, Secrets, SecretsError, SignatureError, TOLERANCE, verify};
pub use sync::{PlanState, SyncError, Unready, plan_states, sync_plans};
