//! Numbers up to 2^53 − 1, and what would be more than can be counted: refused before anything is written.

use metering::live::owner::DrainNote;
use metering::live::{DebitOutcome, Drawn, GiveBackOutcome, Refusal};
use metering::{AccountImage, Change, Credits, LotId, TimeMs};

use crate::accounts::{DAY, NEW_YEAR, ada, ask, bob, credits, lot, op, split};
use crate::scene::Scene;

const LARGEST: u64 = metering::credits::LARGEST;
const END: TimeMs = NEW_YEAR.plus_ms(400 * DAY);

/// The shard still works, and its stream is where meta says.
async fn the_shard_works(scene: &mut Scene) {
    let sequence = scene.events().await.last().unwrap().id.sequence;
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let counted = scene.stage.link.look(&fence).await.unwrap().unwrap().sequence;
    assert_eq!(counted, sequence, "events without their effect");
    scene.apply(Change::StatusSet { status: metering::Status::Trial }).await;
}

#[tokio::test]
async fn the_largest_lot_is_drawn_to_its_last_credit_and_given_back() {
    let mut scene = Scene::with(&ada(vec![lot(1, LARGEST, NEW_YEAR, TimeMs::new(u64::MAX))])).await;
    let one = scene.draw(1, 1).await;
    assert_eq!(one.remaining, credits(LARGEST - 1));
    let rest = scene.draw(2, LARGEST - 1).await;
    assert_eq!((rest.remaining, split(&rest)), (credits(0), format!("1:{}", LARGEST - 1)));
    let back = scene.give_back(2, &rest).await;
    let expected = GiveBackOutcome::Returned {
        returned: credits(LARGEST - 1),
        lapsed: credits(0),
        remaining: credits(LARGEST - 1),
    };
    assert_eq!(back, expected);
    scene.give_back(1, &one).await;
    let shard = scene.stage.shard_of(&scene.account);
    let note = DrainNote { drained: 5, credits: LARGEST, keep_from: 5, closed: vec![], marks: vec![] };
    scene.stage.link.note_drained(&shard, &note).await.unwrap();
    assert_eq!(scene.draw(3, LARGEST).await.remaining, credits(0), "no credit was lost to rounding");
    the_shard_works(&mut scene).await;
}

#[tokio::test]
async fn large_lots_are_split_exactly() {
    let (half, rest) = (LARGEST / 2, LARGEST - LARGEST / 2);
    let scene = Scene::with(&ada(vec![lot(1, half, NEW_YEAR, END.minus_ms(1)), lot(2, rest, NEW_YEAR, END)])).await;
    let most = scene.draw(1, LARGEST - 1).await;
    assert_eq!((split(&most), most.remaining), (format!("1:{half},2:{}", rest - 1), credits(1)));
    assert_eq!(split(&scene.draw(2, 1).await), "2:1");
}

#[tokio::test]
async fn the_largest_budget_is_a_cap_to_the_credit() {
    let image = AccountImage {
        budget_used: credits(LARGEST - 5),
        budget_period_end: NEW_YEAR.plus_ms(31 * DAY),
        ..bob(LARGEST, 1, vec![lot(1, LARGEST, NEW_YEAR, END)])
    };
    let mut scene = Scene::with(&image).await;
    assert!(matches!(scene.refuse(1, 6).await, Refusal::BudgetExhausted { .. }));
    assert!(matches!(scene.refuse(1, LARGEST).await, Refusal::BudgetExhausted { .. }));
    assert_eq!(scene.draw(2, 5).await.budget.unwrap().left(), Credits::ZERO);
    the_shard_works(&mut scene).await;
}

#[tokio::test]
async fn use_beyond_counting_is_refused_even_without_a_budget_and_hurts_no_other_item_of_the_call() {
    let image = AccountImage {
        budget_used: credits(LARGEST - 5),
        budget_period_end: NEW_YEAR.plus_ms(31 * DAY),
        ..ada(vec![lot(1, 100, NEW_YEAR, END)])
    };
    let mut scene = Scene::with(&image).await;
    let asks = [(1, 1), (2, 5), (3, 4)].map(|(number, price)| ask(scene.account, number, price));
    let outcomes = scene.meter.debit_many(scene.account.shard(scene.stage.count), &asks).await.unwrap();
    let refused = matches!(outcomes[1], DebitOutcome::Refused(Refusal::BudgetExhausted { .. }));
    assert!(refused && matches!(outcomes[2], DebitOutcome::Drawn(_)), "{outcomes:?}");
    the_shard_works(&mut scene).await;
}

