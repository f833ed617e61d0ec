//! What an operator does with API keys.

use ledger::{NewKey, Rotation};
use metering::{Credits, KeyCaps, KeyId, KeyMode, KeyPolicy};
use proptest::sample::Index;
use uuid::Uuid;

use super::{HOUR, Story};
use crate::histories::world::by;

fn random() -> [u8; 32] {
    let mut random = [0; 32];
    random[..16].copy_from_slice(Uuid::now_v7().as_bytes());
    random
}

impl Story<'_> {
    /// Revokes the last key that was issued, or issues one.
    pub(super) async fn revoke(&mut self, index: &Index) {
        let (book, by) = (&self.world.book, by(self.world.now));
        if let Some((_, key, revoked @ false)) = self.keys.last_mut() {
            book.revoke_key(*key, &by).await.unwrap();
            *revoked = true;
            return;
        }
        self.issue(*index.get(&[0, 1]), KeyPolicy::default()).await;
    }

    async fn issue(&mut self, who: usize, policy: KeyPolicy) {
        let (name, mode) = ("a key".to_owned(), KeyMode::Test);
        let new = NewKey { name, mode, expires_at: None, policy, random: random() };
        let (account, by) = (self.accounts[who], by(self.world.now));
        let (_, key) = self.world.book.issue_key(account, &new, &by).await.unwrap();
        self.keys.push((account, key, false));
        self.model.roots.insert(key, key);
    }

    /// Caps the last key that was issued, or issues one with caps. A key that has expired keeps the caps it had.
    pub(super) async fn cap(&mut self, who: usize, day: u64, month: u64) {
        let cap = |credits: u64| Some(credits).filter(|credits| *credits > 0).map(|count| Credits::new(count).unwrap());
        let policy = KeyPolicy::default().with_caps(KeyCaps { day: cap(day), month: cap(month) }).unwrap();
        let Some((_, key, false)) = self.keys.last().copied() else { return self.issue(who, policy).await };
        let _ = self.world.book.set_key_policy(key, &policy, &by(self.world.now)).await;
    }

    /// Both keys are good afterwards, and count as one.
    pub(super) async fn rotate(&mut self) {
        let Some((account, old, false)) = self.keys.last().copied() else { return };
        let rotation = Rotation { grace_ms: HOUR, expires_at: None, random: random() };
        let Ok((_, new, _)) = self.world.book.rotate_key(old, &rotation, &by(self.world.now)).await else { return };
        self.keys.push((account, new, false));
        let root: KeyId = self.model.roots[&old];
        self.model.roots.insert(new, root);
    }
}
