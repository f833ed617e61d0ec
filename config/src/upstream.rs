//! What a request is sent to: one server or a group of them, how requests are shared among them, and when one is left out.

mod written;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::address::UpstreamAddress;
use written::Written;

/// A group of servers that serve the same; often of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub servers: Vec<Server>,
    /// Speak HTTP/2 to them: negotiated on https, at once on http.
    pub h2: bool,
    /// Whose certificates are believed instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Servers to which a connection is tried, one after the other.
    pub connect_tries: u32,
    /// Requests that one server may have at once.
    pub requests_max: u32,
    /// How long an unused connection is kept.
    pub idle: Duration,
    pub eject: Eject,
    pub health: Option<HealthCheck>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub address: UpstreamAddress,
    pub weight: u32,
}

/// When a server that answers badly is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eject {
    /// Failures in a row; 0 = never.
    pub after: u32,
    /// How long for the first time; each time after that twice as long, up to `max`.
    pub min: Duration,
    pub max: Duration,
    /// The part of the group that may be out at once. One server always stays.
    pub percent_max: u32,
}

/// How servers are asked whether they can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Must be answered with 2xx; `None` = a connection is enough.
    pub path: Option<String>,
    pub every: Duration,
    pub timeout: Duration,
    /// Bad answers in a row after which a server is down, good ones after which it is up.
    pub down_after: u32,
    pub up_after: u32,
}

impl From<UpstreamAddress> for Upstream {
    fn from(address: UpstreamAddress) -> Self {
        Self::of(vec![Server { address, weight: 1 }])
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<UpstreamAddress>().map(Self::from)
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrWhole)
    }
}

/// By hand, because serde's untagged enums forget which key was wrong.
struct ShortOrWhole;

impl<'de> Visitor<'de> for ShortOrWhole {
    type Value = Upstream;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a URL, or a table with `servers`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Upstream, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map))?.check().map_err(de::Error::custom)
    }
}
