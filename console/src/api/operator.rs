//! `/api/operator/…`: what the operators' pages show and do, for programs. For the role `operator` alone; a reason goes with each write.

pub mod account;
pub mod accounts;
pub mod activity;
pub mod attention;
pub mod deliveries;
pub mod incidents;
pub mod letters;
pub mod lots;
pub mod mails;
pub mod reconcile;
pub mod refused;
pub mod status;
pub mod suppressions;
pub mod verify;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::operator::reason::Reason;
use crate::refusal::Refusal;

/// A write of which nothing is said but why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Why, for the audit; the account's people see it, too.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Reads a reason that goes with a write.
pub fn reason(text: &str) -> Result<Reason, Refusal> {
    Ok(Reason::of(text)?)
}
