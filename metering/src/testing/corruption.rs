//! What corruption leaves behind: an entry in a shard's stream that no script wrote, a head lot with other credits.

use super::RedisServer;
use crate::live::Fence;

/// As `append` and `leave` do, in one step, so that the shard's scripts go on after it. ARGV: how far on, then the fields.
const APPEND: &str = "
local sequence, now, exposed = struct.unpack('>I7I7I7', redis.call('HGET', KEYS[1], 'live'))
redis.call('XADD', KEYS[2], string.format('%s-%d', ARGV[2], sequence + ARGV[1]), unpack(ARGV, 3))
redis.call('HSET', KEYS[1], 'live', struct.pack('>I7I7I7', sequence + ARGV[1], now, exposed))";

/// Appends an entry `steps` after the last one of the shard: 1 is the next, 2 leaves a gap.
pub fn append_by_hand(redis: &RedisServer, fence: &Fence, steps: u64, fields: &[&str]) {
    let (meta, events) = (fence.meta(), fence.events());
    let (steps, incarnation) = (steps.to_string(), fence.incarnation.to_string());
    let mut command = vec!["EVAL", APPEND, "2", &meta, &events, &steps, &incarnation];
    command.extend(fields);
    let _ = redis.command(&command); // an error is a panic there
}

/// Of KEYS[1], the hash of an account.
const SPOIL: &str = "
local seq, used, left = struct.unpack('>I7I7I7', redis.call('HGET', KEYS[1], 'm'))
redis.call('HSET', KEYS[1], 'm', struct.pack('>I7I7I7', seq, used, tonumber(ARGV[1]) or left - 1))
return left";

/// The words of a command that changes what the head lot of an account holds: to so many credits, or one less than there are.
#[must_use]
pub fn spoil_head(account_hash: &str, credits: Option<u64>) -> [String; 5] {
    let credits = credits.map_or_else(|| "one less".to_owned(), |credits| credits.to_string());
    ["EVAL", SPOIL, "1", account_hash, &credits].map(str::to_owned)
}
