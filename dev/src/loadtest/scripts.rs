//! The scenarios that are one load and one audit: accounts, calls, and what must have come of them.

use super::caller::Load;
use super::found::Found;
use super::plant::Group;
use super::wish::LoadWish;

/// More than anybody draws.
const PLENTY: u64 = 1 << 40;
/// A short stream, as answers of a chat are: five events and the last one.
const STREAM: &str = "Pretend-Stream: chunks=5, gap=20";
/// Everything that callers do.
const MIXED: &str = "json=70,sse=10,free=10,refused=10";
/// What the upstream of `slow-upstream` waits before it answers.
const SLOW: &str = "Pretend-Fault: delay=1000";
const SLOW_US: f64 = 1_000_000.0;

pub struct Script {
    pub name: &'static str,
    pub group: Group,
    pub load: Load,
    /// Whether the rate is half of the highest, unless one is asked for.
    pub half_of_peak: bool,
    /// What must hold of the answers besides the audit, in words where it does not; so many callers may be told to come again.
    pub check: fn(&Found, u64) -> Vec<String>,
}

pub fn smoke(wish: &LoadWish) -> Script {
    let load = Load { mix: "json=60,sse=15,free=10,refused=15", connections: 16, ..mixed("60", "10s") };
    script("smoke", many(wish, 8, 1), load.or(wish), all_as_asked)
}

pub fn steady(wish: &LoadWish) -> Script {
    let load = Load { mix: MIXED, rate: None, connections: 256, ..mixed("", "10m") };
    Script { half_of_peak: wish.rate.is_none(), ..script("steady", many(wish, 1_000, 3), load.or(wish), steadily) }
}

pub fn burst(wish: &LoadWish) -> Script {
    let load = Load { mix: MIXED, connections: 512, ..mixed("500/8s,4000/2s", "1m") };
    script("burst", many(wish, 1_000, 3), load.or(wish), all_as_asked)
}

pub fn exhaustion(wish: &LoadWish) -> Script {
    let group = Group { credits: 500, ..many(wish, 20, 1) };
    let load = Load { mix: "json=1", zipf: 0.0, ..mixed("500", "30s") };
    script("exhaustion", group, load.or(wish), spent_to_the_last)
}

pub fn hot_account(wish: &LoadWish) -> Script {
    let load = Load { mix: "json=1", ..mixed("2000", "30s") };
    script("hot-account", Group { accounts: 1, keys: 1, ..many(wish, 1, 3) }, load.or(wish), all_as_asked)
}

pub fn slow_upstream(wish: &LoadWish) -> Script {
    let mut load = Load { mix: "json=1", connections: 512, ..mixed("200", "30s") };
    load.headers.push(SLOW.to_owned());
    script("slow-upstream", many(wish, 1_000, 1), load.or(wish), slowly)
}

fn script(name: &'static str, group: Group, load: Load, check: fn(&Found, u64) -> Vec<String>) -> Script {
    Script { name, group, load, half_of_peak: false, check }
}

fn many(wish: &LoadWish, accounts: u64, lots: u64) -> Group {
    let accounts = wish.accounts.unwrap_or(accounts);
    Group { name: "load", accounts, lots, credits: PLENTY, keys: accounts, audited: true }
}

/// As strangers come, with some accounts that call much more often than others.
fn mixed(rate: &str, duration: &str) -> Load {
    Load {
        rate: Some(rate.to_owned()),
        arrivals: "poisson",
        duration: duration.to_owned(),
        zipf: 1.1,
        headers: vec![STREAM.to_owned()],
        balances: true,
        ..Load::default()
    }
}

/// Everybody is served, but for those with a key of nobody.
fn all_as_asked(found: &Found, late: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let refused = found.calls_of("refused");
    let (served, calls) = (found.all.served, found.all.calls);
    if served + refused + late != calls || found.answered("401 invalid_api_key") != refused {
        wrong.push(format!(
            "of {calls} calls {served} were served and {refused} were to be refused: {:?}",
            found.all.answers
        ));
    }
    wrong.extend(balances(found));
    wrong
}

/// The same, by an upstream that really is slow.
fn slowly(found: &Found, late: u64) -> Vec<String> {
    let mut wrong = all_as_asked(found, late);
    if found.all.latency_us.p50 < SLOW_US {
        wrong.push("the upstream was not slow".to_owned());
    }
    wrong
}

