//! A customer of Stripe's.

use serde::Deserialize;

use super::{Metadata, own_id};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Customer {
    #[serde(deserialize_with = "own_id")]
    pub id: String,
    pub email: Option<String>,
    #[serde(default)]
    pub deleted: bool,
    pub metadata: Option<Metadata>,
}
