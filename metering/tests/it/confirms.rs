//! Debits with a deadline: confirmed once, moved on, or closed by something else before, whoever asks.

use metering::live::owner::{Caps, DrainNote};
use metering::live::{
    Confirm, ConfirmOutcome, Debit, Drawn, Exposure, GiveBackOutcome, Progress, Refusal, UndoOutcome,
};
use metering::testing::GENEROUS_CAPS;
use metering::{AccountId, Body, Ended, RequestOutcome, TimeMs};
use uuid::Uuid;

use crate::accounts::{NEW_YEAR, ada, ask, credits, drawn, op, ten_days};
use crate::scene::{Scene, give_back, unavailable, uncertified, undo};

const OUTCOME: RequestOutcome =
    RequestOutcome { upstream_status: Some(200), answer_bytes: 5_213, duration_ms: 1_834, ended: Ended::Complete };

fn over(account: AccountId, number: u128) -> Confirm {
    Confirm { debit_op: op(number), account, progress: Progress::Over { credits: credits(2), outcome: OUTCOME } }
}

fn goes_on(account: AccountId, number: u128, hold_until: TimeMs) -> Confirm {
    Confirm { debit_op: op(number), account, progress: Progress::GoesOn { hold_until } }
}

impl Scene {
    async fn draw_until_a_deadline(&self, number: u128) -> Drawn {
        let ask = Debit { hold_until: Some(NEW_YEAR.plus_ms(60_000)), ..ask(self.account, number, 2) };
        drawn(self.meter.debit(&ask).await.unwrap())
    }

    async fn says(&self, asks: &[Confirm]) -> Vec<ConfirmOutcome> {
        self.meter.confirm(self.account.shard(self.stage.count), asks).await.unwrap()
    }
}

#[tokio::test]
async fn a_debit_is_confirmed_once_and_no_credit_moves() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    scene.draw_until_a_deadline(1).await;
    let before = scene.snapshot().await;
    assert_eq!(scene.says(&[over(scene.account, 1)]).await, [ConfirmOutcome::Confirmed]);
    let said = Body::Confirm { account: scene.account, debit_op: op(1), credits: credits(2), outcome: OUTCOME };
    assert_eq!(scene.last_event().await, said);
    assert_eq!(scene.closed_mark(1).await.as_deref(), Some("confirm"));
    let after = scene.snapshot().await;
    assert_eq!((after.seq, &after.lots, after.budget_used), (before.seq, &before.lots, before.budget_used));
    let everything = scene.everything().await;
    let again = [over(scene.account, 1), goes_on(scene.account, 1, NEW_YEAR.plus_ms(99_000))];
    assert_eq!(scene.says(&again).await, [ConfirmOutcome::AlreadyClosed; 2]);
    scene.nothing_changed_since(&everything, "confirmed before").await;
}

#[tokio::test]
async fn of_confirming_giving_back_and_undoing_the_first_wins() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 30)])).await;
    let mut debits = Vec::new();
    for number in 1..=4 {
        debits.push(scene.draw_until_a_deadline(number).await);
    }
    let (account, shard) = (scene.account, scene.stage.shard_of(&scene.account));
    assert_eq!(scene.says(&[over(account, 1)]).await, [ConfirmOutcome::Confirmed]);
    scene.give_back(2, &debits[1]).await;
    assert_eq!(scene.undo(3).await, UndoOutcome::Marked);
    assert_eq!(scene.stage.link.release(&shard, &undo(account, 4)).await.unwrap(), UndoOutcome::Marked);
    let before = scene.everything().await;
    for number in 1..=4 {
        let drawn = &debits[usize::try_from(number).unwrap() - 1];
        assert_eq!(scene.says(&[over(account, number)]).await, [ConfirmOutcome::AlreadyClosed], "{number}");
        let back = scene.meter.give_back(&give_back(account, number, drawn)).await.unwrap();
        assert_eq!(back, GiveBackOutcome::AlreadyClosed, "{number}");
        assert_eq!(scene.undo(number).await, UndoOutcome::AlreadyClosed, "{number}");
        assert_eq!(scene.stage.link.release(&shard, &undo(account, number)).await.unwrap(), UndoOutcome::AlreadyClosed);
    }
    scene.nothing_changed_since(&before, "closed before").await;
}

