//! What programs cost meanwhile: CPU time and memory of a process and all its descendants, from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::str::FromStr;

/// A process to watch: `name=PID`.
#[derive(Clone, Debug)]
pub struct Process {
    pub name: String,
    pid: i32,
}

impl FromStr for Process {
    type Err = String;

    fn from_str(text: &str) -> Result<Process, String> {
        let (name, pid) = text.split_once('=').ok_or("NAME=PID")?;
        let pid = pid.parse().ok().filter(|pid| *pid > 0).ok_or_else(|| format!("{pid} is no process id"))?;
        Ok(Process { name: name.to_owned(), pid })
    }
}

/// Of a process and its descendants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// Since they began, those that are gone and were waited for included.
    pub cpu_us: f64,
    /// Memory that several share counts for each of them.
    pub rss_bytes: u64,
}

/// What each has used so far, by one look at all that run.
pub fn used(processes: &[Process]) -> Vec<Option<Used>> {
    let all = living();
    processes.iter().map(|process| process.used(&all)).collect()
}

impl Process {
    /// None once it is gone, or where there is no `/proc`.
    fn used(&self, all: &BTreeMap<i32, Stat>) -> Option<Used> {
        let root = all.get(&self.pid)?;
        let mut used = Used { cpu_us: root.cpu_us, rss_bytes: root.rss_bytes };
        let mut parents = vec![self.pid];
        while let Some(parent) = parents.pop() {
            for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
                used.cpu_us += stat.cpu_us;
                used.rss_bytes += stat.rss_bytes;
                parents.push(*pid);
            }
        }
        Some(used)
    }
}

struct Stat {
    parent: i32,
    cpu_us: f64,
    rss_bytes: u64,
}

fn living() -> BTreeMap<i32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))).collect()
}

/// Places after the name (proc(5)).
const PARENT: usize = 1;
const UTIME: usize = 11;
const CSTIME: usize = 14;
const RSS_PAGES: usize = 21;

fn stat(text: &str) -> Option<Stat> {
    // The name stands in brackets and may hold blanks; the rest is plain.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    // One that has ended and that its parent has not looked at yet is gone.
    if fields.first() == Some(&"Z") {
        return None;
    }
    let ticks = fields.get(UTIME..=CSTIME)?.iter().filter_map(|text| text.parse::<f64>().ok()).sum::<f64>();
    let per_second = f64::from(u32::try_from(rustix::param::clock_ticks_per_second()).ok()?);
    let pages: u64 = fields.get(RSS_PAGES)?.parse().ok()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    Some(Stat {
        parent: fields.get(PARENT)?.parse().ok()?,
        cpu_us: ticks * 1_000_000.0 / per_second,
        rss_bytes: pages * page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name_of_the_program() {
        let line = "7 (a ) b) S 3 7 7 0 -1 4194560 1 2 3 4 100 50 10 5 20 0 1 0 1 9 250 1844";
        let stat = stat(line).unwrap();
        assert_eq!(stat.parent, 3);
        let second = f64::from(u32::try_from(rustix::param::clock_ticks_per_second()).unwrap());
        assert!((stat.cpu_us - 165.0 / second * 1e6).abs() < 1.0);
        assert_eq!(stat.rss_bytes, 250 * u64::try_from(rustix::param::page_size()).unwrap());
    }

    #[test]
    fn this_very_process_uses_memory_and_one_that_is_gone_uses_none() {
        let mine = Process { name: "test".to_owned(), pid: i32::try_from(std::process::id()).unwrap() };
        let gone = Process { name: "gone".to_owned(), pid: i32::MAX };
        let used = used(&[mine, gone]);
        assert!(used[0].unwrap().rss_bytes > 100_000);
        assert!(used[1].is_none());
        assert!(stat("7 (x) Z 3 7 7 0 -1 4194560 1 2 3 4 100 50 10 5 20 0 1 0 1 9 250 1844").is_none());
        for wrong in ["gateway", "gateway=", "gateway=-1", "gateway=x"] {
            assert!(wrong.parse::<Process>().is_err(), "{wrong}");
        }
    }
}
