//! The gateway's side of live balances: debits, give-backs, undos, key look-ups.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, Either, select};
use futures::{Stream, StreamExt};
use redis::aio::PubSub;
use redis::{Client, Cmd, RedisError, Value, cmd};

use super::clocks::Clocks;
use super::commands::evalsha;
use super::durable::Waits;
use super::fences::{Fences, Known};
use super::groups::Groups;
use super::keys::CHANGES;
use super::nodes::{Nodes, Tries};
use super::owner::{self, OwnerError};
use super::replies::Reply;
use super::scripts::Script;
use super::{
    AccountStanding, Certificate, Confirm, ConfirmOutcome, CreditsView, Fence, GiveBack, GiveBackOutcome, KeyRates,
    MeterError, NotDurable, Place, PlaceError, RateOutcome, Settle, SettleOutcome, Snapshot, Undo, UndoOutcome,
    answers, commands,
};
use crate::{AccountId, EventId, IdempotencyKey, KeyDigest, KeyImage, OpId, Shard, ShardCount, StreamEntry, TimeMs};

/// How long a debit waits unless somebody says otherwise: longer than any Redis that is well takes.
const DEBIT_WAIT: Duration = Duration::from_secs(5);

/// Ends when a time is over.
pub type Sleep = fn(Duration) -> BoxFuture<'static, ()>;

/// A gateway's way to live balances. Cheap to clone; comes back by itself when Redis does.
///
/// Calls have no deadline of their own except debits and the wait for certification: wrap each in yours. A debit whose call was
/// given up may have happened: undo it.
#[derive(Clone)]
pub struct Meter {
    nodes: Arc<Nodes>,
    groups: Arc<Groups>,
    waits: Arc<Waits>,
    debit_wait: Duration,
    sleep: Sleep,
    shared: Arc<Shared>,
}

/// What is to be looked up anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// A key.
    Key(KeyDigest),
    /// An account: its status, or which of its sessions are still good.
    Account(AccountId),
}

impl Changed {
    /// A digest has 64 digits, an id 32; what is neither is told by a later release.
    fn read(text: &str) -> Option<Self> {
        KeyDigest::from_hex(text).map(Self::Key).or_else(|| AccountId::from_hex(text).map(Self::Account).ok())
    }
}

struct Shared {
    fences: Fences,
    clocks: Clocks,
}

impl Meter {
    /// Makes a meter inside the runtime that shall own its connection. Does not need Redis to be there.
    #[expect(clippy::unused_async, reason = "must be called inside a runtime; async says so")]
    pub async fn connect(place: impl Into<Place>) -> Result<Self, MeterError> {
        let place = place.into();
        let waits = Arc::new(Waits::new(place.clone()));
        let nodes = Arc::new(Nodes::new(place).map_err(MeterError::from_redis)?);
        let shared = Shared { fences: Fences::default(), clocks: Clocks::new() };
        let sleep: Sleep = |time| Box::pin(tokio::time::sleep(time));
        Ok(Self { nodes, groups: Arc::default(), waits, debit_wait: DEBIT_WAIT, sleep, shared: Arc::new(shared) })
    }

    /// The same meter over connections of its own. A connection is driven by the runtime that made it, and its answers are
    /// quickest on that runtime, so each runtime that asks has its own; call this inside it.
    pub fn beside(&self) -> Result<Self, MeterError> {
        let nodes = Arc::new(Nodes::new(self.nodes.place().clone()).map_err(MeterError::from_redis)?);
        let (waits, shared) = (Arc::new(Waits::new(self.nodes.place().clone())), Arc::clone(&self.shared));
        Ok(Self { nodes, groups: Arc::default(), waits, shared, ..*self })
    }

    /// The same meter, whose debits wait this long: to be sent, and then for their answer.
    #[must_use]
    pub fn with_debit_wait(self, debit_wait: Duration) -> Self {
        Self { debit_wait, ..self }
    }

