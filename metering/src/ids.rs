//! Names of things: accounts, keys, ops, lots, routes, shards.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// A text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not {expected}")]
pub struct IdError {
    /// What was expected, with its article: "an account id (acct_ and 32 hex digits)".
    pub expected: &'static str,
}

/// Reads exactly 32 lower-case hex digits: one spelling for each id, so that an id can stand in a Redis key.
pub(crate) fn uuid_from_hex(text: &str) -> Option<Uuid> {
    let canonical = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if canonical { Uuid::try_parse(text).ok() } else { None }
}

/// Room for the 32 hex digits of an id.
pub(crate) type HexRoom = [u8; uuid::fmt::Simple::LENGTH];

pub(crate) fn uuid_hex(uuid: Uuid) -> String {
    uuid_hex_in(uuid, &mut HexRoom::default()).to_owned()
}

/// Without the machinery of `fmt`: each debit writes five of these.
pub(crate) fn uuid_hex_in(uuid: Uuid, room: &mut HexRoom) -> &str {
    uuid.as_simple().encode_lower(room)
}

/// What ids and digests of 128 bits have in common.
macro_rules! uuid_words {
    ($name:ident, $expected:literal) => {
        impl $name {
            /// Takes what somebody made, or the book holds; new ids are version 7.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// As the book stores it.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// The 32 hex digits without prefix, as live state stores it.
            #[must_use]
            pub fn hex(&self) -> String {
                $crate::ids::uuid_hex(self.0)
            }

            /// Reads what [`Self::hex`] wrote.
            pub fn from_hex(text: &str) -> Result<Self, IdError> {
                $crate::ids::uuid_from_hex(text).map(Self).ok_or(IdError { expected: $expected })
            }
        }
    };
}
pub(crate) use uuid_words;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        uuid_words!($name, $expected);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0.as_simple())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(uuid_from_hex)
                    .map(Self)
                    .ok_or(IdError { expected: $expected })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

uuid_id!(
    /// Who pays: owns lots, keys, budget and status. Shown as `acct_` and 32 hex digits.
    AccountId,
    "acct_",
    "an account id (acct_ and 32 lower-case hex digits)"
);
uuid_id!(
    /// An API key's public name; says nothing about its secret. Shown as `key_` and 32 hex digits.
    KeyId,
    "key_",
    "a key id (key_ and 32 lower-case hex digits)"
);

/// One attempt to draw, hold or give back; made by whoever asks, before asking. A UUID, version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(Uuid);

uuid_words!(OpId, "an op id (32 lower-case hex digits)");

impl fmt::Display for OpId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for OpId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| IdError { expected: "an op id (a UUID)" })
    }
}

/// A lot's number in the book, 1 to 2^53 − 1 so that a Lua number holds it. Shown as `lot_42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LotId(u64);

impl LotId {
    const EXPECTED: IdError = IdError { expected: "a lot id (lot_ and a number from 1)" };

    /// Takes the number of a lot.
    pub fn new(number: u64) -> Result<Self, IdError> {
        if number == 0 || number > crate::credits::LARGEST { Err(Self::EXPECTED) } else { Ok(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn as_u64(&self) -> u64 {
        self.0
    }
}

impl fmt::Display for LotId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "lot_{}", self.0)
    }
}

impl FromStr for LotId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("lot_").ok_or(Self::EXPECTED)?;
        let canonical = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().map_err(|_| Self::EXPECTED)?;
        if canonical { Self::new(number) } else { Err(Self::EXPECTED) }
    }
}

impl TryFrom<String> for LotId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<LotId> for String {
    fn from(id: LotId) -> String {
        id.to_string()
    }
}

/// A route's name in configuration, events and metrics: `[a-z0-9_.-]{1,64}`. Cheap to clone: each request carries one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RouteName(std::sync::Arc<str>);

impl RouteName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RouteName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(IdError { expected: "a route name (1 to 64 of a-z, 0-9, '_', '.', '-')" })
        }
    }
}

impl TryFrom<String> for RouteName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RouteName> for String {
    fn from(name: RouteName) -> String {
        name.as_str().to_owned()
    }
}

/// How many shards an installation has, 1 to 999; fixed at install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ShardCount(u16);

impl ShardCount {
    /// Takes a count from 1 to 999: three digits stand in every key.
    pub fn new(count: u16) -> Result<Self, IdError> {
        if (1..=999).contains(&count) {
            Ok(Self(count))
        } else {
            Err(IdError { expected: "a shard count from 1 to 999" })
        }
    }

    /// The count.
    #[must_use]
    pub const fn get(&self) -> u16 {
        self.0
    }

    /// Which of the shards a hash falls into.
    fn pick(self, hash: [u8; 8]) -> u16 {
        let number = u64::from_be_bytes(hash).checked_rem(u64::from(self.0)); // a count is never 0
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(0) // always fits: less than a u16 count
    }
}

impl TryFrom<u16> for ShardCount {
    type Error = IdError;

    fn try_from(count: u16) -> Result<Self, IdError> {
        Self::new(count)
    }
}

impl From<ShardCount> for u16 {
    fn from(count: ShardCount) -> u16 {
        count.0
    }
}

/// What a shard holds: accounts with their events, or API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardKind {
    /// Balances and their stream.
    Accounts,
    /// API keys, spread by digest.
    Keys,
}

/// A fixed slice of accounts or keys: one Redis slot, one owner. Shown as `s003` or `k003`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shard {
    /// What it holds.
    pub kind: ShardKind,
    /// 0 to the shard count, exclusive.
    pub number: u16,
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            ShardKind::Accounts => 's',
            ShardKind::Keys => 'k',
        };
        write!(formatter, "{letter}{:03}", self.number)
    }
}

impl AccountId {
    /// The shard that holds this account: SHA-256 of the id, so that ids made in one burst still spread evenly.
    #[must_use]
    pub fn shard(&self, count: ShardCount) -> Shard {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        Shard { kind: ShardKind::Accounts, number: count.pick(first_eight(&digest)) }
    }
}

impl crate::KeyDigest {
    /// The shard that holds the key of this digest.
    #[must_use]
    pub fn shard(&self, count: ShardCount) -> Shard {
        Shard { kind: ShardKind::Keys, number: count.pick(first_eight(self.as_bytes())) }
    }
}

fn first_eight(digest: &[u8; 32]) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(digest.split_at(8).0);
    first
}

#[cfg(test)]
mod tests;
