//! The book's place, and how many connections a service may have there.

use secrecy::SecretString;
use serde::Deserialize;

use crate::secret_url;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    #[serde(deserialize_with = "secret_url::postgres")]
    pub url: SecretString,
    pub connections_max: u32,
}
