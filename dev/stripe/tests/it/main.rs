//! The pretend Stripe as a program.
