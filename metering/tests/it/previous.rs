//! A fleet is replaced one program after the other: an owner of this release serves gateways of the release before.

use metering::live::Fence;
use metering::live::owner::Mode;
use metering::live::scripts::Script;
use metering::testing::GENEROUS_CAPS;
use redis::RedisResult;

use crate::accounts::{ada, ten_days};
use crate::scene::Scene;

/// The look at credits as the release before wrote it.
fn of_the_release_before(process: &str) -> String {
    format!("-- as the release before wrote it\n{}", Script::Credits.text(process))
}

async fn asks(scene: &Scene, fence: &Fence) -> RedisResult<Vec<String>> {
    let script = redis::Script::new(&of_the_release_before(&scene.stage.link.process().run_id));
    let account = &scene.account;
    let keys = [fence.meta(), fence.account(account), fence.lots(account)];
    let more = [fence.future_lots(account), fence.emptied_lots(account)];
    let under = [fence.certification.to_string(), fence.incarnation.to_string()];
    let words =
        ["EVALSHA", script.get_hash(), "5", &keys[0], &keys[1], &keys[2], &more[0], &more[1], &under[0], &under[1]];
    scene.command(&words).await
}

#[tokio::test]
async fn gateways_of_the_release_before_are_served_under_each_certification_and_no_longer() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    let shard = scene.stage.shard_of(&scene.account);
    let first = *shard.fence();
    assert!(asks(&scene, &first).await.is_err(), "no release came before");
    let kept =
        Script::kept().replace("-- @script@ Credits\n", "-- @script@ Credits\n-- as the release before wrote it\n");
    scene.stage.link.previous_release(kept);
    let mut answers = Vec::new();
    for certification in [2, 3] {
        let fence = Fence { certification, ..first };
        let drained = scene.stage.link.look(&first).await.unwrap().unwrap().sequence;
        scene.stage.link.seal(fence.shard, 1).await.unwrap();
        let now = crate::accounts::NEW_YEAR;
        let certified = scene.stage.link.certify(fence, 1, Mode::Same, drained, now, GENEROUS_CAPS).await.unwrap();
        scene.stage.link.open_shard(&certified).await.unwrap();
        answers.push(asks(&scene, &fence).await.unwrap()[3].clone());
        assert!(
            asks(&scene, &Fence { certification: certification - 1, ..first }).await.is_err(),
            "fenced as ours are"
        );
    }
    assert_eq!(answers, ["5", "5"]);
}

/// When a release is cut (`CONTRIBUTING.md`), this writes what it keeps for the next one.
#[test]
#[ignore = "writes a file of the source: for whoever cuts a release"]
fn keep_the_scripts_of_this_release() {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/scripts/previous.lua");
    std::fs::write(place, Script::kept()).unwrap();
}
