//! Sessions ended before they expire: what live state keeps of it, and whom it tells.

use std::time::Duration;

use futures::StreamExt;
use metering::live::owner::{ControlOutcome, ControlRow};
use metering::live::{AccountStanding, Changed};
use metering::testing::Stage;
use metering::{AccountImage, Body, Change, ControlKind, SessionSubject, SessionVersion, SessionVersions, Status};

use crate::accounts::{ada, ask, drawn, ten_days};
use crate::scene::{Scene, uncertified};

fn person(name: &str) -> SessionSubject {
    name.parse().unwrap()
}

fn version(number: u64) -> SessionVersion {
    SessionVersion::new(number).unwrap()
}

fn ended(subject: Option<&str>, number: u64) -> Change {
    Change::SessionsEnded { subject: subject.map(person), version: version(number) }
}

async fn standing(scene: &Scene) -> AccountStanding {
    scene.meter.standing(scene.account).await.unwrap()
}

/// From which version on sessions of these two, and of anybody else, are good.
async fn good_from(scene: &Scene) -> [u64; 3] {
    let sessions = standing(scene).await.sessions;
    assert_eq!(scene.snapshot().await.sessions, sessions, "verification sees the same");
    ["ann", "bob", "anybody"].map(|name| sessions.least(&person(name).digest()).get())
}

#[tokio::test]
async fn nobody_was_signed_out_and_nothing_is_kept_of_it() {
    let scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    assert_eq!(
        standing(&scene).await,
        AccountStanding { status: Status::Active, sessions: SessionVersions::default() }
    );
    let key = scene.stage.shard_of(&scene.account).fence().sessions(&scene.account);
    assert!(!scene.key_exists(&key).await);
}

#[tokio::test]
async fn sessions_end_for_a_person_or_for_everybody_and_never_come_back() {
    let mut scene = Scene::with(&ada(vec![ten_days(1, 5)])).await;
    scene.apply(ended(Some("ann"), 1)).await;
    let Body::Control { change, seq, .. } = scene.last_event().await else { panic!("no control") };
    assert_eq!((change, seq), (ControlKind::SessionsEnded, 1));
    assert_eq!(good_from(&scene).await, [1, 0, 0]);
    scene.apply(ended(Some("bob"), 7)).await;
    scene.apply(ended(Some("ann"), 3)).await;
    assert_eq!(good_from(&scene).await, [3, 7, 0]);
    scene.apply(ended(None, 5)).await;
    assert_eq!(good_from(&scene).await, [5, 7, 5]);
    assert_eq!(standing(&scene).await.sessions.subjects.len(), 1, "everybody's makes a lower one needless");
    scene.apply(ended(Some("ann"), 2)).await;
    scene.apply(ended(Some("bob"), 6)).await;
    scene.apply(ended(None, 4)).await;
    assert_eq!(good_from(&scene).await, [5, 7, 5], "none was lowered");
    scene.apply(ended(None, SessionVersion::new(9_007_199_254_740_991).unwrap().get())).await;
    assert_eq!(good_from(&scene).await, [9_007_199_254_740_991; 3]);
    assert_eq!(drawn(scene.meter.debit(&ask(scene.account, 1, 1)).await.unwrap()).seq, 9, "credits are another matter");
}

#[tokio::test]
async fn a_change_that_does_not_follow_ends_nothing() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let before = scene.everything().await;
    let late = ControlRow { row: 9, account: scene.account, version: 3, change: ended(Some("ann"), 1) };
    assert_eq!(scene.stage.control_row(&late).await, ControlOutcome::Gap);
    scene.nothing_changed_since(&before, "version 2 is missing").await;
}

#[tokio::test]
async fn what_ended_is_ended_after_live_state_is_built_anew() {
    let mut scene = Scene::with(&ada(vec![])).await;
    scene.apply(ended(Some("ann"), 1)).await;
    scene.apply(ended(None, 4)).await;
    scene.apply(ended(Some("bob"), 6)).await;
    let sessions = standing(&scene).await.sessions;
    scene.redis.start_again_empty();
    scene.stage = Stage::open(&scene.redis.url(), 2, 9).await;
    scene.meter = scene.stage.meter().await;
    uncertified(&scene.meter.standing(scene.account).await); // not installed: nobody can say
    scene.stage.install(&AccountImage { sessions, ..ada(vec![]) }).await;
    assert_eq!(good_from(&scene).await, [4, 6, 4]);
    scene.stage.install(&ada(vec![])).await;
    assert_eq!(good_from(&scene).await, [0; 3], "an install leaves nothing of what was there");
}

#[tokio::test]
async fn as_many_persons_as_an_account_may_keep_are_installed_and_freed() {
    let mut sessions = SessionVersions { everybody: version(2), ..SessionVersions::default() };
    for number in 0..SessionVersions::SUBJECTS_MAX {
        sessions.raise(Some(person(&format!("person {number}")).digest()), version(3));
    }
    let mut scene = Scene::with(&AccountImage { sessions: sessions.clone(), ..ada(vec![]) }).await;
    assert_eq!(standing(&scene).await.sessions, sessions);
    scene.apply(ended(None, 3)).await;
    let left = SessionVersions { everybody: version(3), ..SessionVersions::default() };
    assert_eq!(standing(&scene).await.sessions, left);
}

#[tokio::test]
async fn gateways_are_told_whose_standing_changed() {
    let mut scene = Scene::with(&ada(vec![])).await;
    let mut changes = Box::pin(scene.meter.changes().await.unwrap());
    scene.apply(ended(Some("ann"), 1)).await;
    scene.apply(Change::BudgetSet { limit: crate::accounts::credits(5) }).await; // nothing a session needs to know
    scene.apply(Change::StatusSet { status: Status::Suspended }).await;
    let installed = AccountImage { seq: 3, ..ada(vec![]) };
    scene.stage.install(&installed).await;
    for what in ["sessions ended", "a status", "an install"] {
        let told = tokio::time::timeout(Duration::from_secs(10), changes.next()).await.unwrap();
        assert_eq!(told, Some(Changed::Account(scene.account)), "{what}");
    }
    assert_eq!(standing(&scene).await.status, Status::Active);
}
