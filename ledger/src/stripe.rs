//! What Stripe has told the book: deliveries, facts, and what follows from them. Account status is derived from all facts, never from one event.

mod api;
mod delivery;
mod done;
mod effect;
mod views;
mod words;

pub use delivery::{
    BODY_BYTES_MAX, Delivery, DeliveryCursor, DeliveryFilter, DeliveryState, Parking, Received, StoredDelivery,
};
pub use done::{Done, Outcome};
pub use effect::{
    Checkout, CheckoutEnd, CheckoutOutcome, Effect, InvoiceFailure, Offer, Payment, PaymentRef, Reversal, ReversalKind,
    SubscriptionReport, SubscriptionStatus,
};
pub use views::{
    CheckoutState, CheckoutView, MailKind, PaymentCursor, PaymentView, QueuedMail, ReversalView, SubscriptionView,
};
