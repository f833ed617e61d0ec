//! Events that can't be applied, in the hands of a real ledger-sync: its shard goes on, and operators decide.

use ledger::testing::{TestDatabase, database};
use ledger::{DecisionState, LetterId};
use metering::live::{DebitOutcome, Fence, Meter};
use metering::testing::{RedisServer, append_by_hand};
use metering::{AccountId, Status};

use crate::process::{Sync, wait_until};
use crate::stories::{ada, ask, by, credits, draw_one, wait_remaining};

/// Two customers of one shard, each with 100 credits, and whoever serves them.
struct Scene {
    redis: RedisServer,
    book: TestDatabase,
    sync: Sync,
    meter: Meter,
    ada: AccountId,
    bob: AccountId,
    fence: Fence,
}

impl Scene {
    async fn begins() -> Self {
        let (redis, book) = (RedisServer::start(), database().await);
        let sync = Sync::start(&redis.url(), &book.url).await;
        let meter = Meter::connect(&redis.url()).await.unwrap();
        let count = metering::ShardCount::new(4).unwrap();
        let first = ada(&book, 100).await;
        let second = loop {
            let other = ada(&book, 100).await;
            if other.shard(count) == first.shard(count) {
                break other;
            }
        };
        wait_remaining(&meter, first, 100).await;
        wait_remaining(&meter, second, 100).await;
        let fence = Fence { shard: first.shard(count), incarnation: 1, certification: 0 };
        Self { redis, book, sync, meter, ada: first, bob: second, fence }
    }

    /// Something in the stream says it is about Bob, and is no event.
    fn poison(&self) {
        let account = self.bob.hex();
        append_by_hand(&self.redis, &self.fence, 1, &["debit", &format!("op;{account};what is this")]);
    }

    async fn wait_parked(&self, count: i64) {
        wait_until(&format!("{count} events are parked"), async || {
            self.sync.metric("tollgate_sync_dead_letters").await == count
                && self.book.number("SELECT count(*) FROM dead_letters WHERE state = 'open'").await == count
        })
        .await;
    }

    async fn wait_debits(&self, of: AccountId, count: i64) {
        let sql = format!("SELECT count(*) FROM entries WHERE kind = 'debit' AND account_id = '{}'", of.as_uuid());
        wait_until(&format!("the book has {count} debits"), async || self.book.number(&sql).await == count).await;
    }

    async fn wait_done(&self, decision: u64) {
        wait_until("the decision is carried out", async || {
            self.book.ledger.decision(decision).await.unwrap().state == DecisionState::Done
        })
        .await;
    }

    async fn first_letter(&self) -> LetterId {
        self.book.ledger.dead_letters(None, false).await.unwrap()[0].letter
    }

    async fn finds_no_difference(&self) {
        let accounts = [self.ada, self.bob];
        assert_eq!(self.book.ledger.recompute(&accounts).await.unwrap(), []);
        wait_until("book and live state agree", async || {
            let seen = ledger::look(&self.book.ledger, &self.meter, &accounts).await.unwrap();
            seen.iter().all(|seen| matches!(seen.comparison, ledger::Comparison::Agrees { .. }))
        })
        .await;
    }
}

#[tokio::test]
async fn a_poisoned_event_is_parked_and_its_shard_goes_on_for_everybody() {
    let mut scene = Scene::begins().await;
    draw_one(&scene.meter, scene.bob).await;
    scene.wait_debits(scene.bob, 1).await;
    scene.poison();
    scene.wait_parked(1).await;
    for _ in 0..5 {
        draw_one(&scene.meter, scene.ada).await;
    }
    scene.wait_debits(scene.ada, 5).await;
    draw_one(&scene.meter, scene.bob).await; // served as ever; the book has it as a letter
    scene.wait_parked(2).await;
    let now = scene.book.ledger.book_now().await.unwrap();
    scene.book.ledger.set_status(scene.bob, Status::Suspended, &by(now)).await.unwrap();
    wait_until("a change is live, though the book can't see it delivered", async || {
        let live = scene.meter.snapshot(scene.bob).await;
        live.is_ok_and(|live| live.is_some_and(|live| live.status == Status::Suspended))
    })
    .await;
    scene.book.ledger.set_status(scene.bob, Status::Active, &by(now)).await.unwrap();
    scene.wait_parked(4).await;
    let undelivered = "SELECT count(*) FROM outbox WHERE delivered_at IS NULL";
    assert_eq!(scene.book.number(undelivered).await, 2, "what is parked proves nothing delivered");
    scene.sync.wait_ready().await;
    assert_eq!(
        (scene.sync.metric("tollgate_sync_shard_broken").await, scene.sync.metric("tollgate_sync_drift_credits").await),
        (0, 0)
    );
    assert_eq!(scene.book.number("SELECT count(*) FROM incidents WHERE kind = 'dead_letter'").await, 1);
    let log = scene.sync.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("can't be applied and is parked")).collect();
    assert!(lines.len() == 1 && lines[0].contains(&scene.bob.to_string()), "{lines:?}");

    // Another owner finds an event that is none at the end of what the book has, and goes on.
    scene.poison();
    scene.wait_parked(5).await;
    scene.sync.kill();
    scene.sync = Sync::start(&scene.redis.url(), &scene.book.url).await;
    draw_one(&scene.meter, scene.ada).await;
    scene.wait_debits(scene.ada, 6).await;
    scene.wait_parked(5).await;
    assert_eq!(scene.sync.metric("tollgate_sync_rebuilds_total").await, 0);
}

