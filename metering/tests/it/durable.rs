//! Waiting until a debit is on the disk of its Redis.

use std::time::{Duration, Instant};

use futures::future::join_all;
use metering::live::{Meter, NotDurable};
use metering::testing::{RedisServer, RedisSetup, Stage, valkey};

use crate::accounts::{ada, ask, drawn, ten_days};

const WAIT: Duration = Duration::from_secs(10);

struct Disk {
    redis: RedisServer,
    stage: Stage,
    meter: Meter,
}

/// Ada has a hundred credits in a Redis of this kind.
async fn disk(setup: RedisSetup) -> Disk {
    let redis = RedisServer::start_with(setup);
    let mut stage = Stage::open(&redis.url(), 2, 1).await;
    let mut image = ada(vec![ten_days(1, 100)]);
    image.lots[0].granted_at = metering::TimeMs::EPOCH;
    stage.install(&image).await;
    let meter = stage.meter().await;
    Disk { redis, stage, meter }
}

impl Disk {
    /// Draws one credit, then waits until that is on disk.
    async fn draw(&self, number: u128, wait_max: Duration) -> Result<(), NotDurable> {
        let account = ada(vec![]).account;
        let under = self.meter.certificate(&account).await.unwrap();
        drawn(self.meter.debit(&ask(account, number, 1)).await.unwrap());
        self.meter.until_durable(&under, wait_max).await
    }

    /// How often Redis was asked to wait.
    fn waits(&self) -> u64 {
        let stats = self.redis.text(&["INFO", "commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_waitaof:"));
        line.map_or(0, |line| line.split(['=', ',']).nth(1).unwrap().parse().unwrap())
    }
}

#[tokio::test]
async fn a_redis_that_writes_to_its_disk_before_it_answers_need_not_be_asked() {
    let disk = disk(RedisSetup { appendfsync: "always", ..RedisSetup::default() }).await;
    disk.draw(1, WAIT).await.unwrap();
    assert_eq!(disk.waits(), 0);
}

#[tokio::test]
async fn a_redis_that_can_t_say_what_is_on_its_disk_is_found_out() {
    let disk = disk(RedisSetup::default()).await; // Debian's 7.0 has no WAITAOF
    assert!(matches!(disk.draw(1, WAIT).await, Err(NotDurable::Unsupported)));
}

#[tokio::test]
async fn a_disk_that_is_written_once_a_second_is_waited_for_and_all_who_come_meanwhile_wait_together() {
    let Some(valkey) = valkey() else { return };
    let disk = disk(RedisSetup { valkey: Some(valkey), ..RedisSetup::default() }).await;
    disk.draw(1, WAIT).await.unwrap();
    let (before, began) = (disk.waits(), Instant::now());
    for outcome in join_all((2..80).map(|number| disk.draw(number, WAIT))).await {
        outcome.unwrap();
    }
    let rounds = disk.waits() - before;
    assert!((1..=10).contains(&rounds), "78 debits took {rounds} rounds");
    assert!(began.elapsed() < WAIT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_disk_that_is_not_written_is_not_waited_for_without_end() {
    let Some(valkey) = valkey() else { return };
    let disk = disk(RedisSetup { valkey: Some(valkey), appendfsync: "no", ..RedisSetup::default() }).await;
    let began = Instant::now();
    assert!(matches!(disk.draw(1, Duration::from_millis(300)).await, Err(NotDurable::Late)));
    assert!(began.elapsed() < WAIT);
}

#[tokio::test]
async fn what_came_after_the_debit_does_not_vouch_for_it() {
    let Some(valkey) = valkey() else { return };
    let mut disk = disk(RedisSetup { valkey: Some(valkey), ..RedisSetup::default() }).await;
    let account = ada(vec![]).account;
    let under = disk.meter.certificate(&account).await.unwrap();
    drawn(disk.meter.debit(&ask(account, 1, 1)).await.unwrap());
    disk.redis.start_again_empty();
    disk.stage = Stage::open(&disk.redis.url(), 2, 2).await;
    let refused = disk.meter.until_durable(&under, WAIT).await;
    assert!(matches!(refused, Err(NotDurable::Unanswered(_))), "{refused:?}");
    disk.stage.install(&ada(vec![ten_days(1, 100)])).await;
    let again = disk.stage.meter().await; // over connections that did not break
    let under = again.certificate(&account).await.unwrap();
    again.until_durable(&under, WAIT).await.unwrap();
}
