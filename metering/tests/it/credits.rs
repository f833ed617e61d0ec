//! Looking at what an account has: the same numbers as a debit would find, and nothing written.

use metering::live::{BudgetView, CreditsView};
use metering::testing::GENEROUS_CAPS;
use metering::{AccountImage, Status};

use crate::accounts::{DAY, NEW_YEAR, ada, bob, credits, lot, ten_days};
use crate::scene::{Scene, uncertified};

#[tokio::test]
async fn the_view_shows_credits_budget_and_the_next_expiry() {
    let soon = NEW_YEAR.plus_ms(DAY);
    let lots = vec![ten_days(1, 5), lot(2, 3, NEW_YEAR, soon), lot(3, 9, soon, NEW_YEAR.plus_ms(3 * DAY))];
    let mut scene = Scene::with(&bob(20, 1, lots)).await;
    let budget = BudgetView { limit: credits(20), used: credits(0), resets_at: NEW_YEAR.plus_ms(31 * DAY) };
    let mut expected = CreditsView {
        status: Status::Active,
        remaining: credits(8),
        used_this_period: credits(0),
        budget: Some(budget),
        resets_at: budget.resets_at,
        next_expiry: Some((soon, credits(3))),
        at: NEW_YEAR,
    };
    assert_eq!(scene.meter.credits(scene.account).await.unwrap(), expected);
    scene.draw(1, 1).await;
    expected.budget = Some(BudgetView { used: credits(1), ..budget });
    expected = CreditsView { remaining: credits(7), used_this_period: credits(1), ..expected };
    expected.next_expiry = Some((soon, credits(2)));
    assert_eq!(scene.meter.credits(scene.account).await.unwrap(), expected);
    scene.at(soon).await;
    let view = scene.meter.credits(scene.account).await.unwrap();
    assert_eq!((view.remaining, view.next_expiry), (credits(14), Some((NEW_YEAR.plus_ms(3 * DAY), credits(9)))));
}

#[tokio::test]
async fn a_new_month_shows_as_new_before_its_first_debit() {
    let lots = vec![lot(1, 50, NEW_YEAR, NEW_YEAR.plus_ms(366 * DAY))];
    let mut scene = Scene::with(&bob(20, 1, lots)).await;
    scene.draw(1, 5).await;
    scene.at(NEW_YEAR.plus_ms(31 * DAY)).await;
    let view = scene.meter.credits(scene.account).await.unwrap();
    assert_eq!((view.used_this_period, view.resets_at), (credits(0), NEW_YEAR.plus_ms(59 * DAY)));
}

#[tokio::test]
async fn who_has_nothing_sees_nothing() {
    let edge = NEW_YEAR.plus_ms(10);
    let image = AccountImage { status: Status::Suspended, ..ada(vec![lot(1, 5, NEW_YEAR, edge), ten_days(2, 0)]) };
    let mut scene = Scene::with(&image).await;
    scene.at(edge).await;
    let view = scene.meter.credits(scene.account).await.unwrap();
    assert_eq!((view.remaining, view.next_expiry, view.budget), (credits(0), None, None));
    assert_eq!(view.status, Status::Suspended);
}

#[tokio::test]
async fn looking_writes_nothing_and_an_account_that_is_not_there_is_not_shown_as_empty() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let before = scene.everything().await;
    scene.meter.credits(scene.account).await.unwrap();
    scene.meter.snapshot(scene.account).await.unwrap();
    scene.nothing_changed_since(&before, "looked at").await;
    let empty = Scene::empty(scene.account, GENEROUS_CAPS).await;
    uncertified(&empty.meter.credits(empty.account).await.map(drop));
    assert_eq!(empty.meter.snapshot(empty.account).await.unwrap(), None);
}

#[tokio::test]
async fn the_meter_learns_the_time_of_a_shard_from_each_answer() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.at(NEW_YEAR.plus_ms(5 * DAY)).await;
    scene.draw(1, 1).await;
    let learned = scene.meter.shard_now_of(&scene.account);
    assert!(learned >= NEW_YEAR.plus_ms(5 * DAY) && learned < NEW_YEAR.plus_ms(6 * DAY), "{learned}");
}
