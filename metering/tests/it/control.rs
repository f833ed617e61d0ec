//! Control changes: each kind, in version order, once.

use metering::live::owner::{ControlOutcome, ControlRow};
use metering::live::{BudgetView, Refusal};
use metering::testing::GENEROUS_CAPS;
use metering::{Body, BudgetAnchor, Change, ControlKind, Credits, LotId, Status, TimeMs, lots};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, lot, op, split, ten_days};
use crate::scene::Scene;

fn lot_id(number: u64) -> LotId {
    LotId::new(number).unwrap()
}

fn granted(number: u64, count: u64, granted_at: TimeMs, expires_at: TimeMs) -> Change {
    Change::LotGranted { lot: lot_id(number), credits: credits(count), granted_at, expires_at }
}

/// What the last event, a control change, says of credits: returned, lapsed, taken.
async fn moved(scene: &mut Scene, kind: ControlKind) -> [String; 3] {
    let Body::Control { change, returned, lapsed, taken, .. } = scene.last_event().await else { panic!("no control") };
    assert_eq!(change, kind);
    [&returned, &lapsed, &taken].map(|split| lots::write(split))
}

#[tokio::test]
async fn an_account_begins_with_its_first_change_and_nothing_else_begins_one() {
    let mut scene = Scene::empty(ada(vec![]).account, GENEROUS_CAPS).await;
    let created = Change::AccountCreated { status: Status::Trial, anchor: BudgetAnchor::new(15).unwrap() };
    let before = scene.everything().await;
    assert_eq!(scene.control(Change::StatusSet { status: Status::Active }).await, ControlOutcome::Gap);
    scene.nothing_changed_since(&before, "refused").await;
    scene.apply(created.clone()).await;
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.seq, snapshot.control_version, snapshot.status), (1, 1, Status::Trial));
    assert_eq!(scene.control(created).await, ControlOutcome::Gap, "an account begins once");
    scene.apply(granted(1, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY))).await;
    scene.apply(Change::BudgetSet { limit: credits(2) }).await;
    let resets_at = NEW_YEAR.plus_ms(14 * DAY);
    let budget = BudgetView { limit: credits(2), used: credits(1), resets_at };
    assert_eq!(scene.draw(1, 1).await.budget, Some(budget), "its month begins on the 15th");
}

#[tokio::test]
async fn a_version_is_applied_once_and_a_gap_is_said() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let account = scene.account;
    let row = |row, version| {
        let change = Change::LotReduced { lot: lot_id(1), credits: credits(1) };
        ControlRow { row, account, version, change }
    };
    assert_eq!(scene.stage.control_row(&row(50, 2)).await, ControlOutcome::Applied);
    let before = scene.everything().await;
    assert_eq!(scene.stage.control_row(&row(50, 2)).await, ControlOutcome::Already, "sent again");
    assert_eq!(scene.stage.control_row(&row(51, 2)).await, ControlOutcome::Gap, "the same version of another row");
    assert_eq!(scene.stage.control_row(&row(1, 1)).await, ControlOutcome::Already, "older than what is there");
    assert_eq!(scene.stage.control_row(&row(52, 4)).await, ControlOutcome::Gap, "version 3 is missing");
    scene.nothing_changed_since(&before, "none of these wrote").await;
    assert_eq!(scene.stage.control_row(&row(52, 3)).await, ControlOutcome::Applied);
    assert_eq!(scene.lots().await, [(1, 3)].into());
    let Body::Control { seq, row, version, .. } = scene.last_event().await else { panic!("no control") };
    assert_eq!((seq, row, version), (2, 52, 3));
}

#[tokio::test]
async fn a_status_is_obeyed_from_its_change_on() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    for status in Status::ALL {
        scene.apply(Change::StatusSet { status }).await;
        assert_eq!(scene.snapshot().await.status, status);
    }
    assert_eq!(scene.refuse(1, 1).await, Refusal::Status(Status::Suspended));
}

