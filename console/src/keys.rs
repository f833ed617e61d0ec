//! API keys of an account: how they stand, what they have drawn, and what may be done with them.

pub mod asked;
pub mod change;
pub mod seen;
