//! The fences a gateway knows: under which numbers each shard's scripts run now.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, cmd};

use super::keys::{self, INSTALL};
use super::scripts::Digests;
use super::{Fence, MeterError};
use crate::{Shard, ShardCount, ShardKind};

/// A fence with the digests that belong to it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) fence: Fence,
    pub(super) digests: Digests,
}

/// What was read last. Being behind is safe: a script under an old number is refused before it does anything.
#[derive(Debug, Default)]
pub(super) struct Fences {
    known: RwLock<HashMap<Shard, Arc<Known>>>,
    count: RwLock<Option<ShardCount>>,
}

impl Fences {
    /// The shard count, if Redis has told it.
    pub(super) fn count(&self) -> Option<ShardCount> {
        *self.count.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The fence read last for a shard.
    pub(super) fn get(&self, shard: Shard) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&shard).cloned()
    }

    /// Reads the shard count, once: it never changes.
    pub(super) async fn read_count(&self, connection: &mut impl ConnectionLike) -> Result<ShardCount, MeterError> {
        if let Some(count) = self.count() {
            return Ok(count);
        }
        let count: Option<u16> =
            cmd("HGET").arg(INSTALL).arg("shards").query_async(connection).await.map_err(MeterError::from_redis)?;
        let count = count.and_then(|count| ShardCount::new(count).ok()).ok_or(MeterError::Uncertified)?;
        *self.count.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(count);
        Ok(count)
    }

    /// Reads one shard's fence anew.
    pub(super) async fn read(
        &self,
        connection: &mut impl ConnectionLike,
        shard: Shard,
    ) -> Result<Arc<Known>, MeterError> {
        let head: (Option<u64>, Option<u64>) =
            read_head(shard).query_async(connection).await.map_err(MeterError::from_redis)?;
        self.learn(shard, head).ok_or(MeterError::Uncertified)
    }

    /// Reads every shard's fence anew, in one round trip.
    pub(super) async fn read_all(&self, connection: &mut impl ConnectionLike) -> Result<(), MeterError> {
        let count = self.read_count(connection).await?;
        let shards: Vec<Shard> = [ShardKind::Accounts, ShardKind::Keys]
            .into_iter()
            .flat_map(|kind| (0..count.get()).map(move |number| Shard { kind, number }))
            .collect();
        let mut pipeline = Pipeline::with_capacity(shards.len());
        for shard in &shards {
            pipeline.add_command(read_head(*shard));
        }
        let heads: Vec<(Option<u64>, Option<u64>)> =
            pipeline.query_async(connection).await.map_err(MeterError::from_redis)?;
        for (shard, head) in shards.into_iter().zip(heads) {
            self.learn(shard, head);
        }
        Ok(())
    }

    fn learn(&self, shard: Shard, head: (Option<u64>, Option<u64>)) -> Option<Arc<Known>> {
        let (Some(incarnation), Some(certification)) = head else { return None };
        let fence = Fence { shard, incarnation, certification };
        if let Some(known) = self.get(shard).filter(|known| known.fence == fence) {
            return Some(known);
        }
        let known = Arc::new(Known { fence, digests: Digests::under(&fence) });
        self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(shard, Arc::clone(&known));
        Some(known)
    }
}

fn read_head(shard: Shard) -> Cmd {
    let mut command = cmd("HMGET");
    command.arg(keys::head(shard)).arg("incarnation").arg("certification");
    command
}