    /// The same meter, whose debits wait by another timer. One of tokio's wakes a second thread whenever it ends before all others do, which a
    /// debit's deadline often does; where many are set and hardly one ends, a coarse one costs less.
    #[must_use]
    pub fn with_sleep(self, sleep: Sleep) -> Self {
        Self { sleep, ..self }
    }

    /// The call of a debit, for as long as it may take.
    pub(super) async fn in_time<T>(&self, call: impl Future<Output = Result<T, MeterError>>) -> Result<T, MeterError> {
        let late = async { (self.sleep)(self.debit_wait).await }; // set only once the call has to wait
        match select(pin!(call), pin!(late)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(MeterError::Unknown(std::io::Error::other("no answer in time").into())),
        }
    }

    pub(super) const fn debit_wait(&self) -> Duration {
        self.debit_wait
    }

    /// The time in Redis, as the last ping told it (until the first one, the last reply); the epoch before any of them. For what
    /// people agreed on by their own clocks: when a session or a key ends.
    #[must_use]
    pub fn store_now(&self) -> TimeMs {
        self.shared.clocks.store_now()
    }

    /// The time of a shard of accounts, by which its scripts judge: later than that of Redis where its clock was set back. For every
    /// deadline that a script is given.
    #[must_use]
    pub fn shard_now(&self, shard: Shard) -> TimeMs {
        self.shared.clocks.shard_now(shard)
    }

    /// The same, of the shard of an account.
    #[must_use]
    pub fn shard_now_of(&self, account: &AccountId) -> TimeMs {
        self.shard_count().map_or_else(|| self.store_now(), |count| self.shard_now(account.shard(count)))
    }

    /// The shard count of the installation, once Redis has told it.
    #[must_use]
    pub fn shard_count(&self) -> Option<ShardCount> {
        self.shared.fences.count()
    }

    /// Reads the time and all fences, and in a cluster who holds which slots; call it about once a second, so that requests find
    /// them fresh. A cluster is well while any of its nodes answers: shards of the others are refused one by one.
    pub async fn ping(&self) -> Result<(), MeterError> {
        let mut connection = self.nodes.look_around().await?;
        let (seconds, micros): (u64, u64) =
            cmd("TIME").query_async(&mut connection).await.map_err(MeterError::from_redis)?;
        self.shared.clocks.learn_store(TimeMs::new(seconds.saturating_mul(1000).saturating_add(micros / 1000)));
        self.shared.fences.read_all(&self.nodes).await
    }

    /// The certification under which the next debit of an account is drawn; take it before the debit is asked for.
    pub async fn certificate(&self, account: &AccountId) -> Result<Certificate, MeterError> {
        let shard = self.account_shard(account).await?;
        match self.shared.fences.get(shard) {
            Some(known) => Ok(Certificate(known)),
            None => self.shared.fences.read(&self.nodes, shard, &mut Tries::begin()).await.map(Certificate),
        }
    }

    /// Waits until what was drawn under a certification before this call is on the disk of its Redis. Fails where that is not known within
    /// `wait_max`: the debit is to be given back then.
    pub async fn until_durable(&self, under: &Certificate, wait_max: Duration) -> Result<(), NotDurable> {
        self.waits.until_durable(under, wait_max).await
    }

    /// Gives a debit back. May be sent again: the second time it answers `AlreadyClosed`.
    pub async fn give_back(&self, ask: &GiveBack) -> Result<GiveBackOutcome, MeterError> {
        let shard = self.account_shard(&ask.account).await?;
        let reply = self.run(shard, |known| commands::give_back(known, ask)).await?;
        answers::read::give_back(&mut self.opened(shard, reply)?.0)
    }

    /// Settles a hold. May be sent again: the second time it answers `AlreadyClosed`.
    pub async fn settle(&self, ask: &Settle) -> Result<SettleOutcome, MeterError> {
        let shard = self.account_shard(&ask.account).await?;
        let reply = self.run(shard, |known| commands::settle(known, ask)).await?;
        answers::read::settle(&mut self.opened(shard, reply)?.0)
    }

