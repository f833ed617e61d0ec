//! What an account has, may buy and did: read once for the Billing screen and for programs.

pub mod balance;
pub mod budget;
pub mod checkout;
pub mod forecast;
pub mod lots;
pub mod outlook;
pub mod overview;
pub mod plans;
pub mod portal;
pub mod price;
pub mod receipt;
pub mod usage;
