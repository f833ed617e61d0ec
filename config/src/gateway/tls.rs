//! Settings of what callers may speak: TLS with its certificates, and HTTP/2.

use std::net::SocketAddr;
use std::path::PathBuf;

use figment::value::magic::RelativePathBuf;
use serde::{Deserialize, Deserializer, de};

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// `None` = no TLS.
    #[serde(deserialize_with = "address_or_empty")]
    pub listen: Option<SocketAddr>,
    pub certificates: Vec<Certificate>,
    pub reload_ms: u64,
}

/// The files of one certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    chain: RelativePathBuf,
    key: RelativePathBuf,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        (self.chain(), self.key()) == (other.chain(), other.key())
    }
}

impl Eq for Certificate {}

impl Certificate {
    #[must_use]
    pub fn chain(&self) -> PathBuf {
        self.chain.relative()
    }

    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.key.relative()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http2 {
    pub plain: bool,
    pub streams_max: u32,
    pub header_bytes_max: u32,
}

fn address_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| de::Error::custom("must be an address with a port, or empty"))
}
