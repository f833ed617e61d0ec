//! Every key in Redis.
//!
//! All keys of a shard carry its hash tag (`{s003}`), so that they live in one cluster slot and a script touches one slot.
//! What belongs to one incarnation carries its number too; a new incarnation shares no key with the one before.

use crate::{AccountId, KeyDigest, OpId, Shard};

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

/// Channel on which the owner of a key shard tells gateways which key digests changed.
pub const KEY_CHANGES: &str = "tg:key_changes";

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
        self.key("meta", "")
    }

    /// The stream of events.
    #[must_use]
    pub fn events(&self) -> String {
        self.key("events", "")
    }

    /// The account: money, policy, the head lot.
    #[must_use]
    pub fn account(&self, account: &AccountId) -> String {
        self.key("a:", &account.hex())
    }

    /// Lots that can be drawn after the head lot, by expiry; lots past their expiry until they are swept.
    #[must_use]
    pub fn lots(&self, account: &AccountId) -> String {
        self.key("l:", &account.hex())
    }

    /// Lots that can't be drawn yet, by their first instant.
    #[must_use]
    pub fn future_lots(&self, account: &AccountId) -> String {
        self.key("f:", &account.hex())
    }

    /// Lots without credits that may still get some back.
    #[must_use]
    pub fn emptied_lots(&self, account: &AccountId) -> String {
        self.key("e:", &account.hex())
    }

    /// A debit that was given back or undone; rare path only.
    #[must_use]
    pub fn closed(&self, debit_op: &OpId) -> String {
        self.key("closed:", &debit_op.hex())
    }

    /// An API key.
    #[must_use]
    pub fn api_key(&self, digest: &KeyDigest) -> String {
        self.key("k:", &digest.to_string())
    }

    fn key(&self, name: &str, of: &str) -> String {
        let prefix = self.prefix();
        let mut key = String::with_capacity(prefix.len().saturating_add(name.len()).saturating_add(of.len()));
        key.push_str(&prefix);
        key.push_str(name);
        key.push_str(of);
        key
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
        assert_eq!(head(shard), "tg:{s003}:head");
    }
}
