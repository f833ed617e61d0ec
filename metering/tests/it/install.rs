//! Writing accounts from the book, and stopping them until then.

use metering::live::owner::{ControlOutcome, ControlRow, InstallOutcome};
use metering::live::{DebitOutcome, GiveBackOutcome, Refusal, UndoOutcome};
use metering::testing::GENEROUS_CAPS;
use metering::{AccountId, AccountImage, Body, BudgetAnchor, Change, KeyId, LotImage, Status, TimeMs};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, key, lot, op, split, ten_days};
use crate::scene::Scene;

/// An account in the midst of its life, with something in every field.
fn of_everything() -> AccountImage {
    AccountImage {
        seq: 41,
        control_version: 9,
        control_row: 900,
        status: Status::Approved,
        anchor: BudgetAnchor::new(28).unwrap(),
        budget_used: credits(7),
        budget_period_end: NEW_YEAR.plus_ms(27 * DAY),
        revoked_keys: vec![key(1), key(2)],
        lots: vec![
            ten_days(1, 5),
            ten_days(2, 0),
            lot(3, 4, NEW_YEAR.minus_ms(DAY), NEW_YEAR),
            lot(4, 6, NEW_YEAR.plus_ms(DAY), NEW_YEAR.plus_ms(2 * DAY)),
        ],
        open_undos: vec![op(1), op(2)],
        ..bob(100, 1, vec![])
    }
}

fn sorted(mut lots: Vec<LotImage>) -> Vec<LotImage> {
    lots.sort_by_key(|lot| lot.lot.as_u64());
    lots
}

/// Live state says what the image says.
async fn as_the_book_has_it(scene: &Scene, image: &AccountImage) {
    let live = scene.snapshot().await;
    assert_eq!(sorted(live.lots.clone()), sorted(image.lots.clone()));
    assert_eq!(
        (live.seq, live.control_version, live.control_row, live.status, live.frozen),
        (image.seq, image.control_version, image.control_row, image.status, false)
    );
    assert_eq!(
        (live.budget_limit, live.budget_used, live.budget_period_end, live.undos),
        (image.budget_limit, image.budget_used, image.budget_period_end, 2)
    );
    assert_eq!(live.drawable_at(live.at), Some(live.cached_total));
}

#[tokio::test]
async fn an_account_goes_on_where_the_book_is() {
    let image = of_everything();
    let mut scene = Scene::with(&image).await;
    as_the_book_has_it(&scene, &image).await;
    let installed = Body::Installed { account: image.account, seq: 41, control_version: 9 };
    assert_eq!(scene.last_event().await, installed);
    for undone in [1, 2] {
        assert_eq!(scene.refuse(undone, 1).await, Refusal::Closed);
        assert_eq!(scene.undo(undone).await, UndoOutcome::AlreadyClosed);
    }
    for revoked in [1, 2] {
        let with_key = metering::live::Debit { key: Some(key(revoked)), ..ask(image.account, 3, 1) };
        let outcome = scene.meter.debit(&with_key).await.unwrap();
        assert_eq!(outcome, DebitOutcome::Refused(Refusal::KeyRevoked));
    }
    let next = scene.draw(3, 2).await;
    let budget = next.budget.unwrap();
    assert_eq!(
        (next.seq, split(&next).as_str(), budget.used, budget.resets_at),
        (42, "1:2", credits(9), image.budget_period_end)
    );
    let row =
        ControlRow { row: 901, account: image.account, version: 10, change: Change::BudgetSet { limit: credits(9) } };
    assert_eq!(scene.stage.control_row(&row).await, ControlOutcome::Applied);
}

#[tokio::test]
async fn installing_again_at_the_same_seq_changes_only_the_stream() {
    let image = of_everything();
    let mut scene = Scene::with(&image).await;
    assert_eq!(scene.stage.install(&image).await, InstallOutcome::Installed);
    as_the_book_has_it(&scene, &image).await;
    assert_eq!(scene.events().await.len(), 3, "opened and twice installed");
}

#[tokio::test]
async fn an_install_read_before_a_debit_is_refused_and_writes_nothing() {
    let image = ada(vec![ten_days(1, 5)]);
    let mut scene = Scene::with(&image).await;
    scene.draw(1, 2).await;
    let before = scene.everything().await;
    assert_eq!(scene.stage.install(&image).await, InstallOutcome::Moved);
    let ahead = AccountImage { seq: 2, ..image.clone() };
    assert_eq!(scene.stage.install(&ahead).await, InstallOutcome::Moved, "the book can't be ahead");
    scene.nothing_changed_since(&before, "refused").await;
    let drained = AccountImage { seq: 1, lots: vec![ten_days(1, 3)], ..image };
    assert_eq!(scene.stage.install(&drained).await, InstallOutcome::Installed);
    assert_eq!(scene.lots().await, [(1, 3)].into());
}

