//! Settings of `tollgate`, the operators' command; `tollgate.toml` says what each means.

use secrecy::SecretString;
use serde::Deserialize;

use crate::redis::Redis;
use crate::secret_url;
use crate::stripe::Stripe;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub redis: Redis,
    pub postgres: Postgres,
    pub stripe: Stripe,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    #[serde(deserialize_with = "secret_url::postgres")]
    pub url: SecretString,
}
