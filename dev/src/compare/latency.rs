//! How long callers wait: on one connection, and at a rate that waits for nobody.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Both, steadily};
use crate::bench::RedisSide;
use crate::layout::Layout;
use crate::{files, words};

/// Medians of each window on one connection, µs.
pub struct OneConnection {
    pub metered_us: Vec<f64>,
    pub bare_us: Vec<f64>,
    /// The debit script alone.
    pub script_us: Vec<f64>,
    /// Script calls that Redis served for a request.
    pub calls_a_request: f64,
}

impl OneConnection {
    pub fn measure(both: &Both, redis: &RedisSide, windows: u32, seconds: Duration) -> Result<OneConnection> {
        words::step("one connection: latency added, latency of the script");
        let mut found = OneConnection { metered_us: vec![], bare_us: vec![], script_us: vec![], calls_a_request: 0.0 };
        let (mut calls, mut requests) = (0, 0);
        for _ in 0..windows {
            both.book.calm()?;
            let before = redis.script_calls()?;
            let answers = both.load.run(both.gateway, 1, seconds)?;
            (calls, requests) = (calls + redis.script_calls()? - before, requests + answers.requests);
            found.metered_us.push(answers.p50_us);
            found.bare_us.push(both.load.run(both.bare, 1, seconds)?.p50_us);
            found.script_us.push(redis.debit_p50_us(|| both.load.one(both.gateway))?);
        }
        found.calls_a_request = f64::from(calls) / f64::from(requests);
        Ok(found)
    }
}

/// 99 % of callers at one rate waited no longer than this, from the instant their request was due.
pub struct OpenLoop {
    /// Requests a second.
    pub rate: f64,
    pub gateway_p99_us: Vec<f64>,
    pub bare_p99_us: Vec<f64>,
    /// Windows that were measured again because a call failed in them.
    pub disturbed: u32,
}

impl OpenLoop {
    /// Both at `rate` in turn, by the program `loadtest`.
    pub fn measure(layout: &Layout, both: &Both, rate: f64, windows: u32, seconds: Duration) -> Result<OpenLoop> {
        words::step(&format!("open loop: {rate:.0} requests a second to bare pingora and to the gateway, in turn"));
        let keys = layout.run().join("compare.keys");
        files::write_private(&keys, &format!("{}\n", both.gateway.key.as_deref().unwrap_or_default()))?;
        let caller = Caller { program: &layout.program("loadtest", true), keys: &keys, rate, seconds };
        let mut found = OpenLoop { rate, gateway_p99_us: vec![], bare_p99_us: vec![], disturbed: 0 };
        for _ in 0..windows {
            let (bare, gateway) = (&both.bare.url, &both.gateway.url);
            found
                .bare_p99_us
                .push(steadily(&mut found.disturbed, || both.book.calm().and_then(|()| caller.p99_us(bare)))?);
            found
                .gateway_p99_us
                .push(steadily(&mut found.disturbed, || both.book.calm().and_then(|()| caller.p99_us(gateway)))?);
        }
        Ok(found)
    }
}

struct Caller<'a> {
    program: &'a Path,
    keys: &'a Path,
    rate: f64,
    seconds: Duration,
}

impl Caller<'_> {
    /// The 99th percentile of a run that had no error.
    fn p99_us(&self, url: &str) -> Result<f64> {
        let base = url.strip_suffix("/v1/messages").context("the URL of a message")?;
        let mut command = Command::new(self.program);
        command.args(["run", "--target", base, "--connections", "64", "--mix", "json=1", "--json", "-"]);
        command.args(["--rate", &format!("{:.0}", self.rate), "--duration", &format!("{}s", self.seconds.as_secs())]);
        command.arg("--keys").arg(self.keys);
        let output = command.output().context("running loadtest")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "loadtest failed at {base}: {}", said.trim());
        let found: Value = serde_json::from_slice(&output.stdout).context("reading what loadtest found")?;
        p99_us(&found).with_context(|| format!("not every call at {base} was served: {}", found["all"]["answers"]))
    }
}

/// Of the calls that were measured; a run in which one failed is none.
fn p99_us(found: &Value) -> Option<f64> {
    let all = &found["all"];
    let whole = all["calls"].as_u64()? > 0 && all["calls"] == all["served"];
    whole.then(|| all["latency_us"]["p99"].as_f64()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_with_an_error_is_none() {
        let run = |served: u64| json!({ "all": { "calls": 10, "served": served, "latency_us": { "p99": 812.0 } } });
        assert_eq!(p99_us(&run(10)), Some(812.0));
        assert_eq!(p99_us(&run(9)), None);
        assert_eq!(p99_us(&json!({})), None);
    }
}