#[tokio::test]
async fn a_grant_of_now_later_or_before_lands_where_it_belongs() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let tomorrow = NEW_YEAR.plus_ms(DAY);
    scene.apply(granted(1, 3, NEW_YEAR, tomorrow)).await;
    assert_eq!(moved(&mut scene, ControlKind::LotGranted).await, ["1:3".to_owned(), String::new(), String::new()]);
    scene.apply(granted(2, 4, tomorrow, tomorrow.plus_ms(DAY))).await;
    scene.apply(granted(3, 5, NEW_YEAR.minus_ms(DAY), NEW_YEAR)).await;
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.cached_total, snapshot.next_change), (credits(3), tomorrow));
    assert_eq!(scene.lots().await, [(1, 3), (2, 4), (3, 5)].into());
    scene.at(tomorrow).await;
    assert_eq!(split(&scene.draw(1, 4).await), "2:4");
    assert_eq!(scene.refuse(2, 1).await, Refusal::CreditsExhausted { remaining: credits(0), price: credits(1) });
}

#[tokio::test]
async fn a_lot_that_is_there_already_is_not_granted_again() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.draw(1, 5).await;
    scene.apply(granted(1, 5, NEW_YEAR, NEW_YEAR.plus_ms(DAY))).await;
    assert_eq!(moved(&mut scene, ControlKind::LotGranted).await, ["", "", ""]);
    assert_eq!(scene.lots().await, [(1, 0)].into());
}

#[tokio::test]
async fn an_expiry_moved_back_ends_a_lot_and_moved_on_revives_what_is_left() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5), ten_days(2, 7)])).await;
    let to = |lot, expires_at| Change::LotExpiryMoved { lot: lot_id(lot), expires_at };
    scene.draw(1, 1).await;
    scene.apply(to(1, NEW_YEAR)).await;
    assert_eq!(moved(&mut scene, ControlKind::LotExpiryMoved).await, ["", "", ""]);
    assert_eq!(split(&scene.draw(2, 1).await), "2:1", "half-open: it ends at that instant");
    scene.apply(to(2, NEW_YEAR.plus_ms(20 * DAY))).await;
    scene.apply(to(1, NEW_YEAR.plus_ms(19 * DAY))).await;
    assert_eq!(split(&scene.draw(3, 5).await), "1:4,2:1", "and burns where its new expiry puts it");
    scene.apply(to(99, NEW_YEAR)).await; // a lot that live state no longer has
    assert_eq!(scene.lots().await, [(1, 0), (2, 5)].into());
}

#[tokio::test]
async fn an_expiry_moved_on_does_not_revive_an_empty_lot_that_is_past_it_whatever_happened_meanwhile() {
    for something_happens_meanwhile in [false, true] {
        let edge = NEW_YEAR.plus_ms(10);
        let mut scene = Scene::with(&ada(vec![lot(1, 2, NEW_YEAR, edge), ten_days(2, 5)])).await;
        let drawn = scene.draw(1, 2).await;
        scene.at(edge).await;
        if something_happens_meanwhile {
            scene.draw(2, 1).await;
            scene.apply(Change::StatusSet { status: Status::Trial }).await;
        }
        scene.apply(Change::LotExpiryMoved { lot: lot_id(1), expires_at: edge.plus_ms(DAY) }).await;
        scene.give_back(1, &drawn).await;
        let Body::GiveBack { returned, lapsed, .. } = scene.last_event().await else { panic!("no give-back") };
        let written = (lots::write(&returned), lots::write(&lapsed));
        assert_eq!(written, (String::new(), "1:2".to_owned()), "{something_happens_meanwhile}");
    }
}

#[tokio::test]
async fn a_reduction_takes_what_is_there_and_says_how_much() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5), ten_days(2, 2)])).await;
    let reduce = |lot, count| Change::LotReduced { lot: lot_id(lot), credits: credits(count) };
    scene.draw(1, 1).await;
    for (change, taken) in [(reduce(1, 3), "1:3"), (reduce(1, 3), "1:1"), (reduce(1, 3), ""), (reduce(99, 1), "")] {
        scene.apply(change).await;
        assert_eq!(moved(&mut scene, ControlKind::LotReduced).await, ["", "", taken]);
    }
    assert_eq!(split(&scene.draw(2, 2).await), "2:2");
}

