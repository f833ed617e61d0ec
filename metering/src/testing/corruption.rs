//! What corruption leaves behind: an entry in a shard's stream that no script wrote.

use super::RedisServer;
use crate::live::Fence;

/// As `append` and `leave` do, in one step, so that the shard's scripts go on after it. ARGV: how far on, then the fields.
const APPEND: &str = "
local sequence, rest = string.match(redis.call('HGET', KEYS[1], 'live'), '^(%d+)( .*)$')
local next = string.format('%d', sequence + ARGV[1])
redis.call('XADD', KEYS[2], ARGV[2] .. '-' .. next, unpack(ARGV, 3))
redis.call('HSET', KEYS[1], 'live', next .. rest)";

/// Appends an entry `steps` after the last one of the shard: 1 is the next, 2 leaves a gap.
pub fn append_by_hand(redis: &RedisServer, fence: &Fence, steps: u64, fields: &[&str]) {
    let (meta, events) = (fence.meta(), fence.events());
    let (steps, incarnation) = (steps.to_string(), fence.incarnation.to_string());
    let mut command = vec!["EVAL", APPEND, "2", &meta, &events, &steps, &incarnation];
    command.extend(fields);
    let _ = redis.command(&command); // an error is a panic there
}
