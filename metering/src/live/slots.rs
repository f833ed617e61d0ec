//! Redis Cluster's slots: which slot a key lives in, and which node holds a slot.

use redis::{ErrorKind, RedisError, Value};

use super::keys::INSTALL;
use crate::Shard;

/// Slots of every cluster.
const SLOTS: u16 = 16_384;

/// What is asked of one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The facts of the installation.
    Install,
    /// The keys of a shard, which share a hash tag.
    Shard(Shard),
}

impl From<Shard> for Route {
    fn from(shard: Shard) -> Self {
        Self::Shard(shard)
    }
}

impl Route {
    /// The slot that holds it.
    pub(super) fn slot(self) -> u16 {
        match self {
            Self::Install => slot_of(INSTALL),
            Self::Shard(shard) => slot_of(&shard.to_string()), // the hash tag
        }
    }
}

fn slot_of(tag: &str) -> u16 {
    tag.bytes().fold(0_u16, crc16) % SLOTS
}

/// One byte more of a CRC16 with polynomial 0x1021, as the specification of Redis Cluster says.
fn crc16(crc: u16, byte: u8) -> u16 {
    (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
        let shifted = crc << 1;
        if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
    })
}

/// Where a node of a cluster is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NodeAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl NodeAddress {
    /// As MOVED writes it: `host:port`, where the host may hold colons, and may be missing: then it is the host of whoever told.
    pub(super) fn read(text: &str, teller: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = if host.is_empty() || host == "?" { teller } else { host };
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

/// Who holds which slots: the answer to `CLUSTER SLOTS`.
#[derive(Debug, Default)]
pub(super) struct Layout(Vec<Range>);

#[derive(Debug)]
struct Range {
    first: u16,
    last: u16,
    node: NodeAddress,
}

impl Layout {
    /// Reads rows of first slot, last slot, primary, and replicas; the latter are never asked.
    /// A node that leaves its host out is on the host of whoever told.
    pub(super) fn read(answer: Value, teller: &str) -> Result<Self, RedisError> {
        let Value::Array(rows) = answer else { return Err(not_a_layout()) };
        rows.into_iter().map(|row| Range::read(row, teller)).collect::<Option<_>>().map(Self).ok_or_else(not_a_layout)
    }

    pub(super) fn node_of(&self, slot: u16) -> Option<&NodeAddress> {
        self.0.iter().find(|range| (range.first..=range.last).contains(&slot)).map(|range| &range.node)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &NodeAddress> {
        self.0.iter().map(|range| &range.node)
    }
}

impl Range {
    fn read(row: Value, teller: &str) -> Option<Self> {
        let Value::Array(row) = row else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = row.as_slice() else { return None };
        let [host, Value::Int(port), ..] = primary.as_slice() else { return None };
        let host = match host {
            Value::BulkString(host) => String::from_utf8(host.clone()).ok().filter(|host| host != "?"),
            Value::SimpleString(host) => Some(host.clone()).filter(|host| host != "?"),
            _ => None,
        };
        let node = NodeAddress {
            host: host.filter(|host| !host.is_empty()).unwrap_or_else(|| teller.to_owned()),
            port: u16::try_from(*port).ok()?,
        };
        Some(Self { first: u16::try_from(*first).ok()?, last: u16::try_from(*last).ok()?, node })
    }
}

fn not_a_layout() -> RedisError {
    (ErrorKind::UnexpectedReturnType, "the layout of a cluster was not understood").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_counted_as_every_cluster_counts_them() {
        assert_eq!("123456789".bytes().fold(0, crc16), 0x31c3, "the specification's own example");
        assert_eq!((slot_of("foo"), slot_of("")), (12_182, 0), "as CLUSTER KEYSLOT answers");
        let shard = Shard { kind: crate::ShardKind::Accounts, number: 3 };
        assert_eq!(
            (Route::from(shard).slot(), Route::Install.slot()),
            (8105, 7953),
            "of tg:{{s003}}:head and tg:install"
        );
    }

    #[test]
    fn a_node_may_leave_its_host_out() {
        let read = |text| NodeAddress::read(text, "own").map(|node| (node.host, node.port));
        assert_eq!(read("10.0.0.1:6379"), Some(("10.0.0.1".to_owned(), 6379)));
        assert_eq!(read("::1:6379"), Some(("::1".to_owned(), 6379)));
        assert_eq!(read(":6379"), Some(("own".to_owned(), 6379)));
        assert_eq!((read("6379"), read("host:port")), (None, None));
    }

    #[test]
    fn a_layout_names_primaries_and_only_those() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let node = |host, port| Value::Array(vec![host, Value::Int(port), text("id"), Value::Array(vec![])]);
        let row =
            |first, last, nodes: Vec<Value>| Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat());
        let rows = vec![
            row(0, 99, vec![node(text("a"), 1), node(text("replica"), 2)]),
            row(100, 16_383, vec![node(Value::Nil, 3)]),
        ];
        let layout = Layout::read(Value::Array(rows), "own").unwrap();
        assert_eq!(layout.node_of(99), Some(&NodeAddress { host: "a".to_owned(), port: 1 }));
        assert_eq!(layout.node_of(100), Some(&NodeAddress { host: "own".to_owned(), port: 3 }));
        assert_eq!(layout.nodes().count(), 2);
        for unsaid in [text("?"), text(""), Value::SimpleString("?".to_owned())] {
            let told = Layout::read(Value::Array(vec![row(0, 99, vec![node(unsaid, 3)])]), "own").unwrap();
            assert_eq!(told.node_of(0).map(|node| node.host.as_str()), Some("own"));
        }
        let said = node(Value::SimpleString("b".to_owned()), 3);
        let told = Layout::read(Value::Array(vec![row(0, 99, vec![said])]), "own").unwrap();
        assert_eq!(told.node_of(0).map(|node| node.host.as_str()), Some("b"));
        for odd in [Value::Nil, Value::Array(vec![row(0, 99, vec![])]), Value::Array(vec![Value::Int(1)])] {
            assert!(Layout::read(odd, "own").is_err());
        }
    }
}
