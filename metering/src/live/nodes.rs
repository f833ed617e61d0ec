//! Connections to the Redis that holds a shard: one where there is one Redis, one a node in a cluster.
//!
//! Nobody says beforehand which it is: the first MOVED does. A command is sent again only when the answer says that no node has
//! begun it. ASK is waited out and not followed: no script is loaded where a slot is about to go, so nothing could run there.

use std::collections::{HashMap, HashSet};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redis::aio::ConnectionManager;
use redis::{Client, Cmd, FromRedisValue, RedisError, Value, cmd};
use tokio::time::timeout;

use super::place::host_of;
use super::slots::{Layout, NodeAddress, Route};
use super::{MeterError, Place, connect};

/// How long a call waits for its shard to be certified anew, or moved, before it gives up: a hand-over takes less.
const AGAIN_WAIT: Duration = Duration::from_millis(200);
/// Pause between two looks while waiting.
const AGAIN_PAUSE: Duration = Duration::from_millis(10);
/// How long a node may take to say something of the whole cluster: a silent one must not keep the others from being asked.
pub(super) const NODE_WAIT: Duration = Duration::from_millis(250);

/// One call's tries.
pub(super) struct Tries {
    since: Instant,
    redirected: bool,
}

impl Tries {
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), redirected: false }
    }

    pub(super) fn are_over(&self) -> bool {
        self.since.elapsed() >= AGAIN_WAIT
    }

    pub(super) async fn pause() {
        tokio::time::sleep(AGAIN_PAUSE).await;
    }
}

/// The connections of one meter, driven by the runtime that made it.
pub(super) struct Nodes {
    place: Place,
    /// The one Redis, or the node of a cluster that the settings name.
    first: ConnectionManager,
    /// Its host.
    host: String,
    /// Once an answer has said that it is a cluster.
    cluster: OnceLock<RwLock<Cluster>>,
}

#[derive(Default)]
struct Cluster {
    layout: Layout,
    /// What MOVED has told since the layout was read.
    moved: HashMap<u16, NodeAddress>,
    connections: HashMap<NodeAddress, ConnectionManager>,
}

impl Cluster {
    fn node_of(&self, slot: u16) -> Option<&NodeAddress> {
        self.moved.get(&slot).or_else(|| self.layout.node_of(slot))
    }
}

impl Nodes {
    /// Must be called inside the runtime that shall own the connections.
    pub(super) fn new(place: Place) -> Result<Self, RedisError> {
        let client = place.client()?;
        let host = host_of(client.get_connection_info().addr()).to_owned();
        Ok(Self { place, first: connect::reconnecting(client)?, host, cluster: OnceLock::new() })
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// The connection over which something is asked.
    pub(super) fn of(&self, route: Route) -> ConnectionManager {
        match self.cluster.get() {
            None => self.first.clone(),
            Some(cluster) => {
                let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
                let node = cluster.node_of(route.slot());
                node.and_then(|node| cluster.connections.get(node)).unwrap_or(&self.first).clone()
            }
        }
    }

    /// Those to ask for all of these, each with what it holds; everything of the one Redis.
    pub(super) fn share<T: Copy + Into<Route>>(&self, asked: &[T]) -> Vec<(ConnectionManager, Vec<T>)> {
        let Some(cluster) = self.cluster.get() else { return vec![(self.first.clone(), asked.to_vec())] };
        let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
        let mut shares: HashMap<Option<&NodeAddress>, Vec<T>> = HashMap::new();
        for one in asked {
            let route: Route = (*one).into();
            let node = cluster.node_of(route.slot()).filter(|node| cluster.connections.contains_key(*node));
            shares.entry(node).or_default().push(*one);
        }
        let connection = |node: Option<&NodeAddress>| node.and_then(|node| cluster.connections.get(node));
        shares.into_iter().map(|(node, share)| (connection(node).unwrap_or(&self.first).clone(), share)).collect()
    }

    /// Asks for something that changes nothing.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        route: Route,
        command: &Cmd,
        tries: &mut Tries,
    ) -> Result<T, MeterError> {
        loop {
            let answer = command.query_async(&mut self.of(route)).await.map_err(MeterError::from_redis);
            let Err(error) = answer else { return answer };
            if !self.again(&error, tries).await? {
                return Err(error);
            }
        }
    }

