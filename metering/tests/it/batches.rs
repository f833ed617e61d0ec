//! Several debits in one call: each answered on its own, in order, seeing what the ones before it did.

use metering::live::owner::DrainNote;
use metering::live::{Debit, DebitOutcome, Drawn, GiveBack, GiveBackOutcome, Refusal};
use metering::{AccountId, AccountImage, Change, LotId, Status};
use uuid::Uuid;

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, drawn, lot, split, ten_days};
use crate::scene::{Scene, another_op, give_back};

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
async fn each_debit_of_a_call_is_given_back_by_its_own_event() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 100)])).await;
    let asks = [1, 2, 3, 4, 5].map(|number| ask(scene.account, number, u64::try_from(number).unwrap()));
    let drawn: Vec<_> = debit_many(&scene, &asks).await.into_iter().map(drawn).collect();
    for (number, left) in [(3_u64, 88), (1, 89), (5, 94)] {
        let own = &drawn[usize::try_from(number).unwrap() - 1];
        let back = scene.give_back(number.into(), own).await;
        let (returned, lapsed, remaining) = (credits(number), credits(0), credits(left));
        assert_eq!(back, GiveBackOutcome::Returned { returned, lapsed, remaining });
        assert_eq!(scene.give_back(number.into(), own).await, GiveBackOutcome::AlreadyClosed);
    }
    for (other, expected) in [(&drawn[2], GiveBackOutcome::BecameUndo), (&drawn[4], GiveBackOutcome::AlreadyClosed)] {
        let out_of_place = Drawn { event: other.event, ..drawn[1].clone() };
        let asked = GiveBack { op: another_op(), ..give_back(scene.account, 2, &out_of_place) };
        assert_eq!(scene.meter.give_back(&asked).await.unwrap(), expected, "{} is another's", other.event);
    }
    assert_eq!(scene.snapshot().await.cached_total, credits(94), "nothing was taken from another's event");
    let kinds: Vec<_> = scene.events().await.iter().map(|event| event.body.kind()).collect();
    assert_eq!(
        kinds[2..],
        ["debit", "debit", "debit", "debit", "debit", "give_back", "give_back", "give_back", "undo"]
    );
}

#[tokio::test]
async fn the_events_of_calls_are_read_from_anywhere_and_stay_as_long_as_the_last_of_their_call() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 1_000)])).await;
    let calls: [std::ops::Range<u128>; 5] = [0..1, 1..65, 65..67, 67..130, 130..200];
    for call in calls {
        let asks: Vec<Debit> = call.map(|number| ask(scene.account, number, 1)).collect();
        debit_many(&scene, &asks).await;
    }
    let entries: usize =
        scene.command(&["XLEN", &scene.stage.shard_of(&scene.account).fence().events()]).await.unwrap();
    assert_eq!(entries, 2 + 5, "an entry a call, behind the shard's beginning and the account");
    let all = scene.events().await;
    assert_eq!(all.iter().map(|event| event.id.sequence).collect::<Vec<_>>(), (0..202).collect::<Vec<_>>());
    let fence = *scene.stage.shard_of(&scene.account).fence();
    for (first, most) in [(0, 1), (2, 1), (3, 3), (4, 62), (66, 2), (68, 1), (69, 64), (100, 500), (201, 1), (202, 9)] {
        let expected: Vec<_> = all.iter().skip(first).take(most).cloned().collect();
        let read = scene.stage.link.events_from(&fence, first as u64, most).await.unwrap();
        assert_eq!(read, expected, "{most} from {first} on");
    }
    let place = |number: usize| all[number].id.sequence;
    let shard = scene.stage.shard_of(&scene.account);
    for (keep_from, first_kept) in
        [(place(67), 67), (place(68), 67), (place(69), 69), (place(131), 69), (place(132), 132)]
    {
        let note = DrainNote { drained: 201, keep_from, ..DrainNote::default() };
        scene.stage.link.note_drained(&shard, &note).await.unwrap();
        assert_eq!(scene.events().await, all[first_kept..], "kept from {keep_from} on");
    }
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

