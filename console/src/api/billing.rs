//! `/api/billing/…`: what the Billing screen shows and does, for the account of the session.

pub mod budget;
pub mod checkout;
pub mod forecast;
pub mod live;
pub mod lots;
pub mod plans;
pub mod receipt;
pub mod receipts;
pub mod summary;
pub mod usage;
