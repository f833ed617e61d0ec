//! What Stripe has told the book: deliveries, facts, and what follows from them. Account status is derived from all facts, never from one event.

mod allowance;
mod apply;
mod backlog;
mod changes;
mod checkout;
mod customer;
mod deliveries;
mod delivery;
mod dispute;
mod done;
mod effect;
mod follow;
mod inbox;
mod limits;
mod lists;
mod names;
mod offers;
mod order;
mod paid;
mod payments;
mod reopen;
mod reports;
mod reversed;
mod standing;
mod turn;
mod views;
mod work;

pub use changes::DeliveryChange;
pub use delivery::{
    BODY_BYTES_MAX, Delivery, DeliveryCursor, DeliveryFilter, DeliveryState, Parking, Received, StoredDelivery,
};
pub use done::{Done, Outcome};
pub use effect::{
    Checkout, CheckoutEnd, CheckoutOutcome, Effect, InvoiceFailure, Offer, Payment, PaymentRef, Reversal, ReversalKind,
    SubscriptionReport, SubscriptionStatus,
};
pub use reopen::Reopening;
pub use turn::ReconcileTurn;
pub use views::{CheckoutState, CheckoutView, MailKind, PaymentCursor, PaymentView, ReversalView, SubscriptionView};
