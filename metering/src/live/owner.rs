//! The owner's side of live balances: certify a Redis process, install accounts, carry control changes, read events.
//!
//! All of it goes over one connection that never comes back: when it breaks, the owner certifies anew.

mod certify;
mod changes;
mod stream;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, ErrorKind, RedisError, Value, cmd};
use thiserror::Error;

use super::commands::fenced;
use super::keys::INSTALL;
use super::place::host_of;
use super::replies::Reply;
use super::safety::{self, Process, Unsafe};
use super::scripts::{Digests, PREVIOUS, Script};
use super::slots::{Layout, Route};
use super::{Fence, MeterError, Place, connect};
use crate::event::DecodeError;
use crate::{Shard, ShardCount, TimeMs};

pub use certify::{Caps, Head, Mode, Sealed};
pub use changes::{ControlOutcome, ControlRow, InstallOutcome};
pub(super) use stream::read_range;
pub use stream::{DrainNote, Stream};

/// Why an owner's call failed. After any of these but `Decode`, the owner certifies anew.
#[derive(Debug, Error)]
pub enum OwnerError {
    /// Redis can't be reached, did not answer in time, or answered oddly.
    #[error("redis failed the owner")]
    Redis(#[source] RedisError),
    /// The shard is no longer certified with our number: Redis restarted, or another owner came.
    #[error("the shard is not certified with this owner's number")]
    Uncertified,
    /// Another owner with a higher epoch was here.
    #[error("an owner of epoch {0} was here, which is newer")]
    Newer(u64),
    /// An entry of the stream is not an event of this schema.
    #[error("the stream holds what is not an event")]
    Decode(#[from] DecodeError),
    /// Redis has started and still reads its files.
    #[error("redis is still loading what it holds")]
    Loading,
    /// Redis is not set up to hold money.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
    /// Redis writes its file to the disk at other times than when the shard was certified.
    #[error("appendfsync of redis was changed")]
    SetUpAnew,
    /// The installation in Redis has another shard count.
    #[error("redis was installed with {live} shards, the book with {book}")]
    ShardCount {
        /// What Redis says.
        live: u16,
        /// What the book says.
        book: u16,
    },
}

impl From<RedisError> for OwnerError {
    fn from(error: RedisError) -> Self {
        Self::from(MeterError::from_redis(error))
    }
}

impl From<MeterError> for OwnerError {
    fn from(error: MeterError) -> Self {
        match error {
            MeterError::Uncertified => Self::Uncertified,
            MeterError::Unavailable(error) | MeterError::Unknown(error) => Self::Redis(error),
            MeterError::Unreadable(what) => {
                Self::Redis((ErrorKind::UnexpectedReturnType, "what live state holds can't be read", what).into())
            }
        }
    }
}

/// An owner's connection to one Redis process.
pub struct OwnerLink {
    connection: MultiplexedConnection,
    process: Process,
    place: Place,
    answer_wait: Duration,
    /// Scripts of the release before.
    previous: Cow<'static, str>,
}

/// A shard that this owner certified: the only way to its live state.
#[derive(Debug, Clone)]
pub struct Certified {
    fence: Fence,
    digests: Arc<Digests>,
}

impl Certified {
    /// Under which numbers.
    #[must_use]
    pub const fn fence(&self) -> &Fence {
        &self.fence
    }

    fn evalsha(&self, script: Script, keys: usize) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(self.digests.of(script)).arg(keys);
        command
    }
}

impl OwnerLink {
    /// Connects and refuses a Redis that may forget money. Each later answer has to come within `answer_wait`.
    pub async fn open(place: impl Into<Place>, answer_wait: Duration) -> Result<Self, OwnerError> {
        let place = place.into();
        let client = place.client().map_err(RedisError::from)?;
        Self::enter(place, &client, answer_wait).await
    }

    /// The same with the Redis that holds a shard: in a cluster the node that has its slot now.
    pub async fn open_for(place: &Place, shard: Shard, answer_wait: Duration) -> Result<Self, OwnerError> {
        let client = holder_of(place, shard.into()).await?;
        Self::enter(place.clone(), &client, answer_wait).await
    }

    async fn enter(place: Place, client: &Client, answer_wait: Duration) -> Result<Self, OwnerError> {
        let mut connection = connect::once(client, answer_wait).await?;
        let process = look_at(&mut connection).await?;
        Ok(Self { connection, process, place, answer_wait, previous: Cow::Borrowed(PREVIOUS) })
    }

