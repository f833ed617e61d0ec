//! A private Redis Cluster: primaries that share the slots, and slots that move from one to another.

use std::time::{Duration, Instant};

use super::{RedisServer, RedisSetup};

/// How long nodes may take to know each other.
const MEET_WAIT: Duration = Duration::from_secs(30);
const SLOTS: u16 = 16_384;
/// Keys that go to another node in one command.
const KEYS_AT_ONCE: &str = "10";

/// Starts primaries that know each other, each with an equal part of the slots.
#[must_use]
pub fn start_cluster(setup: &RedisSetup, count: u16) -> Vec<RedisServer> {
    let start = || RedisServer::start_with(RedisSetup { cluster: true, ..setup.clone() });
    let nodes: Vec<RedisServer> = (0..count).map(|_| start()).collect();
    let bound = |part: u16| u32::from(SLOTS).saturating_mul(part.into()).checked_div(count.into()).unwrap_or(0);
    for (number, node) in (0_u16..).zip(&nodes) {
        let last = bound(number.saturating_add(1)).saturating_sub(1);
        node.command(&["CLUSTER", "ADDSLOTSRANGE", &bound(number).to_string(), &last.to_string()]);
        if let Some(first) = nodes.first().filter(|_| number > 0) {
            let (port, bus_port) = (first.port().to_string(), first.bus_port().to_string());
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus_port]);
        }
    }
    let known = format!("cluster_known_nodes:{count}\r");
    let ready = |node: &RedisServer| {
        let state = node.text(&["CLUSTER", "INFO"]);
        state.contains("cluster_state:ok") && state.contains(&known) && state.contains("cluster_slots_ok:16384\r")
    };
    let started = Instant::now();
    while !nodes.iter().all(ready) {
        assert!(started.elapsed() < MEET_WAIT, "the nodes do not come together");
        std::thread::sleep(Duration::from_millis(20));
    }
    nodes
}

/// The node that holds the keys of a hash tag, by its place among the nodes.
#[must_use]
pub fn holder(nodes: &[&RedisServer], tag: &str) -> usize {
    let holds = |node: &&RedisServer| {
        let slot = node.text(&["CLUSTER", "KEYSLOT", tag]);
        node.text(&["CLUSTER", "COUNTKEYSINSLOT", &slot]) != "0"
    };
    nodes.iter().position(holds).expect("some node holds the keys of the tag")
}

/// Moves the slot of a hash tag to the next node, key by key, while everybody goes on, as `redis-cli --cluster reshard` does.
pub fn move_slot(nodes: &[&RedisServer], tag: &str) {
    let from = holder(nodes, tag);
    let to = from.saturating_add(1).checked_rem(nodes.len()).unwrap_or(0);
    let (from, to) = (nodes[from], nodes[to]);
    let (from_id, to_id) = (from.text(&["CLUSTER", "MYID"]), to.text(&["CLUSTER", "MYID"]));
    let slot = from.text(&["CLUSTER", "KEYSLOT", tag]);
    to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    loop {
        let keys = from.texts(&["CLUSTER", "GETKEYSINSLOT", &slot, KEYS_AT_ONCE]);
        if keys.is_empty() {
            break;
        }
        let port = to.port().to_string();
        let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        command.extend(keys.iter().map(String::as_str));
        from.command(&command);
    }
    // The new holder first: it is the one that must know.
    for node in [to, from].into_iter().chain(nodes.iter().copied()) {
        node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
}