    /// Confirms debits of one shard, or moves their deadlines on, in one call, each answered on its own, in order. May be sent again: what
    /// was confirmed answers `AlreadyClosed` the second time.
    pub async fn confirm(&self, shard: Shard, asks: &[Confirm]) -> Result<Vec<ConfirmOutcome>, MeterError> {
        let reply = self.run(shard, |known| commands::confirm(known, asks)).await?;
        let outcomes = answers::read::confirm(&mut self.opened(shard, reply)?.0)?;
        if outcomes.len() == asks.len() { Ok(outcomes) } else { Err(super::replies::odd("one answer an item")) }
    }

    /// Notes that the request under an `Idempotency-Key` is over, so that a repeat is told so. May be sent again.
    pub async fn answered(&self, account: AccountId, key: IdempotencyKey, op: OpId) -> Result<(), MeterError> {
        let shard = self.account_shard(&account).await?;
        let reply = self
            .run(shard, |known| {
                let mut command = evalsha(known, Script::Answered, 2);
                command.arg(known.fence.meta()).arg(known.fence.idempotency(&account, &key)).arg(op.hex());
                command
            })
            .await?;
        self.opened(shard, reply).map(|_| ())
    }

    /// Undoes a debit by its op. May be sent again.
    pub async fn undo(&self, ask: &Undo) -> Result<UndoOutcome, MeterError> {
        let shard = self.account_shard(&ask.account).await?;
        let reply = self.run(shard, |known| commands::undo(known, ask)).await?;
        answers::read::undo(&mut self.opened(shard, reply)?.0)
    }

    /// Looks a key up; `None` only from a certified shard.
    pub async fn find_key(&self, digest: &KeyDigest) -> Result<Option<KeyImage>, MeterError> {
        let shard = digest.shard(self.count().await?);
        let reply = self
            .run(shard, |known| {
                let mut command = evalsha(known, Script::FindKey, 2);
                command.arg(known.fence.meta()).arg(known.fence.api_key(digest));
                command
            })
            .await?;
        answers::read::key(&mut self.opened(shard, reply)?.0, *digest)
    }

    /// Counts a request that draws nothing against the rates of its key.
    pub async fn pass_rates(&self, account: AccountId, rates: &KeyRates) -> Result<RateOutcome, MeterError> {
        let shard = self.account_shard(&account).await?;
        let reply = self
            .run(shard, |known| {
                let mut command = evalsha(known, Script::PassRates, 2);
                command.arg(known.fence.meta()).arg(known.fence.rates(&rates.of)).arg(&*rates.spec);
                command
            })
            .await?;
        answers::read::rates(&mut self.opened(shard, reply)?.0)
    }

    /// What an account has; `Uncertified` while it is not installed.
    pub async fn credits(&self, account: AccountId) -> Result<CreditsView, MeterError> {
        let shard = self.account_shard(&account).await?;
        let reply = self.run(shard, |known| commands::reading(known, Script::Credits, 5, &account)).await?;
        let (mut reply, at) = self.opened(shard, reply)?;
        answers::read::credits(&mut reply, at)
    }

    /// What a session needs to know of its account; `Uncertified` while it is not installed.
    pub async fn standing(&self, account: AccountId) -> Result<AccountStanding, MeterError> {
        let shard = self.account_shard(&account).await?;
        let reply = self
            .run(shard, |known| {
                let mut command = evalsha(known, Script::Standing, 3);
                command.arg(known.fence.meta()).arg(known.fence.account(&account)).arg(known.fence.sessions(&account));
                command
            })
            .await?;
        answers::read::standing(&mut self.opened(shard, reply)?.0)
    }