    /// Looks once more at how Redis is set up: what was safe may have been changed since. `SetUpAnew` where gateways were told
    /// another `appendfsync`.
    pub async fn check_again(&mut self) -> Result<(), OwnerError> {
        let now = look_at(&mut self.connection).await?;
        if now.appendfsync == self.process.appendfsync {
            return Ok(());
        }
        Err(OwnerError::SetUpAnew)
    }

    /// Takes these scripts for those of the release before.
    #[cfg(feature = "testing")]
    pub fn previous_release(&mut self, kept: String) {
        self.previous = Cow::Owned(kept);
    }

    /// Which Redis process this is.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Checks the shard count of the installation against what is there, or writes it where nothing is: it never changes. A Redis that takes no
    /// write just now, for lack of memory or of disk, is asked all the same: draining it is what makes room.
    pub async fn agree_on_shards(&mut self, count: ShardCount) -> Result<(), OwnerError> {
        let mut connection = self.connection.clone();
        let mut live = match installed_shards(&mut connection).await {
            // In a cluster these facts have a slot of their own.
            Err(elsewhere) if elsewhere.code() == Some("MOVED") => {
                let client = holder_of(&self.place, Route::Install).await?;
                connection = connect::once(&client, self.answer_wait).await?;
                installed_shards(&mut connection).await?
            }
            asked => asked?,
        };
        if live.is_none() {
            let () = cmd("HSETNX").arg(INSTALL).arg("shards").arg(count.get()).query_async(&mut connection).await?;
            live = installed_shards(&mut connection).await?; // somebody else may have been first
        }
        let live = live.unwrap_or_default();
        if live == count.get() { Ok(()) } else { Err(OwnerError::ShardCount { live, book: count.get() }) }
    }

    /// What time Redis has, for comparing its clock with the book's.
    pub async fn now(&mut self) -> Result<TimeMs, OwnerError> {
        let (seconds, micros): (u64, u64) = cmd("TIME").query_async(&mut self.connection).await?;
        Ok(TimeMs::new(seconds.saturating_mul(1_000).saturating_add(micros / 1_000)))
    }

    async fn run(&mut self, command: Cmd) -> Result<Reply, OwnerError> {
        Ok(Reply::open(command.query_async(&mut self.connection).await?)?)
    }

    /// The same with a script of a shard that was certified.
    async fn run_under(&mut self, shard: &Certified, command: Cmd) -> Result<Reply, OwnerError> {
        self.run(fenced(command, &shard.fence)).await
    }
}

async fn installed_shards(connection: &mut MultiplexedConnection) -> Result<Option<u16>, RedisError> {
    cmd("HGET").arg(INSTALL).arg("shards").query_async(connection).await
}

async fn look_at(connection: &mut MultiplexedConnection) -> Result<Process, OwnerError> {
    let info: String = cmd("INFO").query_async(connection).await?;
    if safety::is_loading(&info) {
        return Err(OwnerError::Loading);
    }
    let mut process = safety::check(&info)?;
    // Where nobody may ask, or it has another name, it is not known, and then nothing is promised by it.
    let told = cmd("CONFIG").arg("GET").arg("appendfsync").query_async::<Vec<String>>(connection).await;
    process.appendfsync = told.ok().and_then(|told| told.into_iter().nth(1)).unwrap_or_default();
    Ok(process)
}

/// How long a node may take to tell who holds what: the next one is asked then.
const TELL_WAIT: Duration = Duration::from_millis(500);

/// Whoever holds something now, as the first Redis of the place says that answers.
async fn holder_of(place: &Place, route: Route) -> Result<Client, RedisError> {
    let mut failed = None;
    for client in place.anybody() {
        let found = async {
            let client = client?;
            let mut teller = connect::once(&client, TELL_WAIT).await?;
            let server: String = cmd("INFO").arg("server").query_async(&mut teller).await?;
            if !server.contains("redis_mode:cluster") {
                return Ok(client);
            }
            let told = cmd("CLUSTER").arg("SLOTS").query_async::<Value>(&mut teller).await?;
            let layout = Layout::read(told, host_of(client.get_connection_info().addr()))?;
            place.know(&layout.nodes().cloned().collect());
            let node = layout.node_of(route.slot()).ok_or_else(nobody)?;
            Ok(place.node(node)?)
        };
        match found.await {
            Ok(client) => return Ok(client),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(nobody))
}

fn nobody() -> RedisError {
    std::io::Error::other("no node of the cluster holds the slot").into()
}
