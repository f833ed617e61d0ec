//! The owner's side of live balances: certify a Redis process, install accounts, carry control changes, read events.
//!
//! All of it goes over one connection that never comes back: when it breaks, the owner certifies anew.

mod certify;
mod changes;
mod stream;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, cmd};
use thiserror::Error;

use super::keys::INSTALL;
use super::replies::Reply;
use super::safety::{self, Process, Unsafe};
use super::scripts::{Digests, Script};
use super::{Fence, MeterError, Place, connect};
use crate::ShardCount;
use crate::event::DecodeError;

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
    /// Redis is not set up to hold money.
    #[error(transparent)]
    Unsafe(#[from] Unsafe),
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
        }
    }
}

/// An owner's connection to one Redis process.
pub struct OwnerLink {
    connection: MultiplexedConnection,
    process: Process,
}

/// A shard that this owner certified: the only way to its live state.
#[derive(Debug, Clone)]
pub struct Certified {
    fence: Fence,
    digests: Digests,
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
        let client = place.into().client().map_err(RedisError::from)?;
        let mut connection = connect::once(&client, answer_wait).await?;
        let info: String = cmd("INFO").query_async(&mut connection).await?;
        Ok(Self { connection, process: safety::check(&info)? })
    }

    /// Which Redis process this is.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Writes the shard count of the installation, or checks it against what is there: it never changes.
    pub async fn agree_on_shards(&mut self, count: ShardCount) -> Result<(), OwnerError> {
        let () = cmd("HSETNX").arg(INSTALL).arg("shards").arg(count.get()).query_async(&mut self.connection).await?;
        let live: u16 = cmd("HGET").arg(INSTALL).arg("shards").query_async(&mut self.connection).await?;
        if live == count.get() { Ok(()) } else { Err(OwnerError::ShardCount { live, book: count.get() }) }
    }

    async fn run(&mut self, command: Cmd) -> Result<Reply, OwnerError> {
        Ok(Reply::open(command.query_async(&mut self.connection).await?)?)
    }
}