#[tokio::test]
async fn nothing_of_what_was_there_is_left() {
    let mut scene = Scene::with(&of_everything()).await;
    let image = AccountImage { seq: 41, ..ada(vec![ten_days(9, 1)]) };
    let image = AccountImage { account: scene.account, ..image };
    assert_eq!(scene.stage.install(&image).await, InstallOutcome::Installed);
    assert_eq!(scene.lots().await, [(9, 1)].into());
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.undos, snapshot.budget_limit), (0, credits(0)));
    let with_key = metering::live::Debit { key: Some(key(1)), ..ask(image.account, 3, 1) };
    assert!(matches!(scene.meter.debit(&with_key).await.unwrap(), DebitOutcome::Drawn(_)), "no key is revoked now");
    let none = AccountImage { seq: 42, ..ada(vec![]) };
    let none = AccountImage { account: scene.account, ..none };
    assert_eq!(scene.stage.install(&none).await, InstallOutcome::Installed);
    let fence = *scene.stage.shard_of(&scene.account).fence();
    for key in [fence.lots(&image.account), fence.future_lots(&image.account), fence.emptied_lots(&image.account)] {
        assert!(!scene.key_exists(&key).await, "{key}");
    }
}

#[tokio::test]
async fn thousands_of_revoked_keys_and_a_thousand_lots_are_written() {
    let image = AccountImage {
        revoked_keys: (0..2_500).map(key).collect(),
        lots: (1..=1_000).map(|number| ten_days(number, 1)).collect(),
        ..ada(vec![])
    };
    let scene = Scene::with(&image).await;
    for revoked in [0, 999, 1_000, 2_499] {
        let key = Some(KeyId::from_uuid(Uuid::from_u128(revoked)));
        let outcome = scene.meter.debit(&metering::live::Debit { key, ..ask(image.account, 3, 1) }).await.unwrap();
        assert_eq!(outcome, DebitOutcome::Refused(Refusal::KeyRevoked));
    }
    assert_eq!(scene.draw(1, 1_000).await.split.len(), 1_000);
}

#[tokio::test]
async fn the_mark_of_an_undo_that_an_install_brought_goes_with_its_settlement() {
    let image = AccountImage { open_undos: vec![op(1), op(2)], ..ada(vec![ten_days(1, 5)]) };
    let mut scene = Scene::with(&image).await;
    assert_eq!(scene.closed_mark(1).await.as_deref(), Some("installed"));
    let settled = Change::UndoSettled {
        debit_op: op(1),
        split: vec![],
        period_end: TimeMs::EPOCH,
        counted: true,
        key: None,
        debited_at: TimeMs::EPOCH,
    };
    scene.apply(settled).await;
    assert_eq!((scene.closed_mark(1).await, scene.snapshot().await.undos), (None, 1));
    assert_eq!(scene.refuse(2, 1).await, Refusal::Closed);
}

#[tokio::test]
async fn a_frozen_account_waits_and_an_install_lets_it_go_on() {
    let image = ada(vec![ten_days(1, 5)]);
    let mut scene = Scene::with(&image).await;
    let drawn = scene.draw(1, 2).await;
    let shard = scene.stage.shard_of(&image.account);
    assert_eq!(scene.stage.link.freeze(&shard, &image.account, 7).await.unwrap(), Some(1));
    assert_eq!(scene.stage.link.freeze(&shard, &image.account, 8).await.unwrap(), Some(1), "twice is as once");
    assert!(scene.snapshot().await.frozen);
    let before = scene.everything().await;
    assert_eq!(scene.refuse(2, 1).await, Refusal::Frozen);
    assert_eq!(scene.give_back(1, &drawn).await, GiveBackOutcome::Deferred);
    assert_eq!(scene.undo(2).await, UndoOutcome::Deferred);
    scene.nothing_changed_since(&before, "no event comes between reading the book and writing").await;
    assert_eq!(scene.meter.credits(image.account).await.unwrap().remaining, credits(3), "looking is allowed");
    let drained = AccountImage { seq: 1, lots: vec![ten_days(1, 3)], ..image };
    assert_eq!(scene.stage.install(&drained).await, InstallOutcome::Installed);
    assert!(!scene.snapshot().await.frozen);
    assert_eq!(scene.draw(2, 1).await.seq, 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_frozen() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    let before = scene.everything().await;
    assert_eq!(scene.stage.link.freeze(&shard, &account, 1).await.unwrap(), None);
    scene.nothing_changed_since(&before, "refused").await;
    assert_eq!(scene.refuse(1, 1).await, Refusal::Installing);
}

#[tokio::test]
async fn many_accounts_are_written_in_one_go_each_answered() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 1).await;
    let here = scene.account.shard(scene.stage.count);
    let accounts: Vec<AccountId> = (1..)
        .map(|number| AccountId::from_uuid(Uuid::from_u128(number)))
        .filter(|account| account.shard(scene.stage.count) == here)
        .take(3)
        .collect();
    let mut images: Vec<AccountImage> =
        accounts.iter().map(|account| AccountImage { account: *account, ..ada(vec![]) }).collect();
    images.insert(1, ada(vec![ten_days(1, 5)]));
    let shard = scene.stage.shard_of(&scene.account);
    let outcomes = scene.stage.link.install(&shard, &images).await.unwrap();
    let installed = InstallOutcome::Installed;
    assert_eq!(outcomes, [installed, InstallOutcome::Moved, installed, installed]);
}
