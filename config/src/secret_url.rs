//! URLs that may hold a password: checked for their scheme, kept from being printed.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};

/// `redis://…` or, with TLS, `rediss://…`.
pub(crate) fn redis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    of_scheme(deserializer, &["redis://", "rediss://"])
}

/// `postgres://…` or `postgresql://…`.
pub(crate) fn postgres<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    of_scheme(deserializer, &["postgres://", "postgresql://"])
}

fn of_scheme<'de, D: Deserializer<'de>>(deserializer: D, schemes: &[&str]) -> Result<SecretString, D::Error> {
    let url = SecretString::deserialize(deserializer)?;
    if schemes.iter().any(|scheme| url.expose_secret().len() > scheme.len() && url.expose_secret().starts_with(scheme))
    {
        Ok(url)
    } else {
        // Not the value: it may be a password in the wrong place.
        Err(de::Error::custom(format!("must be a URL that starts with {}", schemes.join(" or "))))
    }
}