#[tokio::test]
async fn the_sweep_takes_what_is_left_of_a_lot_and_never_too_early() {
    let edge = NEW_YEAR.plus_ms(10);
    let mut scene = Scene::with(&ada(vec![lot(1, 5, NEW_YEAR, edge), ten_days(2, 1)])).await;
    scene.draw(1, 2).await;
    let sweep = Change::LotExpired { lot: lot_id(1) };
    scene.at(edge.minus_ms(1)).await;
    let before = scene.everything().await;
    assert_eq!(scene.control(sweep.clone()).await, ControlOutcome::Early);
    scene.nothing_changed_since(&before, "refused").await;
    scene.at(edge).await;
    scene.apply(sweep.clone()).await;
    assert_eq!(moved(&mut scene, ControlKind::LotExpired).await, ["", "", "1:3"]);
    assert_eq!(scene.lots().await, [(2, 1)].into());
    scene.apply(sweep).await;
    assert_eq!(moved(&mut scene, ControlKind::LotExpired).await, ["", "", ""], "a second sweep finds nothing");
}

#[tokio::test]
async fn a_settled_undo_gives_back_to_lots_that_live_and_says_what_lapsed() {
    let edge = NEW_YEAR.plus_ms(10);
    let mut scene = Scene::with(&bob(100, 1, vec![lot(1, 2, NEW_YEAR, edge), ten_days(2, 4)])).await;
    let drawn = scene.draw(1, 5).await;
    scene.undo(1).await;
    scene.at(edge).await;
    let period_end = drawn.budget.unwrap().resets_at;
    let settled = Change::UndoSettled {
        debit_op: op(1),
        split: drawn.split,
        period_end,
        counted: true,
        key: None,
        debited_at: TimeMs::EPOCH,
    };
    scene.apply(settled).await;
    assert_eq!(moved(&mut scene, ControlKind::UndoSettled).await, ["2:3", "1:2", ""]);
    let snapshot = scene.snapshot().await;
    assert_eq!((snapshot.budget_used, snapshot.cached_total, snapshot.undos), (credits(0), credits(4), 0));
}

#[tokio::test]
async fn a_settled_undo_of_another_month_leaves_this_months_budget_alone() {
    let mut scene = Scene::with(&bob(100, 1, vec![lot(1, 50, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY))])).await;
    let january = scene.draw(1, 5).await;
    scene.undo(1).await;
    scene.at(NEW_YEAR.plus_ms(31 * DAY)).await;
    scene.draw(2, 7).await;
    let period_end = january.budget.unwrap().resets_at;
    let settled = Change::UndoSettled {
        debit_op: op(1),
        split: january.split,
        period_end,
        counted: true,
        key: None,
        debited_at: TimeMs::EPOCH,
    };
    scene.apply(settled).await;
    assert_eq!(scene.snapshot().await.budget_used, credits(7));
}

#[tokio::test]
async fn a_frozen_account_takes_no_change_not_even_one_it_has() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.apply(Change::BudgetSet { limit: Credits::ZERO }).await;
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    scene.stage.link.freeze(&shard, &account, 1).await.unwrap();
    let before = scene.everything().await;
    for version in [1, 2, 3, 4] {
        let change = Change::BudgetSet { limit: credits(1) };
        let row = ControlRow { row: 1, account, version, change };
        assert_eq!(scene.stage.control_row(&row).await, ControlOutcome::Frozen);
    }
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn changes_sent_in_one_go_are_answered_in_order() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let (shard, account) = (scene.stage.shard_of(&scene.account), scene.account);
    let rows: Vec<ControlRow> = [2, 3, 5, 4, 5]
        .into_iter()
        .map(|version| {
            let change = granted(version, version, NEW_YEAR, NEW_YEAR.plus_ms(DAY));
            ControlRow { row: version, account, version, change }
        })
        .collect();
    let outcomes = scene.stage.link.control(&shard, &rows).await.unwrap();
    let applied = ControlOutcome::Applied;
    assert_eq!(outcomes, [applied, applied, ControlOutcome::Gap, applied, applied]);
    assert_eq!(drawn(scene.meter.debit(&ask(account, 1, 14)).await.unwrap()).remaining, credits(0));
}
