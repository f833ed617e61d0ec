//! Stories of what talks to Stripe: signatures, events, the wire, checkout, and the look that holds Stripe against the book.
#![expect(clippy::unwrap_used, reason = "a test whose parts are not there has failed")]

mod bytes;
mod checkout;
mod desk;
mod events;
mod pretend;
mod reconcile;
mod signatures;
mod sync;
mod wire;
