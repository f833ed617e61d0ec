//! What Stripe says, in whatever order and however often: one grant a payment, the right status, nothing twice.

mod checkouts;
mod crowd;
mod inbox;
mod model;
mod orders;
mod payments;
mod reopened;
mod reversals;
mod shop;
mod standing;
