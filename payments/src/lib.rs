//! What talks to Stripe.