#[tokio::test]
async fn changes_that_wait_for_a_decision_keep_no_other_change_waiting() {
    const MORE_THAN_A_PAGE: usize = 501;
    let scene = Scene::begins().await;
    scene.poison();
    scene.wait_parked(1).await;
    let found = scene.redis.texts(&["KEYS", &format!("*:a:{}", scene.bob.hex())]);
    assert_eq!(found.len(), 1, "{found:?}");
    scene.redis.command(&["DEL", &found[0]]); // so each change of his asks for an install, and his letters forbid it
    let (ledger, now) = (&scene.book.ledger, scene.book.ledger.book_now().await.unwrap());
    for status in [Status::Suspended, Status::Active].into_iter().cycle().take(MORE_THAN_A_PAGE) {
        ledger.set_status(scene.bob, status, &by(now)).await.unwrap();
    }
    ledger.set_status(scene.ada, Status::Suspended, &by(now)).await.unwrap();
    wait_until("a change behind them is live", async || {
        let live = scene.meter.snapshot(scene.ada).await;
        live.is_ok_and(|live| live.is_some_and(|live| live.status == Status::Suspended))
    })
    .await;
    let waiting =
        format!("SELECT count(*) FROM outbox WHERE delivered_at IS NULL AND account_id = '{}'", scene.bob.as_uuid());
    assert_eq!(scene.book.number(&waiting).await, i64::try_from(MORE_THAN_A_PAGE).unwrap(), "his wait for a decision");
    assert_eq!(scene.sync.metric("tollgate_sync_control_gaps_total").await, 0);

    let (decision, _) = ledger.discard_dead_letters(&[scene.first_letter().await], &by(now)).await.unwrap();
    scene.wait_done(decision).await;
    wait_until("none waits any more", async || scene.book.number(&waiting).await == 0).await;
    scene.finds_no_difference().await;
}

#[tokio::test]
async fn a_discarded_letter_lets_the_rest_into_the_book_and_live_state_is_as_the_book_again() {
    let scene = Scene::begins().await;
    scene.poison();
    for _ in 0..3 {
        draw_one(&scene.meter, scene.bob).await;
    }
    scene.wait_parked(4).await;
    let now = scene.book.ledger.book_now().await.unwrap();
    let (retried, _) = scene.book.ledger.retry_dead_letter(scene.first_letter().await, false, &by(now)).await.unwrap();
    wait_until("what is still wrong is refused", async || {
        let view = scene.book.ledger.decision(retried).await.unwrap();
        view.state == DecisionState::Refused && view.refusal.is_some_and(|why| why.contains("field 'debit'"))
    })
    .await;
    scene.wait_parked(4).await;
    let letters = [scene.first_letter().await];
    let (discarded, _) = scene.book.ledger.discard_dead_letters(&letters, &by(now)).await.unwrap();
    scene.wait_done(discarded).await;
    scene.wait_parked(0).await;
    scene.wait_debits(scene.bob, 3).await;
    scene.finds_no_difference().await;
    draw_one(&scene.meter, scene.bob).await;
    wait_remaining(&scene.meter, scene.bob, 96).await;
    scene.wait_debits(scene.bob, 4).await;
    scene.finds_no_difference().await;
}

