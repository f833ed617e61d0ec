//! What a window of load cost: CPU time of processes over requests answered.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::load::{Load, Target};
use crate::process::{self, Record};

/// One window of load.
pub struct Window {
    pub requests: u32,
    pub seconds: f64,
    /// CPU µs a request of each process that was asked for, its children's with it, in that order.
    pub cpu_us: Vec<f64>,
    /// Script calls that Redis served meanwhile.
    pub script_calls: u32,
}

impl Window {
    /// Runs a load and reads what it cost these processes.
    pub fn measure(
        load: &Load,
        target: &Target,
        connections: u32,
        seconds: Duration,
        processes: &[Record],
    ) -> Result<Window> {
        let so_far = || processes.iter().map(tree_cpu_us).collect::<Result<Vec<_>>>();
        let before = so_far()?;
        let answers = load.run(target, connections, seconds)?;
        let after = so_far()?;
        ensure!(answers.requests > 0, "nothing was answered at {}", target.url);
        let (errors, requests) = (answers.errors, answers.requests);
        ensure!(errors == 0, "{errors} of {requests} requests to {} went another way than they should", target.url);
        let share = |(after, before): (f64, f64)| (after - before) / f64::from(answers.requests);
        let cpu_us = after.into_iter().zip(before).map(share).collect();
        Ok(Window { requests: answers.requests, seconds: answers.seconds, cpu_us, script_calls: 0 })
    }
}

/// CPU time of a process so far, user and system, in µs.
pub fn cpu_us(pid: i32) -> Result<f64> {
    ticks_us(pid, &[UTIME, STIME])
}

/// CPU time of a process and its children so far, those that are gone included, in µs.
pub fn tree_cpu_us(parent: &Record) -> Result<f64> {
    let living: f64 = process::children(parent).iter().filter_map(|child| cpu_us(child.pid).ok()).sum();
    Ok(living + ticks_us(parent.pid, &[UTIME, STIME, CUTIME, CSTIME])?)
}

/// Places after the name in `/proc/PID/stat` (proc(5)): its own time, and that of children which are gone.
const UTIME: usize = 11;
const STIME: usize = 12;
const CUTIME: usize = 13;
const CSTIME: usize = 14;

fn ticks_us(pid: i32, places: &[usize]) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("reading /proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("a process has a name")?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).context("CPU ticks");
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second()).context("the clock's ticks")?;
    let sum = places.iter().map(|place| ticks(*place)).sum::<Result<f64>>()?;
    Ok(sum * 1_000_000.0 / f64::from(per_second))
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn this_very_process_has_used_some_cpu() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(cpu_us(pid).unwrap() >= 0.0);
    }
}
