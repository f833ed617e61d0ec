//! Every key in Redis.
//!
//! All keys of a shard carry its hash tag (`{s003}`), so that they live in one cluster slot and a script touches one slot.
//! What belongs to one incarnation carries its number too; a new incarnation shares no key with the one before.

use crate::ids::{HexRoom, uuid_hex_in};
use crate::{AccountId, IdempotencyKey, KeyDigest, KeyId, OpId, Shard};

/// Under which numbers a shard's scripts may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The shard.
    pub shard: Shard,
    /// How many times its live state was built anew.
    pub incarnation: u64,
    /// The certification; taken from the book, never reused.
    pub certification: u64,
}

/// Facts of the whole installation: the shard count.
pub const INSTALL: &str = "tg:install";

/// Channel on which owners tell gateways which keys, by digest, and which accounts, by id, are to be looked up anew. It bears the
/// name of what it first told, so that gateways of the release before go on hearing of keys.
pub const CHANGES: &str = "tg:key_changes";

const META: &str = "meta";
const EVENTS: &str = "events";
const ACCOUNT: &str = "a:";
const LOTS: &str = "l:";
const FUTURE_LOTS: &str = "f:";
const EMPTIED_LOTS: &str = "e:";
const CLOSED: &str = "closed:";
const SESSIONS: &str = "v:";

/// Outside any incarnation: the highest incarnation, certification and owner epoch of the shard.
#[must_use]
pub fn head(shard: Shard) -> String {
    format!("tg:{{{shard}}}:head")
}

/// A key prefix as a SCAN pattern: nothing in it is a wildcard.
pub(super) fn escape(prefix: &str) -> String {
    prefix
        .chars()
        .flat_map(|letter| if "*?[]\\^".contains(letter) { vec!['\\', letter] } else { vec![letter] })
        .collect()
}

impl Fence {
    /// Begins every key of this incarnation.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("tg:{{{}}}:{}:", self.shard, self.incarnation)
    }

    /// Certification, sequence, clock, exposure.
    #[must_use]
    pub fn meta(&self) -> String {
        self.key(META, "")
    }

    /// The stream of events.
    #[must_use]
    pub fn events(&self) -> String {
        self.key(EVENTS, "")
    }

    /// The account: money, policy, the head lot.
    #[must_use]
    pub fn account(&self, account: &AccountId) -> String {
        self.key(ACCOUNT, &account.hex())
    }

    /// Lots that can be drawn after the head lot, by expiry; lots past their expiry until they are swept.
    #[must_use]
    pub fn lots(&self, account: &AccountId) -> String {
        self.key(LOTS, &account.hex())
    }

    /// Lots that can't be drawn yet, by their first instant.
    #[must_use]
    pub fn future_lots(&self, account: &AccountId) -> String {
        self.key(FUTURE_LOTS, &account.hex())
    }

    /// Lots without credits that may still get some back.
    #[must_use]
    pub fn emptied_lots(&self, account: &AccountId) -> String {
        self.key(EMPTIED_LOTS, &account.hex())
    }

    /// A debit that was given back or undone; rare path only.
    #[must_use]
    pub fn closed(&self, debit_op: &OpId) -> String {
        self.key(CLOSED, &debit_op.hex())
    }

    /// The least versions of its sessions that are still good, by digest of their subject, or `*` for everybody; absent while nobody
    /// was signed out.
    #[must_use]
    pub fn sessions(&self, account: &AccountId) -> String {
        self.key(SESSIONS, &account.hex())
    }

    /// What the rates of a key have let pass.
    #[must_use]
    pub fn rates(&self, key: &KeyId) -> String {
        self.key("r:", &key.hex())
    }

    /// The mark of a request with an `Idempotency-Key`.
    #[must_use]
    pub fn idempotency(&self, account: &AccountId, key: &IdempotencyKey) -> String {
        self.key("i:", &format!("{}:{}", account.hex(), key.hex()))
    }

    /// An API key.
    #[must_use]
    pub fn api_key(&self, digest: &KeyDigest) -> String {
        self.key("k:", &digest.to_string())
    }

    fn key(&self, name: &str, of: &str) -> String {
        let mut key = self.prefix();
        key.push_str(name);
        key.push_str(of);
        key
    }
}

