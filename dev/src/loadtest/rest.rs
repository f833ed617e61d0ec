//! Redis after much was written to it: what its grown table holds is moved there a little at a time, each lookup a step, and its append-only file
//! is written anew. A million accounts keep it at that for minutes, and who measures meanwhile measures that.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{process, redis};

const LIMIT: Duration = Duration::from_mins(3);
/// Redis moves for a millisecond each time it looks after itself; at its usual pace a million accounts take it minutes.
const QUICK_HZ: &str = "500";
/// Redis' default.
const USUAL_HZ: &str = "10";
const LOOK: Duration = Duration::from_secs(1);
/// CPU time a look: moving takes twice as much and more at that pace, what services ask an idle Redis far less.
const AT_REST: Duration = Duration::from_millis(200);

/// Waits until Redis does nothing but what it is asked.
pub fn wait(port: u16, password: &str) -> Result<()> {
    redis::set(port, password, "hz", QUICK_HZ)?;
    let rests = || rests(port, password).unwrap_or(false);
    let rested = process::wait_for("Redis, busy with what was planted,", LIMIT, rests);
    redis::set(port, password, "hz", USUAL_HZ)?;
    rested
}

fn rests(port: u16, password: &str) -> Result<bool> {
    let look = || redis::ask(port, password, "INFO");
    let before = cpu(&look()?)?;
    thread::sleep(LOOK);
    let after = look()?;
    Ok(!writes_anew(&after)? && cpu(&after)?.saturating_sub(before) < AT_REST)
}

fn writes_anew(info: &str) -> Result<bool> {
    let is_on = |name| redis::field::<u8>(info, name).map(|value| value == 1);
    Ok(is_on("aof_rewrite_in_progress")? || is_on("aof_rewrite_scheduled")?)
}

/// What Redis has used of a CPU so far.
fn cpu(info: &str) -> Result<Duration> {
    let used = |name| Duration::try_from_secs_f64(redis::field(info, name)?).context("a time of a CPU");
    Ok(used("used_cpu_user")? + used("used_cpu_sys")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_that_writes_its_file_anew_is_not_at_rest() {
        let info = |rewrites| {
            format!("# Persistence\r\naof_rewrite_in_progress:{rewrites}\r\naof_rewrite_scheduled:0\r\n# CPU\r\n")
        };
        assert!(writes_anew(&info(1)).unwrap() && !writes_anew(&info(0)).unwrap());
    }

    #[test]
    fn the_time_of_a_cpu_is_user_and_system_of_redis_alone() {
        let info = "# CPU\r\nused_cpu_sys:0.250000\r\nused_cpu_user:3.500000\r\nused_cpu_sys_children:9.0\r\n";
        assert_eq!(cpu(info).unwrap(), Duration::from_millis(3_750));
        assert!(cpu("-NOAUTH\r\n").is_err());
    }
}