/// The same, and nothing grows.
fn steadily(found: &Found, late: u64) -> Vec<String> {
    /// What a program may take beside what it began with: caches fill, and a slower minute leaves larger buffers.
    const GROWTH: f64 = 0.25;
    const BESIDE_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
    let mut wrong = all_as_asked(found, late);
    for process in found.processes.iter().filter(|process| ["gateway", "ledger_sync"].contains(&process.name.as_str()))
    {
        let (Some(begin), Some(end)) = (process.rss_begin_bytes, process.rss_end_bytes) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        if end as f64 > begin as f64 * (1.0 + GROWTH) + BESIDE_BYTES {
            wrong.push(format!("{} grew from {begin} to {end} bytes", process.name));
        }
    }
    wrong
}

/// Whoever has no credits left is told so, and nobody is told anything else.
fn spent_to_the_last(found: &Found, late: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let (served, refused, calls) = (found.all.served, found.answered("402 credits_exhausted"), found.all.calls);
    if served + refused + late != calls || refused == 0 {
        wrong.push(format!(
            "of {calls} calls {served} were served and {refused} told that nothing is left: {:?}",
            found.all.answers
        ));
    }
    wrong.extend(balances(found));
    wrong
}

fn balances(found: &Found) -> Vec<String> {
    let wrong = found.balances.iter().flat_map(|balances| &balances.wrong);
    wrong.map(|wrong| format!("a balance is not what callers were told: {wrong}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(answers: &serde_json::Value, refused: u64) -> Found {
        let spread = json!({ "count": 1, "p50": 1.0, "p99": 1.0, "p999": 1.0, "max": 1.0 });
        let figures = |calls: u64, served: u64, answers: &serde_json::Value| json!({ "calls": calls, "served": served, "failed": 0, "credits": served, "answers": answers, "latency_us": spread, "service_us": spread });
        let served = answers["200"].as_u64().unwrap_or(0);
        let calls = answers.as_object().unwrap().values().filter_map(serde_json::Value::as_u64).sum();
        serde_json::from_value(json!({
            "seconds": 1.0, "per_second": 1.0, "all": figures(calls, served, answers), "late_us": spread, "streams": null, "over_time": [],
            "kinds": { "refused": figures(refused, 0, &json!({})) }, "debits": null, "backlog_max": null, "backlog_end": null,
            "processes": [{ "name": "gateway", "cpu_us_per_call": 1.0, "rss_begin_bytes": 100_000_000, "rss_end_bytes": 100_000_000 }],
            "balances": { "accounts": 1, "unsure": 0, "wrong": [] },
        }))
        .unwrap()
    }

    #[test]
    fn everybody_is_served_but_those_with_a_key_of_nobody() {
        let good = json!({ "200": 90, "401 invalid_api_key": 10 });
        assert!(all_as_asked(&found(&good, 10), 0).is_empty());
        assert_eq!(all_as_asked(&found(&good, 9), 0).len(), 1);
        for bad in ["503 meter_unavailable", "402 credits_exhausted", "timeout", "401 invalid_api_key"] {
            assert_eq!(all_as_asked(&found(&json!({ "200": 90, bad: 1 }), 0), 0).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_few_may_be_told_to_come_again_by_a_machine_that_stands_still_and_not_many() {
        let few = found(&json!({ "200": 95, "503 meter_unavailable": 5 }), 0);
        assert!(all_as_asked(&few, few.late()).is_empty());
        assert_eq!(all_as_asked(&few, 0).len(), 1);
        let many = found(&json!({ "200": 94, "503 meter_unavailable": 6 }), 0);
        assert_eq!(all_as_asked(&many, many.late()).len(), 1);
    }

    #[test]
    fn a_balance_or_a_memory_that_is_wrong_is_told() {
        let mut grown = found(&json!({ "200": 90 }), 0);
        grown.processes[0].rss_end_bytes = Some(300_000_000);
        assert_eq!(steadily(&grown, 0).len(), 1);
        assert_eq!(all_as_asked(&grown, 0).len(), 0);
        let mut wrong = found(&json!({ "200": 90 }), 0);
        wrong.balances.as_mut().unwrap().wrong.push(json!({ "account": "acct_1" }));
        assert_eq!(all_as_asked(&wrong, 0).len(), 1);
    }

    #[test]
    fn accounts_that_run_out_are_told_so_and_nothing_else() {
        assert!(spent_to_the_last(&found(&json!({ "200": 10, "402 credits_exhausted": 90 }), 0), 0).is_empty());
        assert_eq!(spent_to_the_last(&found(&json!({ "200": 10 }), 0), 0).len(), 1, "nobody ran out");
        assert_eq!(spent_to_the_last(&found(&json!({ "402 credits_exhausted": 9, "503": 1 }), 0), 0).len(), 1);
    }
}
