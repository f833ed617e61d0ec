//! Which Redis may hold money: checked before a shard is certified, refused when unsafe.

use std::collections::HashMap;

use thiserror::Error;

/// Redis is not set up to hold live balances.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("redis is not safe for live balances: {0}")]
pub struct Unsafe(pub String);

/// What `INFO` said of a Redis process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Changes with each start of the process.
    pub run_id: String,
    /// Memory in use, in percent of `maxmemory`; `None` without a limit.
    pub memory_used_percent: Option<u64>,
    /// When it writes its append-only file to the disk: `always`, `everysec` or `no`; empty where it does not say.
    pub appendfsync: String,
}

/// Whether Redis still reads its files. It says meanwhile that it has no append-only file, which is no reason to give it up.
pub(super) fn is_loading(info: &str) -> bool {
    info.lines().any(|line| line.trim_end() == "loading:1")
}

/// Reads `INFO` and refuses a Redis that may forget money: an eviction policy, no append-only file, a replica, before 7.0.
pub fn check(info: &str) -> Result<Process, Unsafe> {
    let facts: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let fact =
        |name: &'static str| facts.get(name).copied().ok_or_else(|| Unsafe(format!("INFO does not tell {name}")));
    let major: u64 = fact("redis_version")?.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < 7 {
        return Err(Unsafe(format!("version {} is before 7.0, which numbers events", fact("redis_version")?)));
    }
    if fact("maxmemory_policy")? != "noeviction" {
        return Err(Unsafe(format!("maxmemory-policy is {}; it must be noeviction", fact("maxmemory_policy")?)));
    }
    if fact("aof_enabled")? != "1" {
        return Err(Unsafe("appendonly is no; it must be yes".to_owned()));
    }
    if fact("role")? != "master" {
        return Err(Unsafe(format!("its role is {}; it must be the primary", fact("role")?)));
    }
    let number = |name| fact(name).ok().and_then(|text| text.parse::<u64>().ok());
    let memory_used_percent = match (number("used_memory"), number("maxmemory")) {
        (Some(used), Some(limit)) => used.saturating_mul(100).checked_div(limit),
        _ => None,
    };
    Ok(Process { run_id: fact("run_id")?.to_owned(), memory_used_percent, appendfsync: String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: &str = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nrole:master\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\nmaxmemory:0\r\nused_memory:1000\r\n";

    #[test]
    fn a_redis_that_keeps_what_it_is_told_is_taken() {
        assert_eq!(
            check(SAFE),
            Ok(Process { run_id: "abc".to_owned(), memory_used_percent: None, appendfsync: String::new() })
        );
        let limited = SAFE.replace("maxmemory:0", "maxmemory:4000");
        assert_eq!(check(&limited).unwrap().memory_used_percent, Some(25));
    }

    #[test]
    fn a_redis_that_is_still_loading_is_told_apart() {
        assert!(!is_loading(SAFE) && !is_loading("loading:0\r\nasync_loading:1\r\n"));
        assert!(is_loading(&SAFE.replace("aof_enabled:1", "loading:1\r\naof_enabled:0")));
    }

    #[test]
    fn a_redis_that_may_forget_money_is_refused_with_the_reason() {
        for (fact, instead, reason) in [
            ("noeviction", "allkeys-lru", "noeviction"),
            ("aof_enabled:1", "aof_enabled:0", "appendonly"),
            ("role:master", "role:slave", "primary"),
            ("7.0.15", "6.2.14", "7.0"),
            ("run_id:abc\r\n", "", "run_id"),
        ] {
            let refused = check(&SAFE.replace(fact, instead)).unwrap_err();
            assert!(refused.0.contains(reason), "{refused}");
        }
    }
}
