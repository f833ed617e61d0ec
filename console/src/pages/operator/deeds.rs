//! Each change that an operator can make, as form, plan and deed.

pub mod deliveries;
pub mod grant;
pub mod letters;
pub mod lots;
pub mod mails;
pub mod rebuild;
pub mod reconcile;
pub mod status;