    /// Everything live state has of an account; `None` when it has nothing.
    pub async fn snapshot(&self, account: AccountId) -> Result<Option<Snapshot>, MeterError> {
        let shard = self.account_shard(&account).await?;
        let reply = self
            .run(shard, |known| {
                let mut command = commands::reading(known, Script::Snapshot, 6, &account);
                command.arg(known.fence.sessions(&account));
                command
            })
            .await
            .map_err(MeterError::while_looking)?;
        let (mut reply, at) = self.opened(shard, reply)?;
        super::snapshot::read(&mut reply, account, at).map_err(MeterError::while_looking)
    }

    /// Keys and accounts that changed, from now on. Ends when the subscription is lost: what was cached must then be asked again.
    pub async fn changes(&self) -> Result<impl Stream<Item = Changed> + Send + use<>, MeterError> {
        let (subscription, client) = self.subscribe().await.map_err(MeterError::from_redis)?;
        let messages = subscription.into_on_message().take_until(Box::pin(self.nodes.until_lost(client)));
        Ok(messages
            .filter_map(|message| async move { Changed::read(std::str::from_utf8(message.get_payload_bytes()).ok()?) }))
    }

    /// At any node: what is published at one of a cluster is heard at all.
    async fn subscribe(&self) -> Result<(PubSub, Client), RedisError> {
        let mut failed = None;
        for client in self.nodes.place().anybody() {
            let subscribed = async {
                let client = client?;
                let mut subscription = client.get_async_pubsub().await?;
                subscription.subscribe(CHANGES).await?;
                Ok((subscription, client))
            };
            match subscribed.await {
                Ok(subscribed) => return Ok(subscribed),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| PlaceError::Url.into()))
    }

    /// Entries of a shard's stream from a place on, oldest first, for verification.
    pub async fn entries_from(
        &self,
        shard: Shard,
        first: EventId,
        most: usize,
    ) -> Result<Vec<StreamEntry>, OwnerError> {
        let fence = Fence { shard, incarnation: first.incarnation, certification: 0 }; // names the key; reading needs no more
        owner::read_range(&mut self.nodes.of(shard.into()), &fence, first.sequence, most).await
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    pub(super) async fn count(&self) -> Result<ShardCount, MeterError> {
        match self.shared.fences.count() {
            Some(count) => Ok(count),
            None => self.shared.fences.read_count(&self.nodes).await,
        }
    }

    /// The shard of an account.
    pub async fn account_shard(&self, account: &AccountId) -> Result<Shard, MeterError> {
        Ok(account.shard(self.count().await?))
    }

    /// Runs a script by digest. `Uncertified` wrote nothing, so then the fence is read anew and the script sent again, until the
    /// shard is certified or the wait is over; so is what a node of a cluster has not begun because the slot is not its own.
    /// Nothing else is ever sent again.
    pub(super) async fn run(&self, shard: Shard, command: impl Fn(&Known) -> Cmd) -> Result<Value, MeterError> {
        let mut tries = Tries::begin();
        let mut known = match self.shared.fences.get(shard) {
            Some(known) => known,
            None => self.shared.fences.read(&self.nodes, shard, &mut tries).await?,
        };
        loop {
            let mut connection = self.nodes.of(shard.into());
            let command = commands::fenced(command(&known), &known.fence);
            let answer = command.query_async(&mut connection).await.map_err(MeterError::from_redis);
            let Err(error) = answer else { return answer };
            if !matches!(error, MeterError::Uncertified) {
                if self.nodes.again(&error, &mut tries).await? {
                    continue;
                }
                return Err(error);
            }
            if tries.are_over() {
                return Err(error);
            }
            let before = known.fence;
            known = self.shared.fences.read(&self.nodes, shard, &mut tries).await?;
            if known.fence == before {
                Tries::pause().await;
            }
        }
    }

    /// Opens a reply; its first field is always the shard's time.
    pub(super) fn opened(&self, shard: Shard, value: Value) -> Result<(Reply, TimeMs), MeterError> {
        let mut reply = Reply::open(value)?;
        let at = reply.time()?;
        self.shared.clocks.learn_shard(shard, self.shard_count(), at);
        Ok((reply, at))
    }
}
