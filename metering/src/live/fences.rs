//! The fences a gateway knows: under which numbers each shard's scripts run now.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use futures::future::join_all;
use redis::aio::ConnectionManager;
use redis::{Cmd, FromRedisValue, Pipeline, Value, cmd};
use tokio::time::timeout;

use super::keys::{self, INSTALL};
use super::nodes::{NODE_WAIT, Nodes, Tries};
use super::scripts::Digests;
use super::slots::Route;
use super::{Fence, MeterError};
use crate::{Shard, ShardCount, ShardKind};

/// A fence with the digests that belong to it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) fence: Fence,
    pub(super) digests: Arc<Digests>,
    /// Whether each answer of this Redis comes after what it tells of is on its disk.
    pub(super) always_durable: bool,
}

/// What stands in a shard's head: incarnation, certification, the process that was certified, its `appendfsync`.
type Told = (Option<u64>, Option<u64>, Option<String>, Option<String>);

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
    pub(super) async fn read_count(&self, nodes: &Nodes) -> Result<ShardCount, MeterError> {
        if let Some(count) = self.count() {
            return Ok(count);
        }
        let mut ask = cmd("HGET");
        let count: Option<u16> = nodes.ask(Route::Install, ask.arg(INSTALL).arg("shards"), &mut Tries::begin()).await?;
        let count = count.and_then(|count| ShardCount::new(count).ok()).ok_or(MeterError::Uncertified)?;
        *self.count.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(count);
        Ok(count)
    }

    /// Reads one shard's fence anew.
    pub(super) async fn read(&self, nodes: &Nodes, shard: Shard, tries: &mut Tries) -> Result<Arc<Known>, MeterError> {
        let head: Told = nodes.ask(shard.into(), &read_head(shard), tries).await?;
        self.learn(shard, head).ok_or(MeterError::Uncertified)
    }

    /// Reads every shard's fence anew, in one round trip to each node; fails when none of them answers.
    pub(super) async fn read_all(&self, nodes: &Nodes) -> Result<(), MeterError> {
        let count = self.read_count(nodes).await?;
        let shards: Vec<Shard> = [ShardKind::Accounts, ShardKind::Keys]
            .into_iter()
            .flat_map(|kind| (0..count.get()).map(move |number| Shard { kind, number }))
            .collect();
        let parts = nodes.share(&shards);
        let alone = parts.len() == 1;
        let reads = parts.into_iter().map(|(connection, shards)| self.read_share(nodes, connection, shards, alone));
        let answers = join_all(reads).await;
        if answers.iter().any(Result::is_ok) { Ok(()) } else { answers.into_iter().collect() }
    }

    /// What one node holds of them. A node of several has its own deadline, so that a silent one does not hide the others.
    async fn read_share(
        &self,
        nodes: &Nodes,
        mut connection: ConnectionManager,
        shards: Vec<Shard>,
        alone: bool,
    ) -> Result<(), MeterError> {
        let mut pipeline = Pipeline::with_capacity(shards.len());
        for shard in &shards {
            pipeline.add_command(read_head(*shard));
        }
        pipeline.ignore_errors(); // a slot that is elsewhere is no news of the others
        let heads = pipeline.query_async::<Vec<Value>>(&mut connection);
        let heads = if alone {
            heads.await
        } else {
            timeout(NODE_WAIT, heads).await.unwrap_or_else(|_| Err(std::io::Error::other("a node is silent").into()))
        };
        for (shard, head) in shards.into_iter().zip(heads.map_err(MeterError::from_redis)?) {
            match Told::from_redis_value_ref(&head) {
                Ok(head) => drop(self.learn(shard, head)),
                // Alone it is asked where it is now, and says what is wrong.
                Err(_) => match self.read(nodes, shard, &mut Tries::begin()).await {
                    Ok(_) | Err(MeterError::Uncertified) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(())
    }

    fn learn(&self, shard: Shard, head: Told) -> Option<Arc<Known>> {
        let (Some(incarnation), Some(certification), Some(process), fsync) = head else { return None };
        let fence = Fence { shard, incarnation, certification }; // what else stands there changes with the certification only
        if let Some(known) = self.get(shard).filter(|known| known.fence == fence) {
            return Some(known);
        }
        let known = Arc::new(Known {
            fence,
            digests: self.digests(&process),
            always_durable: fsync.as_deref() == Some("always"),
        });
        self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(shard, Arc::clone(&known));
        Some(known)
    }

    /// Shards that live in one process have theirs in common.
    fn digests(&self, process: &str) -> Arc<Digests> {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let same = known.values().map(|known| &known.digests).find(|digests| digests.process == process).cloned();
        drop(known); // hashing keeps nobody from learning of another shard
        same.unwrap_or_else(|| Arc::new(Digests::of_process(process)))
    }
}

fn read_head(shard: Shard) -> Cmd {
    let mut command = cmd("HMGET");
    command.arg(keys::head(shard)).arg("incarnation").arg("certification").arg("process").arg("fsync");
    command
}
