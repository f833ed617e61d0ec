//! Load by wrk: closed loop, keep-alive, small JSON bodies.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::files;
use crate::layout::Layout;

pub struct Target {
    pub url: String,
    /// One key, or several with commas between: requests take turns with them.
    pub key: Option<String>,
    /// Whether every request is to be refused (4xx, 5xx); else none may be.
    pub refused: bool,
}

pub struct Load {
    script: PathBuf,
}

/// What wrk counted.
pub struct Answers {
    pub requests: u32,
    /// Those that broke, and those answered in another way than they should be.
    pub errors: u32,
    pub seconds: f64,
    pub p50_us: f64,
}

/// The key comes by the environment, so that it stands in no process list.
const SCRIPT: &str = r#"-- Written by cargo dev bench.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"messages":[{"role":"user","content":"hello"}]}'
local requests, turn = {}, 0
function init()
  for key in (os.getenv("BENCH_KEY") or ""):gmatch("[^,]+") do
    wrk.headers["Authorization"] = "Bearer " .. key
    requests[#requests + 1] = wrk.format()
  end
  if #requests == 0 then requests[1] = wrk.format() end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d %.1f\n", summary.requests, e.connect + e.read + e.write + e.timeout, e.status,
    summary.duration, latency:percentile(50)))
end
"#;

impl Load {
    pub fn new(layout: &Layout) -> Result<Load> {
        let script = layout.run().join("bench.lua");
        files::write_private(&script, SCRIPT)?;
        Ok(Load { script })
    }

    /// One request.
    pub fn one(&self, target: &Target) -> Result<()> {
        self.run(target, 1, Duration::from_secs(1)).map(drop)
    }

    pub fn run(&self, target: &Target, connections: u32, seconds: Duration) -> Result<Answers> {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--connections", &connections.to_string()]);
        command.args(["--duration", &format!("{}s", seconds.as_secs()), "--timeout", "10s", "--script"]);
        command.arg(&self.script).arg(&target.url);
        command.env("BENCH_KEY", target.key.as_deref().unwrap_or_default());
        let output = command.output().context("running wrk")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "wrk failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        read(&text, target.refused).with_context(|| format!("wrk said: {}", text.trim()))
    }
}

fn read(text: &str, refused: bool) -> Option<Answers> {
    let line = text.lines().find_map(|line| line.strip_prefix("FIGURES "))?;
    let mut words = line.split(' ');
    let mut count = || words.next()?.parse::<u32>().ok();
    let (requests, broken, refusals) = (count()?, count()?, count()?);
    let errors = broken + if refused { requests.saturating_sub(refusals) } else { refusals };
    let duration_us: f64 = words.next()?.parse().ok()?;
    Some(Answers { requests, errors, seconds: duration_us / 1e6, p50_us: words.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_counted_is_read_from_its_last_line() {
        let said = "Running 5s test\nFIGURES 1200 3 20 5000000 210.0\n";
        let answers = read(said, false).unwrap();
        assert_eq!((answers.requests, answers.errors), (1200, 23));
        assert!(read("Running 5s test\n", false).is_none());
    }

    #[test]
    fn where_all_shall_be_refused_who_is_served_is_an_error() {
        assert_eq!(read("FIGURES 1200 3 1190 5000000 210.0\n", true).unwrap().errors, 13);
    }
}