#[tokio::test]
async fn lots_that_hold_more_than_can_be_counted_are_not_granted_or_installed() {
    let image = ada(vec![lot(1, LARGEST, NEW_YEAR, END)]);
    let mut scene = Scene::with(&image).await;
    let account = scene.account;
    let shard = scene.stage.shard_of(&account);
    let before = scene.everything().await;
    for granted_at in [NEW_YEAR, NEW_YEAR.plus_ms(1)] {
        let change =
            Change::LotGranted { lot: LotId::new(2).unwrap(), credits: credits(1), granted_at, expires_at: END };
        let row = metering::live::owner::ControlRow { row: 2, account, version: 2, change };
        assert!(scene.stage.link.control(&shard, &[row]).await.is_err(), "granted at {granted_at}");
        let two =
            AccountImage { lots: vec![lot(1, LARGEST, NEW_YEAR, END), lot(2, 1, granted_at, END)], ..image.clone() };
        assert!(scene.stage.link.install(&shard, &[two]).await.is_err(), "granted at {granted_at}");
    }
    scene.nothing_changed_since(&before, "refused").await;
    the_shard_works(&mut scene).await;
}

#[tokio::test]
async fn a_give_back_that_would_make_more_than_can_be_counted_is_an_error_and_writes_nothing() {
    let mut scene = Scene::with(&ada(vec![lot(1, LARGEST, NEW_YEAR, END)])).await;
    let drawn: Drawn = scene.draw(1, 2).await;
    let (lot, granted_at) = (LotId::new(2).unwrap(), NEW_YEAR);
    scene.apply(Change::LotGranted { lot, credits: credits(2), granted_at, expires_at: END }).await;
    let before = scene.everything().await;
    let outcome = scene.meter.give_back(&crate::scene::give_back(scene.account, 1, &drawn)).await;
    assert!(outcome.is_err(), "{outcome:?}");
    scene.nothing_changed_since(&before, "refused").await;
    the_shard_works(&mut scene).await;
}

/// Asks for two debits of which the second is written by hand: how many ops, credits, `not_after`, route.
async fn debit_with(scene: &Scene, second: [&str; 4]) -> redis::RedisResult<redis::Value> {
    debit_of(scene, ["1", "whole", "1"], second).await
}

/// The same, and how many accounts there are, in what form, and which of them pays for the second.
async fn debit_of(scene: &Scene, how: [&str; 3], second: [&str; 4]) -> redis::RedisResult<redis::Value> {
    use metering::live::scripts::Script;
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let mut command = redis::cmd("EVALSHA");
    command
        .arg(redis::Script::new(&Script::Debit.text(&scene.stage.link.process().run_id)).get_hash())
        .arg(8)
        .arg(fence.meta())
        .arg(fence.events());
    let account = &scene.account;
    command.arg(fence.account(account)).arg(fence.lots(account)).arg(fence.future_lots(account));
    command.arg(fence.emptied_lots(account)).arg(fence.closed(&op(1))).arg(fence.closed(&op(2)));
    let ([accounts, form, whose], [ops, price, not_after, route]) = (how, second);
    command.arg(accounts).arg(form).arg(account.hex());
    command.arg(1).arg(1).arg(1).arg(LARGEST).arg("").arg("v1").arg(op(1).hex());
    command.arg(whose).arg(ops).arg(price).arg(not_after).arg("").arg(route).arg(op(2).hex());
    command.arg(fence.certification).arg(fence.incarnation);
    command.query_async(&mut scene.connection.clone()).await
}

#[tokio::test]
async fn what_is_no_whole_number_up_to_2_pow_53_is_refused_before_any_item_is_drawn() {
    let mut scene = Scene::with(&ada(vec![lot(1, 100, NEW_YEAR, END)])).await;
    let before = scene.everything().await;
    let far = "9007199254740991";
    for odd in [
        "",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "nan",
        "inf",
        " 1",
        "1 ",
        "9007199254740992",
        "9007199254740993",
        "9999999999999999",
        "99999999999999999999",
    ] {
        assert!(debit_with(&scene, ["1", odd, far, "v1"]).await.is_err(), "price '{odd}'");
        assert!(debit_with(&scene, ["1", "1", odd, "v1"]).await.is_err(), "not_after '{odd}'");
        assert!(debit_with(&scene, [odd, "1", far, "v1"]).await.is_err(), "ops '{odd}'");
        for how in [[odd, "whole", "1"], ["1", odd, "1"], ["1", "whole", odd]] {
            assert!(debit_of(&scene, how, ["1", "1", far, "v1"]).await.is_err(), "accounts, form, account: {how:?}");
        }
    }
    for undeclared in ["0", "2"] {
        let how = ["1", "whole", undeclared];
        assert!(debit_of(&scene, how, ["1", "1", far, "v1"]).await.is_err(), "account '{undeclared}'");
    }
    assert!(debit_with(&scene, ["1", "0", far, "v1"]).await.is_err(), "a debit of nothing");
    assert!(debit_with(&scene, ["2", "1", far, "v1"]).await.is_err(), "an op that is not there");
    assert!(debit_with(&scene, ["0", "1", far, "v1"]).await.is_err(), "an op that was not announced");
    assert!(
        debit_of(&scene, ["2", "whole", "1"], ["1", "1", far, "v1"]).await.is_err(),
        "an account that is not there"
    );
    scene.nothing_changed_since(&before, "refused").await;
    debit_with(&scene, ["1", "1", far, "v1"]).await.unwrap();
    the_shard_works(&mut scene).await;
}