#[tokio::test]
async fn what_a_corrupted_event_drew_is_given_back_when_it_is_discarded() {
    let scene = Scene::begins().await;
    draw_one(&scene.meter, scene.bob).await;
    scene.wait_debits(scene.bob, 1).await;
    scene.book.execute("ALTER TABLE entries ADD CONSTRAINT unlucky CHECK (credits <> -7)").await.unwrap();
    assert!(matches!(scene.meter.debit(&ask(scene.bob, 7)).await, Ok(DebitOutcome::Drawn(_))));
    draw_one(&scene.meter, scene.bob).await;
    scene.wait_parked(2).await;
    wait_remaining(&scene.meter, scene.bob, 91).await;
    let now = scene.book.ledger.book_now().await.unwrap();
    let letters = [scene.first_letter().await];
    let (discarded, _) = scene.book.ledger.discard_dead_letters(&letters, &by(now)).await.unwrap();
    scene.wait_done(discarded).await;
    wait_remaining(&scene.meter, scene.bob, 98).await;
    scene.wait_parked(0).await;
    scene.finds_no_difference().await;
}

#[tokio::test]
async fn what_was_parked_is_applied_once_the_cause_is_mended() {
    let scene = Scene::begins().await;
    scene.book.execute("ALTER TABLE entries ADD CONSTRAINT unlucky CHECK (credits <> -7)").await.unwrap();
    assert!(matches!(scene.meter.debit(&ask(scene.bob, 7)).await, Ok(DebitOutcome::Drawn(_))));
    draw_one(&scene.meter, scene.bob).await;
    scene.wait_parked(2).await;
    scene.book.execute("ALTER TABLE entries DROP CONSTRAINT unlucky").await.unwrap();
    let now = scene.book.ledger.book_now().await.unwrap();
    let (retried, _) = scene.book.ledger.retry_dead_letter(scene.first_letter().await, false, &by(now)).await.unwrap();
    scene.wait_done(retried).await;
    scene.wait_parked(0).await;
    scene.wait_debits(scene.bob, 2).await;
    scene.finds_no_difference().await;
    assert_eq!(scene.meter.credits(scene.bob).await.unwrap().remaining, credits(92));
}

#[tokio::test]
async fn an_account_with_letters_is_not_installed_until_they_are_resolved_and_a_lost_redis_leaves_them_open() {
    let scene = Scene::begins().await;
    scene.poison();
    scene.wait_parked(1).await;
    // A version that live state does not have asks for an install, which would drop what is parked.
    let raise = format!(
        "UPDATE accounts SET control_version = control_version + 1 WHERE account_id = '{}'",
        scene.bob.as_uuid()
    );
    scene.book.execute(&raise).await.unwrap();
    let now = scene.book.ledger.book_now().await.unwrap();
    scene.book.ledger.set_budget(scene.bob, credits(50), &by(now)).await.unwrap();
    for _ in 0..3 {
        draw_one(&scene.meter, scene.bob).await;
    }
    scene.wait_parked(4).await;
    assert!(scene.meter.credits(scene.bob).await.unwrap().budget.is_none(), "not yet");

    scene.redis.command(&["FLUSHALL"]);
    draw_one(&scene.meter, scene.bob).await;
    wait_remaining(&scene.meter, scene.bob, 99).await; // from the book: what was parked is lost in live state
    scene.wait_debits(scene.bob, 1).await;
    scene.wait_parked(4).await;
    let letters = scene.book.ledger.dead_letters(Some(scene.bob), false).await.unwrap();
    assert!(letters.len() == 3 + 1 && letters.iter().all(|letter| letter.superseded));
    let refused = scene.book.ledger.retry_dead_letter(letters[0].letter, false, &by(now)).await.unwrap_err();
    assert_eq!(refused.code(), "dead_letter_superseded");
    let all: Vec<LetterId> = letters.iter().map(|letter| letter.letter).collect();
    let (discarded, _) = scene.book.ledger.discard_dead_letters(&all, &by(now)).await.unwrap();
    scene.wait_done(discarded).await;
    scene.wait_parked(0).await;
    scene.finds_no_difference().await;
}

#[tokio::test]
async fn a_gap_in_the_stream_is_no_poison_and_still_stops_the_shard() {
    let scene = Scene::begins().await;
    append_by_hand(&scene.redis, &scene.fence, 2, &["v", "1", "k", "opened", "t", "1"]);
    wait_until("the shard stands", async || scene.sync.metric("tollgate_sync_shard_broken").await == 1).await;
    assert_eq!(scene.book.number("SELECT count(*) FROM dead_letters").await, 0);
}