/// `count` debits that ask for the same, the ops from a number on.
fn alike(scene: &Scene, first: u128, count: u128, price: u64) -> Vec<Debit> {
    (first..first + count).map(|number| ask(scene.account, number, price)).collect()
}

async fn entries(scene: &Scene) -> usize {
    scene.command(&["XLEN", &scene.stage.shard_of(&scene.account).fence().events()]).await.unwrap()
}

#[tokio::test]
async fn debits_that_ask_for_the_same_are_one_line_and_each_an_event_that_can_be_given_back() {
    let mut scene = Scene::with(&bob(60, 1, vec![ten_days(1, 100)])).await;
    let asks = [alike(&scene, 1, 4, 3), alike(&scene, 5, 1, 2), alike(&scene, 6, 3, 3)].concat();
    let drawn: Vec<_> = debit_many(&scene, &asks).await.into_iter().map(drawn).collect();
    let told: Vec<_> = drawn
        .iter()
        .map(|it| (it.event.sequence, it.seq, split(it), it.remaining.get(), it.budget.unwrap().used.get()))
        .collect();
    let three = |sequence, seq, remaining, used| (sequence, seq, "1:3".to_owned(), remaining, used);
    let expected = [
        three(2, 1, 97, 3),
        three(3, 2, 94, 6),
        three(4, 3, 91, 9),
        three(5, 4, 88, 12),
        (6, 5, "1:2".to_owned(), 86, 14),
        three(7, 6, 83, 17),
        three(8, 7, 80, 20),
        three(9, 8, 77, 23),
    ];
    assert_eq!(told, expected);
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let raw: Vec<(String, Vec<String>)> = scene.command(&["XRANGE", &fence.events(), "1-2", "+"]).await.unwrap();
    let lines: usize = raw.iter().map(|(_, fields)| fields[1].split('\n').count()).sum();
    assert_eq!(lines, 3, "a line for each that asks for something else: {raw:?}");
    let events = scene.events().await;
    for (asked, (event, drawn)) in asks.iter().zip(events[2..].iter().zip(&drawn)) {
        let metering::Body::Debit { seq, op, credits, split, remaining_after, .. } = &event.body else {
            panic!("{event:?}")
        };
        assert_eq!((event.id, *op, *credits), (drawn.event, asked.op, asked.credits));
        assert_eq!((*seq, split, *remaining_after), (drawn.seq, &drawn.split, drawn.remaining));
    }
    for (number, left) in [(3, 80), (1, 83), (8, 86), (5, 88)] {
        let back = scene.give_back(number, &drawn[usize::try_from(number).unwrap() - 1]).await;
        let price = if number == 5 { 2 } else { 3 };
        let (returned, lapsed, remaining) = (credits(price), credits(0), credits(left));
        assert_eq!(back, GiveBackOutcome::Returned { returned, lapsed, remaining }, "{number}");
    }
}

#[tokio::test]
async fn of_debits_that_ask_for_the_same_as_many_are_drawn_as_there_are_credits_for() {
    for (lots, limit, used) in [
        (vec![ten_days(1, 7)], 0, [2, 4, 6]),
        (vec![lot(1, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 4)], 0, [2, 4, 6]),
        (vec![ten_days(1, 100)], 7, [2, 4, 6]),
    ] {
        let scene = Scene::with(&bob(limit, 1, lots)).await;
        let asks = alike(&scene, 1, 5, 2);
        let outcomes = debit_many(&scene, &asks).await;
        let drew: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, DebitOutcome::Drawn(_))).collect();
        assert_eq!(drew, [true, true, true, false, false], "{outcomes:?}");
        assert_eq!(scene.snapshot().await.budget_used, credits(used[2]));
    }
}

