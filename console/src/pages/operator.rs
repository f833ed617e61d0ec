//! The operators' pages: every account, and whatever waits for somebody. Each handler takes an `Operator`.

pub mod account;
pub mod audit;
pub mod deed;
pub mod deeds;
pub mod deliveries;
pub mod home;
pub mod incidents;
pub mod letters;
pub mod losses;
pub mod mails;
pub mod pager;
pub mod receipts;
pub mod reconcile;
pub mod rows;
pub mod sent;
pub mod suppressions;
pub mod tabs;
pub mod verify;
pub mod words;
