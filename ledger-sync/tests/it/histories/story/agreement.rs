//! That Redis, the book and the model say the same.

use std::collections::{BTreeMap, BTreeSet};

use ledger::LotState;
use metering::live::owner::{ControlOutcome, ControlRow};
use metering::{AccountId, AccountImage, IdempotencyMark, KeyCaps, KeyId, LotId, LotImage, TimeMs};

use super::{HOUR, Story};
use crate::histories::world::World;
use crate::model::{Account, DAY, Lot};

/// What a lot holds and when, by number.
type Lots = BTreeMap<LotId, Lot>;

fn lots_of(images: &[LotImage], keep: impl Fn(&Lot) -> bool) -> Lots {
    let lots = images.iter().map(|lot| {
        let (left, granted_at, expires_at) = (lot.remaining.get(), lot.granted_at, lot.expires_at);
        (lot.lot, Lot { left, granted_at, expires_at })
    });
    lots.filter(|(_, lot)| keep(lot)).collect()
}

fn kept(lots: &Lots, keep: impl Fn(&Lot) -> bool) -> Lots {
    lots.iter().filter(|(_, lot)| keep(lot)).map(|(id, lot)| (*id, *lot)).collect()
}

impl Story<'_> {
    /// Redis has what the model has, lot by lot. An empty lot past its expiry may be there or not.
    pub(super) async fn live_state_agrees(&self) {
        let now = self.world.now;
        for id in self.accounts {
            let (live, model) = (self.world.meter.snapshot(id).await.unwrap().unwrap(), &self.model.accounts[&id]);
            let matters = |lot: &Lot| lot.left > 0 || now < lot.expires_at;
            assert_eq!(lots_of(&live.lots, matters), kept(&model.lots, matters), "lots in Redis, and in the model");
            assert_eq!(
                (live.at, live.seq, live.control_version, live.control_row, live.status, live.frozen, live.undos),
                (now, model.seq, model.version, model.row, model.status, model.frozen, model.undos)
            );
            assert_eq!(
                (live.budget_limit.get(), live.budget_used.get(), live.budget_period_end),
                (model.limit, model.used, model.period_end)
            );
            for count in &live.key_counts {
                let counted = (count.day_used.get(), count.period_used.get());
                let drawn = (model.drawn_on(count.of, count.day), model.drawn_in(count.of, count.period_end));
                assert_eq!(counted, drawn, "{count:?}");
            }
            assert_eq!(live.sessions, model.sessions, "sessions in Redis, and in the model");
            if now < live.next_change {
                assert_eq!(live.cached_total.get(), model.remaining(now), "head and tail");
            }
        }
    }

    /// Everything in the stream is in the book: each lot holds what it holds in live state. Grants on their way count already.
    pub(super) async fn the_book_follows(&self) {
        for id in self.accounts {
            let (view, model) =
                (self.world.book.account_view(id, self.world.now).await.unwrap(), &self.model.accounts[&id]);
            for lot in &view.lots {
                let held = model.lots.get(&lot.lot).map(|lot| lot.left);
                let on_its_way = held.is_none() && lot.remaining == lot.original;
                assert!(
                    on_its_way || lot.remaining.get() == held.unwrap_or(0),
                    "{lot:?} in the book, {held:?} in live state"
                );
            }
            assert_eq!((view.seq, view.overdraft.get()), (model.seq, 0));
            assert_eq!(view.budget.used.get(), model.used_now(self.world.now), "the budget's use");
        }
    }

    /// The picture to install is live state with every change on its way applied. Answers that.
    pub(super) fn image_agrees(&self, image: &AccountImage, pending: &[ControlRow]) -> Account {
        let now = self.world.now;
        let mut expected: Account = self.model.accounts[&image.account].clone();
        let mut rows: Vec<&ControlRow> = pending.iter().filter(|row| row.version > expected.version).collect();
        rows.sort_by_key(|row| row.change.kind().moves_credits()); // the book's lots have their new expiries already
        for row in rows {
            expected.apply(&row.change, &self.model.roots, now);
            (expected.version, expected.row) = (expected.version.max(row.version), expected.row.max(row.row));
        }
        let gone = |id: &LotId| expected.gone.contains(id); // gone in live state, and back in the book
        let mut lots = lots_of(&image.lots, |lot| lot.left > 0);
        let mut expected_lots = kept(&expected.lots, |lot| lot.left > 0);
        lots.retain(|id, _| !gone(id));
        expected_lots.retain(|id, _| !gone(id));
        assert_eq!(lots, expected_lots, "lots in the image, and in the model");
        let revoked: BTreeSet<KeyId> = image.revoked_keys.iter().copied().collect();
        assert_eq!(
            (image.seq, image.control_version, image.control_row, image.status, &revoked, image.open_undos.len()),
            (expected.seq, expected.version, expected.row, expected.status, &expected.revoked, undos(&expected))
        );
        assert_eq!(
            (image.budget_limit.get(), image.budget_used.get(), image.budget_period_end),
            (expected.limit, expected.used, expected.period_end)
        );
        self.image_brings_caps_and_marks(image, &expected);
        assert_eq!(image.sessions, expected.sessions);
        expected
    }

    fn image_brings_caps_and_marks(&self, image: &AccountImage, expected: &Account) {
        let caps: BTreeMap<KeyId, KeyCaps> = image.key_caps.iter().map(|cap| (cap.key, cap.caps)).collect();
        let capped = |key: &KeyId| expected.caps.get(key).is_some_and(|caps| !caps.is_empty());
        let roots: BTreeSet<KeyId> =
            self.model.roots.iter().filter(|(key, _)| capped(key)).map(|(_, root)| *root).collect();
        let counted = self.model.roots.iter().filter(|(_, root)| roots.contains(root));
        let expected_caps = counted.map(|(key, _)| (*key, expected.caps.get(key).copied().unwrap_or_default()));
        assert_eq!(caps, expected_caps.collect());
        assert!(image.key_caps.iter().all(|cap| self.model.roots[&cap.key] == cap.of), "{:?}", image.key_caps);
        let counted: BTreeSet<KeyId> = image.key_counts.iter().map(|count| count.of).collect();
        assert_eq!(counted, caps.keys().map(|key| self.model.roots[key]).collect());
        let expected = Account { counted: expected.days.clone(), ..expected.clone() }; // the book counts every key
        for count in &image.key_counts {
            let days = expected.days.keys().filter(|(root, _)| *root == count.of).map(|(_, day)| *day);
            let in_book = (count.day, count.day_used.get(), count.period_used.get());
            let period = expected.drawn_in(count.of, count.period_end);
            let day = days.max().unwrap_or(0);
            assert_eq!(in_book, (day, expected.drawn_on(count.of, day), period), "{count:?}");
        }
        let since = self.world.now.minus_ms(DAY);
        let mark = |mark: &IdempotencyMark| (mark.under.key, mark.op, mark.under.fingerprint, mark.at);
        let marks: BTreeSet<_> = image.idempotency.iter().map(mark).collect();
        assert_eq!(marks, expected.marks.values().filter(|mark| mark.at > since).map(mark).collect());
    }

    /// Lets everything on its way arrive; then each op holds what it should. Sweeps every lot; then all three agree, and
    /// nothing is left anywhere.
    pub async fn end_in_agreement(mut self) -> World {
        self.wait_until(self.world.now.plus_ms(HOUR + 1)); // no op lives longer
        self.drain(false).await;
        self.world.book.settle_undos(self.world.fence, self.world.now).await.unwrap();
        self.everything_arrives().await;
        self.live_state_agrees().await;
        self.the_book_follows().await;
        self.each_op_was_drawn_once_or_given_back();
        self.outcomes_agree().await;
        self.wait_until(self.last_expiry().await);
        self.world.book.expire_due(self.world.fence, self.world.now, 0, 1_000).await.unwrap();
        self.everything_arrives().await;
        self.all_agree().await;
        self.world
    }

    fn each_op_was_drawn_once_or_given_back(&self) {
        for account in self.model.accounts.values() {
            for (op, holds) in &account.holds {
                let price = self.debits.iter().find(|known| known.ask.op == *op).map(|known| known.ask.credits.get());
                let kept = account.ended.get(op).copied().unwrap_or(u64::MAX);
                let expected = price.unwrap_or(0).min(kept);
                assert_eq!(*holds, expected, "{op}");
            }
        }
    }

    /// When the last of the lots is over, by the book: it may have moved one on that live state no longer has.
    async fn last_expiry(&self) -> TimeMs {
        let mut last = self.world.now;
        for account in self.accounts {
            let view = self.world.book.account_view(account, self.world.now).await.unwrap();
            last = view.lots.iter().map(|lot| lot.expires_at).fold(last, TimeMs::max);
        }
        last
    }

    async fn everything_arrives(&mut self) {
        loop {
            for account in self.accounts {
                if self.model.accounts[&account].frozen {
                    self.install(account).await;
                }
            }
            self.drain(false).await;
            let rows = self.pending(&self.accounts).await;
            if rows.is_empty() {
                return;
            }
            let mut after = self.model.clone();
            let outcomes: Vec<(AccountId, ControlOutcome)> =
                rows.iter().map(|row| (row.account, after.control(row))).collect();
            self.send(rows).await;
            let anew = |account: &AccountId| outcomes.contains(&(*account, ControlOutcome::NeedsInstall));
            for account in self.accounts.into_iter().filter(anew) {
                self.install(account).await;
            }
            let stuck =
                outcomes.iter().filter(|(account, outcome)| *outcome != ControlOutcome::Applied && !anew(account));
            assert_eq!(stuck.count(), 0, "{outcomes:?}");
        }
    }

    /// At rest: every lot is swept, nothing is on its way, and the book agrees with itself.
    async fn all_agree(&self) {
        self.live_state_agrees().await;
        for id in self.accounts {
            let view = self.world.book.account_view(id, self.world.now).await.unwrap();
            let model = &self.model.accounts[&id];
            assert_eq!((view.undelivered, view.control_version, view.seq), (0, model.version, model.seq));
            assert_eq!((view.status, view.budget.limit.get(), model.undos), (model.status, model.limit, 0));
            assert_eq!((view.budget.used.get(), view.overdraft.get()), (model.used_now(self.world.now), 0));
            assert!(view.lots.iter().all(|lot| lot.state == LotState::Swept), "{:?}", view.lots);
            assert!(view.lots.iter().all(|lot| lot.remaining.is_zero()), "{:?}", view.lots);
            assert_eq!((view.remaining.get(), model.remaining(self.world.now)), (0, 0));
        }
        let differences = self.world.book.recompute(&self.accounts).await.unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }
}

fn undos(account: &Account) -> usize {
    usize::try_from(account.undos).unwrap()
}
