//! A session of Stripe's checkout, or of its customer portal.

use serde::Deserialize;

use super::{Metadata, email, id, own_id};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    pub mode: Option<String>,
    pub status: Option<String>,
    pub payment_status: Option<String>,
    pub client_reference_id: Option<String>,
    pub metadata: Option<Metadata>,
    #[serde(default, deserialize_with = "id")]
    pub customer: Option<String>,
    pub customer_email: Option<String>,
    pub customer_details: Option<Details>,
    #[serde(default, deserialize_with = "id")]
    pub subscription: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub invoice: Option<String>,
    #[serde(default, deserialize_with = "id")]
    pub payment_intent: Option<String>,
    pub amount_total: Option<i64>,
    pub currency: Option<String>,
    pub created: Option<u64>,
    pub expires_at: Option<u64>,
    /// Gone once the session is over.
    pub url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Details {
    email: Option<String>,
}

impl Session {
    /// What the payer wrote on the page, else what we had given.
    pub fn email(&self) -> Option<String> {
        email(self.customer_details.as_ref().and_then(|details| details.email.as_ref()))
            .or_else(|| email(self.customer_email.as_ref()))
    }
}