/// Writes the keys of debits one after the other into the same memory: a group of them names dozens.
pub(super) struct KeyWriter {
    text: String,
    prefix: usize,
}

impl KeyWriter {
    pub(super) fn new(fence: &Fence) -> Self {
        let text = fence.prefix();
        Self { prefix: text.len(), text }
    }

    /// The account's own key, its lots, lots to come and emptied lots: each is handed on.
    pub(super) fn account(&mut self, account: &AccountId, mut take: impl FnMut(&str)) {
        let mut room = HexRoom::default();
        let account = uuid_hex_in(account.as_uuid(), &mut room);
        for name in [ACCOUNT, LOTS, FUTURE_LOTS, EMPTIED_LOTS] {
            take(self.key(name, account));
        }
    }

    /// The hash of an account.
    pub(super) fn account_hash(&mut self, account: &AccountId) -> &str {
        self.key(ACCOUNT, uuid_hex_in(account.as_uuid(), &mut HexRoom::default()))
    }

    /// The closed mark of an op.
    pub(super) fn closed(&mut self, op: &OpId) -> &str {
        self.key(CLOSED, uuid_hex_in(op.as_uuid(), &mut HexRoom::default()))
    }

    fn key(&mut self, name: &str, of: &str) -> &str {
        self.text.truncate(self.prefix);
        self.text.push_str(name);
        self.text.push_str(of);
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardKind;

    #[test]
    fn all_keys_of_a_shard_live_in_one_slot_and_one_incarnation() {
        let shard = Shard { kind: ShardKind::Accounts, number: 3 };
        let fence = Fence { shard, incarnation: 7, certification: 12 };
        let account = AccountId::from_uuid(uuid::Uuid::from_u128(1));
        assert_eq!(fence.account(&account), "tg:{s003}:7:a:00000000000000000000000000000001");
        assert_eq!(fence.meta(), "tg:{s003}:7:meta");
        let op = OpId::from_uuid(uuid::Uuid::from_u128(2));
        let (mut writer, mut written) = (KeyWriter::new(&fence), Vec::new());
        writer.account(&account, |key| written.push(key.to_owned()));
        let lots = [fence.lots(&account), fence.future_lots(&account), fence.emptied_lots(&account)];
        assert_eq!(written, [&[fence.account(&account)], &lots[..]].concat());
        assert_eq!(writer.closed(&op), fence.closed(&op));
        assert_eq!(writer.account_hash(&account), fence.account(&account));
        assert_eq!(head(shard), "tg:{s003}:head");
    }

    #[test]
    fn every_key_has_a_name_of_its_own_behind_the_prefix_that_a_scan_of_its_incarnation_finds() {
        let fence = Fence { shard: Shard { kind: ShardKind::Keys, number: 3 }, incarnation: 7, certification: 12 };
        let one = uuid::Uuid::from_u128(1);
        let (account, key, under) = (AccountId::from_uuid(one), KeyId::from_uuid(one), IdempotencyKey::of(&[b"k"]));
        let (hex, digest) = (one.as_simple().to_string(), "ab".repeat(32));
        let names = [
            (fence.events(), "events".to_owned()),
            (fence.closed(&OpId::from_uuid(one)), format!("closed:{hex}")),
            (fence.sessions(&account), format!("v:{hex}")),
            (fence.rates(&key), format!("r:{hex}")),
            (fence.idempotency(&account, &under), format!("i:{hex}:{}", under.hex())),
            (fence.api_key(&KeyDigest::from_hex(&digest).unwrap()), format!("k:{digest}")),
        ];
        for (name, expected) in names {
            assert_eq!(name, format!("tg:{{k003}}:7:{expected}"));
        }
        assert_eq!(escape("tg:{k003}:7:*?[a]^\\"), "tg:{k003}:7:\\*\\?\\[a\\]\\^\\\\");
    }
}
