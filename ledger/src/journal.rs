//! What gateways' journals witness: taken batch by batch, held against the book, and reported.
//!
//! Most of what is posted is in the book already, and then nothing of it is kept.

mod reconcile;
mod refusals;
mod report;
mod returns;
mod rows;
mod take;

pub use reconcile::{Counted, Reconciled};
pub use refusals::Refusal;
pub use report::{AccountLoss, Incident, IncidentFilter, LossReport, LossTotals, LostDebit, Witness};
pub use returns::DueReturn;
pub use take::{JournalPost, Taken};
