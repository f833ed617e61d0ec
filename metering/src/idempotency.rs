//! A caller's word that a request is the same as one before: its `Idempotency-Key`, and what tells another request under that key.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ids::uuid_words;
use crate::{IdError, OpId, TimeMs};

/// How long a key stands for one request: a repeat from then on is a request of its own.
pub const IDEMPOTENCY_MS: u64 = 86_400_000;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        uuid_words!($name, "a digest (32 lower-case hex digits)");

        impl $name {
            /// The first 128 bits of the SHA-256 over the parts, each with its length before it.
            #[must_use]
            pub fn of(parts: &[&[u8]]) -> Self {
                let mut hash = Sha256::new();
                for part in parts {
                    hash.update(part.len().to_be_bytes());
                    hash.update(part);
                }
                let digest = hash.finalize();
                let mut first = [0; 16];
                for (byte, from) in first.iter_mut().zip(&digest) {
                    *byte = *from;
                }
                Self(Uuid::from_bytes(first))
            }
        }
    };
}

digest!(
    /// A caller's `Idempotency-Key`, as a digest: what the caller wrote is not kept.
    IdempotencyKey
);
digest!(
    /// What a request was, as a digest: the same key with another fingerprint is a mistake of the caller.
    Fingerprint
);

/// Under which key a request draws, at most once in [`IDEMPOTENCY_MS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// The key; it counts within its account.
    pub key: IdempotencyKey,
    /// The request.
    pub fingerprint: Fingerprint,
    /// Until then a repeat is told that the first is still in flight, unless its end was told before.
    pub in_use_until: TimeMs,
}

/// The mark that a debit under an `Idempotency-Key` has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyMark {
    /// What the debit said.
    pub under: Idempotency,
    /// The debit.
    pub op: OpId,
    /// When it drew, by the shard's clock.
    pub at: TimeMs,
}

impl IdempotencyMark {
    /// As `debit.lua` writes it: `op fingerprint at_ms in_use_until_ms`.
    #[must_use]
    pub fn write(&self) -> String {
        let (under, at) = (&self.under, self.at.as_u64());
        format!("{} {} {at} {}", self.op.hex(), under.fingerprint.hex(), under.in_use_until.as_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&[u8]]| IdempotencyKey::of(parts);
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"a"]), of(&[b"a", b""]));
        let key = of(&[b"a"]);
        assert_eq!(IdempotencyKey::from_hex(&key.hex()), Ok(key));
    }

    #[test]
    fn digests_and_marks_are_written_as_they_were_in_every_release() {
        let key = IdempotencyKey::of(&[b"a"]);
        assert_eq!(key.hex(), "3b196fd4907bedf51c3090e9835f2f7c");
        let under = Idempotency { key, fingerprint: Fingerprint::of(&[b"a"]), in_use_until: TimeMs::new(90) };
        let mark = IdempotencyMark { under, op: OpId::from_uuid(Uuid::from_u128(5)), at: TimeMs::new(30) };
        assert_eq!(mark.write(), "00000000000000000000000000000005 3b196fd4907bedf51c3090e9835f2f7c 30 90");
    }
}
