//! Several debits in one call: each answered on its own, in order, seeing what the ones before it did.

use metering::live::{Debit, DebitOutcome, Refusal};
use metering::{AccountId, AccountImage, Change, LotId, Status};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, lot, split, ten_days};
use crate::scene::Scene;

async fn debit_many(scene: &Scene, asks: &[Debit]) -> Vec<DebitOutcome> {
    scene.meter.debit_many(scene.account.shard(scene.stage.count), asks).await.unwrap()
}

fn exhausted(remaining: u64, price: u64) -> DebitOutcome {
    DebitOutcome::Refused(Refusal::CreditsExhausted { remaining: credits(remaining), price: credits(price) })
}

#[tokio::test]
async fn items_of_one_account_see_each_other() {
    let lots = vec![lot(1, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 4)];
    let mut scene = Scene::with(&ada(lots)).await;
    let asks: Vec<Debit> =
        [(1, 2), (2, 2), (3, 4), (4, 3), (5, 1)].map(|(number, price)| ask(scene.account, number, price)).into();
    let outcomes = debit_many(&scene, &asks).await;
    assert_eq!((&outcomes[2], &outcomes[4]), (&exhausted(3, 4), &exhausted(0, 1)));
    let drawn: Vec<_> = [0, 1, 3].map(|item: usize| drawn(outcomes[item].clone())).into();
    let told: Vec<_> = drawn.iter().map(|drawn| (drawn.seq, split(drawn), drawn.remaining.get())).collect();
    assert_eq!(told, [(1, "1:2".into(), 5), (2, "1:1,2:1".into(), 3), (3, "2:3".into(), 0)]);
    let sequences: Vec<u64> = drawn.iter().map(|drawn| drawn.event.sequence).collect();
    assert_eq!(sequences, [2, 3, 4], "refused items leave no gap");
    assert_eq!(scene.events().await.len(), 5);
}

#[tokio::test]
async fn items_of_one_account_share_its_budget() {
    let scene = Scene::with(&bob(5, 1, vec![ten_days(1, 100)])).await;
    let asks = [(1, 3), (2, 3), (3, 2), (4, 1)].map(|(number, price)| ask(scene.account, number, price));
    let outcomes = debit_many(&scene, &asks).await;
    let drew: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, DebitOutcome::Drawn(_))).collect();
    assert_eq!(drew, [true, false, true, false]);
    assert_eq!(scene.snapshot().await.budget_used, credits(5));
}

#[tokio::test]
async fn each_account_of_a_call_pays_for_itself() {
    let scene = &mut Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let here = scene.account.shard(scene.stage.count);
    let neighbours: Vec<AccountId> = (1..)
        .map(|number| AccountId::from_uuid(Uuid::from_u128(number)))
        .filter(|account| account.shard(scene.stage.count) == here)
        .take(3)
        .collect();
    for (number, account) in (10..).zip(&neighbours[..2]) {
        scene.stage.install(&AccountImage { account: *account, ..ada(vec![ten_days(number, 2)]) }).await;
    }
    scene.stage.control(neighbours[1], Change::StatusSet { status: Status::PaymentFailed }).await;
    let asks = [
        ask(neighbours[0], 1, 2),
        ask(scene.account, 2, 5),
        ask(neighbours[1], 3, 1),
        ask(neighbours[2], 4, 1),
        ask(neighbours[0], 5, 1),
    ];
    let outcomes = debit_many(scene, &asks).await;
    assert_eq!(split(&drawn(outcomes[0].clone())), "10:2");
    assert_eq!(split(&drawn(outcomes[1].clone())), "1:5");
    assert_eq!(outcomes[2], DebitOutcome::Refused(Refusal::Status(Status::PaymentFailed)));
    assert_eq!(outcomes[3], DebitOutcome::Refused(Refusal::Installing));
    assert_eq!(outcomes[4], exhausted(0, 1));
}

#[tokio::test]
async fn a_call_without_a_single_debit_writes_nothing() {
    let scene = Scene::with(&ada(vec![ten_days(1, 1)])).await;
    let before = scene.everything().await;
    let asks: Vec<Debit> = (0..20).map(|number| ask(scene.account, number, 2)).collect();
    assert_eq!(debit_many(&scene, &asks).await, vec![exhausted(1, 2); 20]);
    assert_eq!(debit_many(&scene, &[]).await, []);
    scene.nothing_changed_since(&before, "refused").await;
}

#[tokio::test]
async fn two_hundred_items_walk_through_lots_and_a_lot_boundary() {
    let lots = (1..=100).map(|number| lot(number, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY + number))).collect();
    let scene = Scene::with(&ada(lots)).await;
    let asks: Vec<Debit> = (1..=200).map(|number| ask(scene.account, number, 2)).collect();
    let outcomes = debit_many(&scene, &asks).await;
    let drew = outcomes.iter().filter(|outcome| matches!(outcome, DebitOutcome::Drawn(_))).count();
    assert_eq!(drew, 150);
    assert!(outcomes[150..].iter().all(|outcome| *outcome == exhausted(0, 2)));
    assert_eq!(scene.snapshot().await.cached_total, credits(0));
}

#[tokio::test]
async fn an_item_that_ends_a_month_starts_the_next_for_the_items_after_it() {
    let mut scene = Scene::with(&bob(4, 1, vec![lot(1, 100, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY))])).await;
    scene.draw(1, 4).await;
    scene.at(NEW_YEAR.plus_ms(31 * DAY)).await;
    let asks = [2, 3, 4].map(|number| ask(scene.account, number, 2));
    let outcomes = debit_many(&scene, &asks).await;
    assert!(matches!(outcomes[..], [DebitOutcome::Drawn(_), DebitOutcome::Drawn(_), DebitOutcome::Refused(_)]));
    assert_eq!(scene.snapshot().await.budget_used, credits(4));
}

#[tokio::test]
async fn lots_that_expired_together_are_written_anew_once_and_later_items_see_it() {
    let (edge, end) = (NEW_YEAR.plus_ms(10), NEW_YEAR.plus_ms(DAY));
    let lots = vec![lot(1, 3, NEW_YEAR, edge), lot(2, 2, NEW_YEAR, end), lot(3, 2, edge, end)];
    let mut scene = Scene::with(&ada(lots)).await;
    scene.at(edge).await;
    let asks = [1, 2, 3].map(|number| ask(scene.account, number, 2));
    let outcomes = debit_many(&scene, &asks).await;
    assert_eq!(split(&drawn(outcomes[0].clone())), "2:2");
    assert_eq!(split(&drawn(outcomes[1].clone())), "3:2");
    assert_eq!(outcomes[2], exhausted(0, 2));
    assert_eq!(scene.lots().await, [(1, 3), (2, 0), (3, 0)].into(), "the sweep takes lot 1");
    scene.apply(Change::LotExpired { lot: LotId::new(1).unwrap() }).await;
}