#[tokio::test]
async fn debits_that_ask_for_the_same_are_answered_as_each_would_be_alone() {
    let plenty = || vec![ten_days(1, 100)];
    let suspended = || AccountImage { status: Status::Suspended, ..ada(plenty()) };
    let images: [&dyn Fn() -> AccountImage; 7] = [
        &|| ada(vec![ten_days(1, 1)]),
        &|| ada(vec![lot(1, 1, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 2)]),
        &|| ada(vec![]),
        &|| bob(1, 1, plenty()),
        &|| bob(5, 1, plenty()),
        &|| bob(1, 1, vec![]),
        &suspended,
    ];
    for (number, image) in images.iter().enumerate() {
        let (together, alone) = (Scene::with(&image()).await, Scene::with(&image()).await);
        let outcomes = debit_many(&together, &alike(&together, 1, 4, 2)).await;
        for (outcome, ask) in outcomes.iter().zip(alike(&alone, 1, 4, 2)) {
            let expected = debit_many(&alone, &[ask]).await.remove(0);
            let remaining = |outcome: &DebitOutcome| match outcome {
                DebitOutcome::Drawn(drawn) => Ok(drawn.remaining),
                DebitOutcome::Refused(refusal) => Err(*refusal),
            };
            assert_eq!(remaining(outcome), remaining(&expected), "account {number}: {outcomes:?}");
        }
        assert_eq!(together.snapshot().await.budget_used, alone.snapshot().await.budget_used);
    }
}

#[tokio::test]
async fn what_a_brief_call_can_t_decide_goes_in_a_second_behind_what_it_can() {
    let scene = Scene::with(&ada(vec![lot(1, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY)), ten_days(2, 40)])).await;
    let asks = [alike(&scene, 1, 2, 1), alike(&scene, 3, 1, 5), alike(&scene, 4, 3, 1)].concat();
    let before = entries(&scene).await;
    let drawn: Vec<_> = debit_many(&scene, &asks).await.into_iter().map(drawn).collect();
    let told: Vec<_> = drawn.iter().map(|it| (it.event.sequence, it.seq, split(it), it.remaining.get())).collect();
    let expected = [
        (2, 1, "1:1", 42),
        (3, 2, "1:1", 41),
        (4, 3, "1:1,2:4", 36),
        (5, 4, "2:1", 35),
        (6, 5, "2:1", 34),
        (7, 6, "2:1", 33),
    ];
    assert_eq!(told, expected.map(|(event, seq, split, left)| (event, seq, split.to_owned(), left)));
    assert_eq!(entries(&scene).await - before, 3, "the brief call's, that of the lot that ran out, and the rest");
}

#[tokio::test]
async fn while_an_undo_is_pending_each_debit_is_looked_up_on_its_own() {
    let scene = Scene::with(&ada(vec![ten_days(1, 10)])).await;
    scene.undo(2).await;
    let outcomes = debit_many(&scene, &alike(&scene, 1, 3, 1)).await;
    assert!(matches!(
        outcomes[..],
        [DebitOutcome::Drawn(_), DebitOutcome::Refused(Refusal::Closed), DebitOutcome::Drawn(_)]
    ));
}

#[tokio::test]
async fn debits_with_other_deadlines_are_judged_by_their_own() {
    let scene = Scene::with(&ada(vec![ten_days(1, 10)])).await;
    let mut asks = alike(&scene, 1, 3, 1);
    asks[1].not_after = NEW_YEAR;
    let outcomes = debit_many(&scene, &asks).await;
    assert!(matches!(
        outcomes[..],
        [DebitOutcome::Drawn(_), DebitOutcome::Refused(Refusal::TooLate), DebitOutcome::Drawn(_)]
    ));
}

#[tokio::test]
async fn callers_who_come_at_once_are_each_served_across_lots_that_run_out() {
    let lots = (1..=30).map(|number| lot(number, 3, NEW_YEAR, NEW_YEAR.plus_ms(DAY + number))).collect();
    let scene = Scene::with(&ada(lots)).await;
    let asks = alike(&scene, 1, 60, 2);
    let outcomes = futures::future::join_all(asks.iter().map(|ask| scene.meter.debit(ask))).await;
    let drew = outcomes.iter().filter(|outcome| matches!(outcome, Ok(DebitOutcome::Drawn(_)))).count();
    assert_eq!(drew, 45, "{outcomes:?}");
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome.as_ref().unwrap() == exhausted(0, 2)).count(), 15);
    assert_eq!(scene.snapshot().await.cached_total, credits(0));
}
