//! Where a story plays: a Redis of its own, an owner, a gateway, and eyes that see every key.

use std::collections::{BTreeMap, BTreeSet};

use metering::live::owner::{Caps, ControlOutcome, InstallOutcome};
use metering::live::{Drawn, GiveBack, GiveBackOutcome, Meter, MeterError, Refusal, Snapshot, Undo, UndoOutcome};
use metering::testing::{GENEROUS_CAPS, RedisServer, Stage};
use metering::{AccountId, AccountImage, Body, Change, Event, OpId, TimeMs};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult};

use crate::accounts::{NEW_YEAR, ask, drawn, op, refused};

/// A Redis with two account shards and two key shards, certified and open; the clock of the first account's shard stands at
/// [`NEW_YEAR`].
pub struct Scene {
    pub redis: RedisServer,
    pub stage: Stage,
    pub meter: Meter,
    /// Of the account that was installed first: who the story is about.
    pub account: AccountId,
    pub connection: MultiplexedConnection,
}

impl Scene {
    /// Installs an account as a book would.
    pub async fn with(image: &AccountImage) -> Self {
        Self::with_caps(image, GENEROUS_CAPS).await
    }

    pub async fn with_caps(image: &AccountImage, caps: Caps) -> Self {
        let mut scene = Self::empty(image.account, caps).await;
        assert_eq!(scene.stage.install(image).await, InstallOutcome::Installed);
        scene
    }

    /// Without any account.
    pub async fn empty(account: AccountId, caps: Caps) -> Self {
        let redis = RedisServer::start();
        let mut stage = Stage::open_with_caps(&redis.url(), 2, 1, caps).await;
        stage.turn_clock(&account, NEW_YEAR).await;
        let meter = stage.meter().await;
        let connection = connect(&redis.url()).await;
        Self { redis, stage, meter, account, connection }
    }

    /// Turns the clock.
    pub async fn at(&mut self, to: TimeMs) {
        self.stage.turn_clock(&self.account, to).await;
    }

    pub async fn draw(&self, number: u128, price: u64) -> Drawn {
        drawn(self.meter.debit(&ask(self.account, number, price)).await.unwrap())
    }

    pub async fn refuse(&self, number: u128, price: u64) -> Refusal {
        refused(self.meter.debit(&ask(self.account, number, price)).await.unwrap())
    }

    /// Gives back what a debit drew.
    pub async fn give_back(&self, number: u128, drawn: &Drawn) -> GiveBackOutcome {
        self.meter.give_back(&give_back(self.account, number, drawn)).await.unwrap()
    }

    pub async fn undo(&self, number: u128) -> UndoOutcome {
        self.meter.undo(&undo(self.account, number)).await.unwrap()
    }

    pub async fn control(&mut self, change: Change) -> ControlOutcome {
        self.stage.control(self.account, change).await
    }

    /// The change is applied now.
    pub async fn apply(&mut self, change: Change) {
        let kind = change.kind();
        assert_eq!(self.control(change).await, ControlOutcome::Applied, "{kind}");
    }

    pub async fn snapshot(&self) -> Snapshot {
        self.meter.snapshot(self.account).await.unwrap().expect("the account is there")
    }

    /// What each lot holds, by its number.
    pub async fn lots(&self) -> BTreeMap<u64, u64> {
        self.snapshot().await.lots.iter().map(|lot| (lot.lot.as_u64(), lot.remaining.get())).collect()
    }

    pub async fn events(&mut self) -> Vec<Event> {
        let account = self.account;
        self.stage.events(&account).await
    }

    /// What happened last.
    pub async fn last_event(&mut self) -> Body {
        self.events().await.pop().expect("a stream begins with `opened`").body
    }

    /// Every key with its content, as `DUMP` writes it.
    pub async fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        let mut connection = self.connection.clone();
        let names: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        let mut content = BTreeMap::new();
        for name in names {
            let dump = redis::cmd("DUMP").arg(&name).query_async(&mut connection).await.unwrap();
            content.insert(name, dump);
        }
        content
    }

    /// No key is another than it was then, none came and none went.
    pub async fn nothing_changed_since(&self, before: &BTreeMap<String, Vec<u8>>, why: &str) {
        let after = self.everything().await;
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed: Vec<_> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
        assert!(changed.is_empty(), "{why}: changed {changed:?}");
    }

    /// Sends a command that no service of ours sends.
    pub async fn command<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.connection.clone()).await
    }

    pub async fn key_exists(&self, key: &str) -> bool {
        self.command(&["EXISTS", key]).await.unwrap()
    }

    /// The closed mark of a debit, if there is one.
    pub async fn closed_mark(&self, debit: u128) -> Option<String> {
        let key = self.stage.shard_of(&self.account).fence().closed(&op(debit));
        self.command(&["GET", &key]).await.unwrap()
    }

    /// Redis has no memory left for anything new.
    pub async fn run_out_of_memory(&self) {
        let _: String = self.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    }

    pub async fn find_memory_again(&self) {
        let _: String = self.command(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    }
}

pub async fn connect(url: &str) -> MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// The give-back of a debit; its op is the debit's plus a million.
pub fn give_back(account: AccountId, debit: u128, drawn: &Drawn) -> GiveBack {
    let not_after = TimeMs::new(u64::MAX);
    GiveBack {
        op: op(1_000_000 + debit),
        account,
        debit_op: op(debit),
        debit_event: drawn.event,
        debit_not_after: not_after,
        idempotency: None,
    }
}

/// The undo of a debit; its op is the debit's plus two millions.
pub fn undo(account: AccountId, debit: u128) -> Undo {
    Undo {
        op: op(2_000_000 + debit),
        account,
        debit_op: op(debit),
        not_after: NEW_YEAR.plus_ms(5_000),
        idempotency: None,
    }
}

/// The call wrote nothing because the shard is not certified.
pub fn uncertified<T: std::fmt::Debug>(outcome: &Result<T, MeterError>) {
    assert!(matches!(outcome, Err(MeterError::Uncertified)), "{outcome:?}");
}

/// The call wrote nothing because Redis let no write through.
pub fn unavailable<T: std::fmt::Debug>(outcome: &Result<T, MeterError>) {
    assert!(matches!(outcome, Err(MeterError::Unavailable(_))), "{outcome:?}");
}

/// An op that is not a debit's.
pub fn another_op() -> OpId {
    op(u128::MAX / 2)
}
