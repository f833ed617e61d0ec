//! Redis' side of a request: calls, latency of the debit script, the price of a plain increment.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::cost::cpu_us;

/// Increments that are counted, once a round: long enough for a clock of 10 ms.
const INCREMENTS: u32 = 1_000_000;
const SCRIPT_RUNS: u32 = 20_000;
/// How many digits of an op are the call's own; twelve follow that redis-benchmark makes up.
const OWN_DIGITS: usize = 20;
/// As many different ones as redis-benchmark can tell apart: it keeps the number in an `int`.
const OPS: &str = "2000000000";
const MONITOR_TRIES: u32 = 5;
/// 2^53 − 1: a debit that may come at any time.
const WHENEVER: &str = "9007199254740991";

pub struct RedisSide {
    port: String,
    user: String,
    password: String,
}

impl RedisSide {
    /// Reads `redis://user:password@127.0.0.1:port`.
    pub fn new(url: &str) -> Result<RedisSide> {
        let parts = url.strip_prefix("redis://").and_then(|rest| rest.split_once('@'));
        let (login, address) = parts.context("the URL of Redis names a user")?;
        let (user, password) = login.split_once(':').context("the URL of Redis names a password")?;
        let port = address.rsplit_once(':').context("the URL of Redis names a port")?.1;
        Ok(RedisSide { port: port.to_owned(), user: user.to_owned(), password: password.to_owned() })
    }

    /// How many scripts were called so far.
    pub fn script_calls(&self) -> Result<u32> {
        let text = self.cli(&["INFO", "commandstats"])?;
        let line = text.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        let calls = line.and_then(|rest| rest.split(',').next()).unwrap_or("0");
        calls.parse().context("the count of EVALSHA")
    }

    /// Median latency of the debit script on one connection: a call of the gateway's is seen by MONITOR and run again, each time
    /// with an op of its own.
    pub fn debit_p50_us(&self, one_request: impl Fn() -> Result<()>) -> Result<f64> {
        let call = (0..MONITOR_TRIES).find_map(|_| self.seen_debit(&one_request).transpose());
        let call = call.context("MONITOR saw no debit")??;
        let mut command = self.command("redis-benchmark");
        command.args(["-c", "1", "-n", &SCRIPT_RUNS.to_string(), "-r", OPS, "--csv"]).args(&call);
        let output = command.output().context("redis-benchmark")?;
        let csv = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "redis-benchmark failed: {csv}");
        p50_us(&csv).with_context(|| format!("redis-benchmark said: {csv}"))
    }

    /// A debit call, if MONITOR saw one: on a busy machine it may begin to look too late.
    fn seen_debit(&self, one_request: impl Fn() -> Result<()>) -> Result<Option<Vec<String>>> {
        let mut monitor =
            self.command("redis-cli").arg("MONITOR").stdout(Stdio::piped()).spawn().context("redis-cli")?;
        thread::sleep(Duration::from_millis(300));
        let requested = one_request();
        let _ = monitor.kill(); // already gone is as good
        let seen = monitor.wait_with_output().context("what MONITOR saw")?;
        requested?;
        Ok(String::from_utf8_lossy(&seen.stdout).lines().find_map(debit_call))
    }

    /// CPU µs of Redis for one HINCRBY in a long pipeline.
    pub fn pipelined_increment_us(&self, redis_pid: i32) -> Result<f64> {
        let before = cpu_us(redis_pid)?;
        let mut command = self.command("redis-benchmark");
        command.args([
            "-c",
            "16",
            "-P",
            "64",
            "-n",
            &INCREMENTS.to_string(),
            "-q",
            "HINCRBY",
            "bench:increment",
            "field",
            "1",
        ]);
        let output = command.output().context("redis-benchmark")?;
        ensure!(output.status.success(), "redis-benchmark failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok((cpu_us(redis_pid)? - before) / f64::from(INCREMENTS))
    }

    /// What redis-cli prints for one command.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command("redis-cli").args(arguments).output().context("redis-cli")?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // redis-cli takes the password from the environment, redis-benchmark only as an argument: it is private to .dev/bench.
        command.args(["-h", "127.0.0.1", "-p", &self.port, "--user", &self.user, "-a", &self.password]);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// The words of a debit call that MONITOR shows, with its op replaced by a random one and its deadline by none.
/// `debit.lua`, brief, for one op: 2 keys and that of an account; then how many accounts, the form, the account, and of what is asked which account, how
/// many ops, credits, `not_after_ms`, key, route, op; then the two numbers of the fence.
fn debit_call(line: &str) -> Option<Vec<String>> {
    let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
    let is_debit =
        quoted.first()?.eq_ignore_ascii_case("EVALSHA") && quoted.get(7) == Some(&"brief") && quoted.len() == 18;
    if !is_debit {
        return None;
    }
    let mut call: Vec<String> = quoted.into_iter().map(str::to_owned).collect();
    WHENEVER.clone_into(&mut call[12]);
    // One op for all would be one debit in the book, and an undo for every other.
    call[15] = format!("{}__rand_int__", call[15].get(..OWN_DIGITS)?);
    Some(call)
}

/// The median from `redis-benchmark --csv`, which gives milliseconds.
fn p50_us(csv: &str) -> Option<f64> {
    let mut lines = csv.lines();
    let place = lines.next()?.split(',').position(|name| name.trim_matches('"') == "p50_latency_ms")?;
    let value = lines.next()?.rsplit(',').nth(lines_after(csv, place)?)?;
    value.trim_matches('"').parse::<f64>().ok().map(|ms| ms * 1000.0)
}

/// How many columns stand behind `place`: the first column holds the command, which may hold commas itself.
fn lines_after(csv: &str, place: usize) -> Option<usize> {
    csv.lines().next()?.split(',').count().checked_sub(place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debit_is_told_from_other_calls() {
        let words = [
            "EVALSHA",
            "abc",
            "3",
            "meta",
            "events",
            "a",
            "1",
            "brief",
            "account",
            "1",
            "1",
            "1",
            "99",
            "key",
            "v1.messages",
            "01a216ee050570e3ad41e6c1f2a3b4c5",
            "7",
            "1",
        ];
        let line = format!("1700000000.1 [0 127.0.0.1:1] \"{}\"", words.join("\" \""));
        let call = debit_call(&line).unwrap();
        assert_eq!((call[15].as_str(), call[12].as_str()), ("01a216ee050570e3ad41__rand_int__", WHENEVER));
        assert!(debit_call("1700000000.1 [0 127.0.0.1:1] \"TIME\"").is_none());
    }

    #[test]
    fn the_median_is_read_whatever_the_command_holds() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\"\n\"EVALSHA a,b\",\"1\",\"2\",\"3\",\"0.047\",\"5\"\n";
        assert!((p50_us(csv).unwrap() - 47.0).abs() < 1e-9);
    }
}
