//! Calls of each kind through the gateway, by wrk, and what the gateway's journal keeps of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::layout::Layout;
use crate::{ctl, files, http, ports, process};

/// Enough to be on most shards, and few enough that some debits go together, as under any load.
const CALLERS: usize = 16;
const CONNECTIONS: &str = "16";
/// Until a change of the book has reached live state.
const ARRIVAL: Duration = Duration::from_secs(30);
/// The journal is written behind the answers, by a thread that looks at its queue all the time.
const JOURNAL_REST: Duration = Duration::from_millis(300);

/// What calls leave behind depends on how they end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Served, and paid.
    Plain,
    /// The same under an `Idempotency-Key` of its own.
    Marked,
    /// The upstream fails, and the credits go back.
    GivenBack,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Plain, Kind::Marked, Kind::GivenBack];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Plain => "served",
            Kind::Marked => "served under an Idempotency-Key",
            Kind::GivenBack => "given back",
        }
    }

    /// How many events such a call makes, each of them an entry of the book.
    pub fn events(self) -> u64 {
        if self == Kind::GivenBack { 2 } else { 1 }
    }

    /// The keys of live state that such calls leave beside their events.
    pub fn marks(self) -> Option<&'static str> {
        match self {
            Kind::Plain => None,
            Kind::Marked => Some("tg:{s*}:*:i:*"),
            Kind::GivenBack => Some("tg:{s*}:*:closed:*"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Marked => "marked",
            Kind::GivenBack => "failing",
        }
    }
}

pub struct Calls {
    script: PathBuf,
    journal: PathBuf,
    url: String,
    keys: String,
    length: Duration,
}

/// The keys come by the environment, so that they stand in no process list.
const SCRIPT: &str = r#"-- Written by cargo dev sizes.
local keys, turn, kind = {}, 0, os.getenv("SIZES_KIND")
local headers = { ["Content-Type"] = "application/json" }
function init()
  for key in os.getenv("SIZES_KEYS"):gmatch("[^,]+") do keys[#keys + 1] = "Bearer " .. key end
  if kind == "failing" then headers["Pretend-Fault"] = "status=503" end
end
function request()
  turn = turn + 1
  headers["Authorization"] = keys[turn % #keys + 1]
  if kind == "marked" then headers["Idempotency-Key"] = string.format("order-%08d-of-today", turn) end
  return wrk.format("POST", nil, headers, '{"messages":[{"role":"user","content":"hello"}]}')
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d\n", summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
"#;

impl Calls {
    pub fn new(layout: &Layout, gateway: &str, keys: &[String], length: Duration) -> Result<Calls> {
        let script = layout.run().join("sizes.lua");
        files::write_private(&script, SCRIPT)?;
        let journal = layout.state().join("journal");
        Ok(Calls { script, journal, url: format!("{gateway}/v1/messages"), keys: keys.join(","), length })
    }

    /// Calls for as long as was wished; how many were answered.
    pub fn run(&self, kind: Kind) -> Result<u64> {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--connections", CONNECTIONS, "--timeout", "10s"]);
        command.args(["--duration", &format!("{}s", self.length.as_secs()), "--script"]).arg(&self.script);
        command.arg(&self.url).env("SIZES_KEYS", &self.keys).env("SIZES_KIND", kind.word());
        let output = command.output().context("running wrk")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let [calls, refused, broken] = read(&text).with_context(|| format!("wrk said: {}", text.trim()))?;
        let expected = if kind == Kind::GivenBack { calls } else { 0 };
        ensure!(refused == expected && broken == 0, "of {calls} calls {refused} were refused, {broken} broke off");
        Ok(calls)
    }

    /// Until nothing more is written down.
    pub fn wait_for_journal(&self) -> Result<()> {
        let mut last = self.journal_bytes()?;
        let rests = process::wait_until(ARRIVAL, || {
            std::thread::sleep(JOURNAL_REST);
            let now = self.journal_bytes().unwrap_or(0);
            std::mem::replace(&mut last, now) == now
        });
        ensure!(rests, "the journal does not come to rest");
        Ok(())
    }

    pub fn journal_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        let mut folders = vec![self.journal.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).context("reading the journal's directory")?.flatten() {
                let kind = entry.metadata().context("looking at a file of the journal")?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else {
                    bytes += kind.len();
                }
            }
        }
        Ok(bytes)
    }
}

fn read(text: &str) -> Option<[u64; 3]> {
    let line = text.lines().find_map(|line| line.strip_prefix("FIGURES "))?;
    let numbers: Vec<u64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    numbers.try_into().ok()
}

/// Makes accounts that call, as an operator would; their keys, once the gateway knows each.
pub fn callers(layout: &Layout) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for number in 1..=CALLERS {
        let made =
            tollgate(layout, &["account", "create", "--name", &format!("caller {number}"), "--status", "active"])?;
        let account = word(&made, "account")?;
        let grant = ["lot", "grant", "--account", &account, "--credits", "1000000000", "--expires-in", "30d"];
        tollgate(layout, &grant)?;
        keys.push(word(&tollgate(layout, &["key", "issue", "--account", &account])?, "key")?);
    }
    let gateway = crate::state::State::load(layout)?.and_then(|state| state.report).context("what is up")?.gateway;
    let port = ports::of(&gateway)?;
    let known = |key: &String| {
        http::get(port, "/v1/credits", Some(key)).is_ok_and(|answer| answer.json()["remaining"] == 1_000_000_000)
    };
    ensure!(process::wait_until(ARRIVAL, || keys.iter().all(known)), "the callers' accounts did not arrive in time");
    Ok(keys)
}

fn tollgate(layout: &Layout, args: &[&str]) -> Result<Value> {
    let mut command = ctl::command(layout, false);
    let output =
        command.args(["--json", "--actor", "cargo dev sizes"]).args(args).output().context("running tollgate")?;
    ensure!(output.status.success(), "tollgate {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    serde_json::from_slice(&output.stdout).context("what tollgate said")
}

fn word(answer: &Value, field: &str) -> Result<String> {
    answer[field].as_str().map(str::to_owned).with_context(|| format!("tollgate answered no {field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_counted_is_read_from_its_last_line() {
        assert_eq!(read("Running 5s test\nFIGURES 1200 3 0\n").unwrap(), [1200, 3, 0]);
        assert!(read("Running 5s test\nFIGURES 1200\n").is_none());
    }
}