    /// Whether a command that failed so may be sent again, because its slot is elsewhere or on its way; waits where that helps.
    pub(super) async fn again(&self, error: &MeterError, tries: &mut Tries) -> Result<bool, MeterError> {
        let MeterError::Unavailable(refused) = error else { return Ok(false) };
        let moved = match refused.code() {
            Some("MOVED") => true,
            Some("ASK" | "TRYAGAIN") => false,
            _ => return Ok(false),
        };
        if moved {
            self.learn_move(refused).map_err(MeterError::Unavailable)?;
            // The first time it is simply the way, however long the connection took; two nodes that name each other are not
            // asked without end.
            if !std::mem::replace(&mut tries.redirected, true) {
                return Ok(true);
            }
        }
        if tries.are_over() {
            return Ok(false);
        }
        Tries::pause().await;
        Ok(true)
    }

    fn learn_move(&self, moved: &RedisError) -> Result<(), RedisError> {
        let told = moved.redirect_node().and_then(|(node, slot)| Some((NodeAddress::read(node, &self.host)?, slot)));
        let (node, slot) = told.ok_or_else(|| moved.clone())?;
        let cluster = self.cluster.get_or_init(RwLock::default);
        let mut cluster = cluster.write().unwrap_or_else(PoisonError::into_inner);
        self.connect(&mut cluster.connections, &node)?;
        cluster.moved.insert(slot, node);
        Ok(())
    }

    fn connect(
        &self,
        connections: &mut HashMap<NodeAddress, ConnectionManager>,
        node: &NodeAddress,
    ) -> Result<(), RedisError> {
        if !connections.contains_key(node) {
            connections.insert(node.clone(), connect::reconnecting(self.place.node(node)?)?);
        }
        Ok(())
    }

    /// Reads anew who holds which slots, where it is a cluster; answers any connection that works.
    pub(super) async fn look_around(&self) -> Result<ConnectionManager, MeterError> {
        let Some(cluster) = self.cluster.get() else { return Ok(self.first.clone()) };
        let (layout, teller) = self.ask_anybody(cluster).await?;
        let nodes: HashSet<NodeAddress> = layout.nodes().cloned().collect();
        self.place.know(&nodes);
        let mut cluster = cluster.write().unwrap_or_else(PoisonError::into_inner);
        cluster.connections.retain(|node, _| nodes.contains(node));
        for node in &nodes {
            self.connect(&mut cluster.connections, node).map_err(MeterError::Unavailable)?;
        }
        cluster.moved.clear();
        cluster.layout = layout;
        Ok(teller)
    }

    /// Beginning with another one each time: a node that is cut off may tell of a cluster that was.
    async fn ask_anybody(&self, cluster: &RwLock<Cluster>) -> Result<(Layout, ConnectionManager), MeterError> {
        let mut tellers: Vec<(String, ConnectionManager)> = {
            let cluster = cluster.read().unwrap_or_else(PoisonError::into_inner);
            let nodes = cluster.connections.iter().map(|(node, connection)| (node.host.clone(), connection.clone()));
            std::iter::once((self.host.clone(), self.first.clone())).chain(nodes).collect()
        };
        let turn = self.place.turn(tellers.len());
        tellers.rotate_left(turn);
        let mut failed = None;
        for (host, mut teller) in tellers {
            let told = timeout(NODE_WAIT, cmd("CLUSTER").arg("SLOTS").query_async::<Value>(&mut teller)).await;
            match told.unwrap_or_else(|_| Err(silent())).and_then(|told| Layout::read(told, &host)) {
                Ok(layout) => return Ok((layout, teller)),
                Err(error) => failed = Some(error),
            }
        }
        Err(MeterError::Unavailable(failed.unwrap_or_else(silent)))
    }

    /// Ends when a node does not answer any more, where it is one of several: the one Redis is watched by whoever asks it.
    pub(super) fn until_lost(&self, client: Client) -> impl Future<Output = ()> + Send + use<> {
        let watched = self.cluster.get().map(|_| connect::reconnecting(client));
        async move {
            let Some(Ok(mut node)) = watched else { return std::future::pending().await };
            while matches!(timeout(NODE_LOST, cmd("PING").query_async::<Value>(&mut node)).await, Ok(Ok(_))) {
                tokio::time::sleep(NODE_LOST).await;
            }
        }
    }
}

/// How long a node may be silent that tells of changes, and how often it is asked.
const NODE_LOST: Duration = Duration::from_secs(1);

fn silent() -> RedisError {
    std::io::Error::other("no node of the cluster answers").into()
}