#[tokio::test]
async fn a_request_that_goes_on_says_so_as_often_as_it_likes_and_is_still_given_back() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    let drawn = scene.draw_until_a_deadline(1).await;
    for until in [80_000, 90_000] {
        let hold_until = NEW_YEAR.plus_ms(until);
        assert_eq!(scene.says(&[goes_on(scene.account, 1, hold_until)]).await, [ConfirmOutcome::Extended]);
        let said = Body::Extend { account: scene.account, debit_op: op(1), hold_until };
        assert_eq!(scene.last_event().await, said);
    }
    assert_eq!(scene.closed_mark(1).await, None);
    assert!(matches!(scene.give_back(1, &drawn).await, GiveBackOutcome::Returned { .. }));
    assert_eq!(
        scene.says(&[goes_on(scene.account, 1, NEW_YEAR.plus_ms(99_000))]).await,
        [ConfirmOutcome::AlreadyClosed]
    );
}

#[tokio::test]
async fn a_call_is_about_many_accounts_whatever_state_they_are_in() {
    use ConfirmOutcome::{AlreadyClosed, Confirmed, Extended};

    let mut scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    let here = scene.account.shard(scene.stage.count);
    let not_installed = (1..1_000)
        .map(|number| AccountId::from_uuid(Uuid::from_u128(number)))
        .find(|account| account.shard(scene.stage.count) == here)
        .unwrap();
    scene.draw_until_a_deadline(1).await;
    scene.draw_until_a_deadline(2).await;
    let shard = scene.stage.shard_of(&scene.account);
    scene.stage.link.freeze(&shard, &scene.account, 1).await.unwrap();
    let sequence = scene.events().await.len();
    let asks = [
        over(scene.account, 1),
        over(not_installed, 7),
        over(scene.account, 1),
        goes_on(scene.account, 2, NEW_YEAR),
        goes_on(scene.account, 1, NEW_YEAR),
    ];
    assert_eq!(scene.says(&asks).await, [Confirmed, Confirmed, AlreadyClosed, Extended, AlreadyClosed]);
    let said: Vec<_> = scene.events().await[sequence..].iter().map(|event| event.body.kind()).collect();
    assert_eq!(said, ["confirm", "confirm", "extend"]);
    assert!(scene.snapshot().await.frozen);
}

#[tokio::test]
async fn nonsense_in_one_item_refuses_the_whole_call() {
    let scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    scene.draw_until_a_deadline(1).await;
    let before = scene.everything().await;
    let progress = Progress::Over { credits: credits(0), outcome: OUTCOME }; // a debit draws at least 1
    let nonsense = Confirm { debit_op: op(2), account: scene.account, progress };
    let answer = scene.meter.confirm(scene.account.shard(scene.stage.count), &[over(scene.account, 1), nonsense]).await;
    assert!(answer.is_err(), "{answer:?}");
    scene.nothing_changed_since(&before, "nonsense").await;
}

#[tokio::test]
async fn without_memory_or_certification_nothing_is_written() {
    let scene = Scene::with(&ada(vec![ten_days(1, 9)])).await;
    scene.draw_until_a_deadline(1).await;
    let shard = scene.account.shard(scene.stage.count);
    let asks = [over(scene.account, 1), goes_on(scene.account, 2, NEW_YEAR), over(scene.account, 3)];
    let before = scene.everything().await;
    scene.run_out_of_memory().await;
    unavailable(&scene.meter.confirm(shard, &asks).await);
    scene.find_memory_again().await;
    let _: String = scene.command(&["SCRIPT", "FLUSH"]).await.unwrap();
    uncertified(&scene.meter.confirm(shard, &asks).await);
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn what_is_confirmed_is_exposed_until_it_is_in_the_book() {
    let mut scene = Scene::with_caps(&ada(vec![ten_days(1, 99)]), Caps { credits: 5, ..GENEROUS_CAPS }).await;
    let shard = scene.stage.shard_of(&scene.account);
    scene.draw_until_a_deadline(1).await;
    let note = |drained| DrainNote { drained, credits: 2, keep_from: 0, closed: vec![], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note(2)).await.unwrap();
    scene.says(&[over(scene.account, 1)]).await;
    assert_eq!(scene.refuse(2, 4).await, Refusal::ExposureCap { what: Exposure::Credits });
    scene.stage.link.note_drained(&shard, &note(3)).await.unwrap();
    scene.draw(2, 4).await;
}
