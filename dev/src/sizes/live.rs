//! Redis' side: what each key takes up, as `MEMORY USAGE` has it, and all of them together.

use anyhow::{Context, Result, ensure};

use super::book::Group;
use super::calls::Kind;
use crate::redis;

/// Keys looked at for a figure; they differ by a few bytes only.
const SAMPLE: usize = 200;
const SCAN_COUNT: &str = "COUNT 1000000";

pub struct Live<'a> {
    port: u16,
    password: &'a str,
}

/// Some keys, or entries of streams, and their bytes.
#[derive(Clone, Copy, Default)]
pub struct Bytes {
    pub count: u64,
    pub bytes: u64,
}

/// What one account with so many lots takes up.
pub struct AccountBytes {
    pub lots: u64,
    pub bytes: u64,
}

impl<'a> Live<'a> {
    pub fn new(port: u16, password: &'a str) -> Live<'a> {
        Live { port, password }
    }

    /// All that Redis holds, its tables of keys included.
    pub fn used_memory(&self) -> Result<u64> {
        self.field("INFO memory", "used_memory")
    }

    pub fn aof_bytes(&self) -> Result<u64> {
        self.field("INFO persistence", "aof_current_size")
    }

    /// Redis writes its append-only file anew when that has grown; what calls add to it could not be told then.
    pub fn only_append(&self) -> Result<()> {
        redis::set(self.port, self.password, "auto-aof-rewrite-percentage", "0")
    }

    pub fn flush(&self) -> Result<()> {
        redis::ask(self.port, self.password, "FLUSHALL").map(drop)
    }

    /// The middle account of a group: its hash and its waiting lots.
    pub fn group(&self, group: &Group) -> Result<AccountBytes> {
        let mut sums = Vec::new();
        for account in group.accounts.iter().take(SAMPLE) {
            let keys = ["a", "l"].map(|of| format!("{}:{of}:{}", account.prefix, account.hex));
            sums.push(self.usage(&keys)?.bytes);
        }
        sums.sort_unstable();
        let bytes = *sums.get(sums.len() / 2).context("a group without accounts")?;
        ensure!(bytes > 0, "accounts with {} lots are not in live state", group.lots);
        Ok(AccountBytes { lots: group.lots, bytes })
    }

    pub fn api_key(&self) -> Result<u64> {
        let mut keys = self.keys("tg:{k*}:*:k:*")?;
        keys.truncate(SAMPLE);
        let all = self.usage(&keys)?;
        ensure!(all.count > 0, "no API key is in live state");
        Ok(all.bytes / all.count)
    }

    /// The streams of all shards: how many events they hold, and their bytes.
    pub fn streams(&self) -> Result<Bytes> {
        let keys = self.keys("tg:{s*}:*:events")?;
        let infos: Vec<String> = keys.iter().map(|key| format!("XINFO STREAM {key}")).collect();
        let count = last_numbers(&redis::ask(self.port, self.password, &infos.join("\r\n"))?);
        Ok(Bytes { count, bytes: self.usage(&keys)?.bytes })
    }

    /// What calls of this kind leave beside their events.
    pub fn marks(&self, kind: Kind) -> Result<Bytes> {
        kind.marks().map_or_else(|| Ok(Bytes::default()), |pattern| self.usage(&self.keys(pattern)?))
    }

    fn keys(&self, pattern: &str) -> Result<Vec<String>> {
        let text = redis::ask(self.port, self.password, &format!("SCAN 0 MATCH {pattern} {SCAN_COUNT}"))?;
        Ok(text.split("\r\n").filter(|line| line.starts_with("tg:")).map(str::to_owned).collect())
    }

    /// Those that exist, and what they take up.
    fn usage(&self, keys: &[String]) -> Result<Bytes> {
        // 0 = every part of the key is looked at, not some of them.
        let sizes = self.ask_each("MEMORY USAGE", keys, "SAMPLES 0")?;
        Ok(Bytes { count: u64::try_from(sizes.len())?, bytes: sizes.iter().sum() })
    }

    /// The numbers that Redis answers of each key; what is not there is left out.
    fn ask_each(&self, command: &str, keys: &[String], rest: &str) -> Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for some in keys.chunks(1000) {
            let commands: Vec<String> = some.iter().map(|key| format!("{command} {key} {rest}")).collect();
            let text = redis::ask(self.port, self.password, &commands.join("\r\n"))?;
            numbers.extend(text.split("\r\n").filter_map(|line| line.strip_prefix(':')?.parse::<u64>().ok()));
        }
        Ok(numbers)
    }

    fn field(&self, section: &str, name: &str) -> Result<u64> {
        redis::field(&redis::ask(self.port, self.password, section)?, name)
    }
}

/// How many events the streams of these answers have had: each has a number, from the first of its incarnation on, and the debits of a call, which
/// are one entry, one each.
fn last_numbers(infos: &str) -> u64 {
    let lines: Vec<&str> = infos.split("\r\n").collect();
    let last = lines.windows(3).filter_map(|lines| match lines {
        ["last-generated-id", _, id] => id.split_once('-')?.1.parse::<u64>().ok(),
        _ => None,
    });
    last.sum()
}

#[cfg(test)]
mod tests {
    use super::last_numbers;

    #[test]
    fn events_are_counted_by_the_number_of_the_last_whatever_is_one_entry() {
        let stream = "*4\r\n$6\r\nlength\r\n:2\r\n$17\r\nlast-generated-id\r\n$4\r\n1-25\r\n";
        assert_eq!(
            (last_numbers(stream), last_numbers(&stream.repeat(2)), last_numbers("-ERR no such key\r\n")),
            (25, 50, 0)
        );
    }
}
