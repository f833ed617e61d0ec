//! Charges that were refunded, and disputes.

use ledger::stripe::PaymentRef;
use serde::Deserialize;

use super::{id, own_id};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Charge {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    pub amount: Option<u64>,
    pub amount_refunded: Option<u64>,
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    /// Before March 2025.
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
}

impl Charge {
    pub fn payment(&self) -> PaymentRef {
        PaymentRef {
            invoice: self.invoice.clone(),
            payment_intent: self.payment_intent.clone(),
            charge: Some(self.id.clone()),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dispute {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    pub status: Option<String>,
    pub created: Option<u64>,
    #[serde(default, deserialize_with = "id")]
    pub charge: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
}

impl Dispute {
    pub fn payment(&self) -> PaymentRef {
        PaymentRef { invoice: None, payment_intent: self.payment_intent.clone(), charge: self.charge.clone() }
    }
}
