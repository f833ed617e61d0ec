//! What an account costs in Redis.

use metering::AccountImage;

use crate::accounts::{DAY, NEW_YEAR, bob, credits, lot};
use crate::scene::Scene;

/// Bytes of the keys of an account, as Redis counts them.
async fn bytes(scene: &Scene) -> usize {
    let fence = *scene.stage.shard_of(&scene.account).fence();
    let account = &scene.account;
    let mut sum = 0;
    for key in [fence.account(account), fence.lots(account), fence.future_lots(account), fence.emptied_lots(account)] {
        let used: Option<usize> = scene.command(&["MEMORY", "USAGE", &key]).await.unwrap();
        sum += used.unwrap_or(0);
    }
    sum
}

#[tokio::test]
async fn an_account_with_three_lots_and_a_budget_takes_less_than_half_a_kilobyte() {
    let lots =
        (1..=3).map(|number| lot(1_000_000 + number, 100_000, NEW_YEAR, NEW_YEAR.plus_ms(DAY * number))).collect();
    let image = AccountImage {
        seq: 1_234_567,
        control_version: 40,
        control_row: 7_654_321,
        budget_used: credits(12_345),
        budget_period_end: NEW_YEAR.plus_ms(31 * DAY),
        ..bob(1_000_000, 1, lots)
    };
    let scene = Scene::with(&image).await;
    scene.draw(1, 1).await;
    let fresh = bytes(&scene).await;
    assert!(fresh < 512, "{fresh} bytes with three lots");
    scene.draw(2, 100_000).await;
    let used = bytes(&scene).await;
    assert!(used < 640, "{used} bytes with two lots and an emptied one");
    println!("an account with three lots: {fresh} bytes; one of them emptied: {used} bytes");
}
