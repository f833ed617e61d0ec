//! Child processes: started in a group of their own, known by pid and start time, stopped politely and then for certain.

use std::fs::{self, File};
use std::num::NonZero;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::{interrupt, words};

/// A process as another run of the launcher can find it again. The start time tells it from a later process that got
/// the same pid; it is empty where there is no `/proc`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub pid: i32,
    pub started: String,
}

impl Record {
    pub fn of(pid: u32) -> Record {
        // The kernel's pids are positive and fit an i32.
        let pid = i32::try_from(pid).unwrap_or(i32::MAX);
        Record { pid, started: stat(pid).map(|stat| stat.started).unwrap_or_default() }
    }

    pub fn alive(&self) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        if test_kill_process(pid).is_err() {
            return false;
        }
        // A zombie waits only for its parent to look; where nobody does (a container's first process), it stays for ever.
        stat(self.pid).is_none_or(|stat| stat.started == self.started && stat.state != 'Z')
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.alive()) {
            // It may end between the look and the signal, which is what we want anyway.
            let _ = kill_process(pid, signal);
        }
    }

    /// Signals the process, waits up to `patience`, then kills it.
    pub fn stop(&self, signal: Signal, patience: Duration) {
        self.signal(signal);
        if !wait_until(patience, || !self.alive()) {
            self.signal(Signal::KILL);
            wait_until(Duration::from_secs(5), || !self.alive());
        }
    }
}

struct Stat {
    state: char,
    parent: i32,
    session: i32,
    started: String,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold blanks; the rest is plain.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse().ok();
    let (state, parent, session) = (fields.first()?.chars().next()?, number(1)?, number(3)?);
    Some(Stat { state, parent, session, started: (*fields.get(19)?).to_owned() })
}

/// The living members of a session, its leader included. Empty where there is no `/proc`, and when the leader's pid
/// has gone to somebody else, which can only be once the session has no members.
pub fn session_members(leader: &Record) -> Vec<Record> {
    if stat(leader.pid).is_some_and(|stat| stat.started != leader.started) {
        return Vec::new();
    }
    living().filter(|record| stat(record.pid).is_some_and(|stat| stat.session == leader.pid)).collect()
}

/// The living children of a process. Empty where there is no `/proc`.
pub fn children(parent: &Record) -> Vec<Record> {
    living().filter(|record| stat(record.pid).is_some_and(|stat| stat.parent == parent.pid)).collect()
}

fn living() -> impl Iterator<Item = Record> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.map(Record::of).filter(Record::alive)
}

/// How many processes can run at a time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The name of a process, for people.
pub fn name(record: &Record) -> String {
    fs::read_to_string(format!("/proc/{}/comm", record.pid)).map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// A service this launcher started. Dropping it stops it, so that no failure on the way leaves it behind.
pub struct Service {
    pub name: &'static str,
    pub record: Record,
    child: Child,
    log: PathBuf,
    stop: Signal,
    detached: bool,
}

/// How long a service gets between the polite signal and the certain one; the gateway lets requests finish for ten.
pub const PATIENCE: Duration = Duration::from_secs(15);

impl Service {
    /// Starts `command` with its output in `log` and a process group of its own: Ctrl-C in the terminal reaches the
    /// launcher alone, and a detached service outlives it.
    pub fn start(name: &'static str, mut command: Command, log: &Path, stop: Signal) -> Result<Service> {
        if let Some(dir) = log.parent() {
            fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        }
        let out = File::create(log).with_context(|| format!("opening the log {}", log.display()))?;
        let err = out.try_clone().context("sharing the log")?;
        command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
        // A log is read by pagers and by us, not by a terminal alone.
        command.env("NO_COLOR", "1");
        let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Service { name, record: Record::of(child.id()), child, log: log.to_owned(), stop, detached: false })
    }

    /// The way it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until `ready` says yes; an early end, an interrupt or the deadline is an error that shows the log.
    pub fn wait_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            interrupt::check()?;
            if let Some(status) = self.ended() {
                bail!("{} ended at its start ({status}); {}", self.name, words::log_tail(&self.log));
            }
            if ready() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                bail!("{} was not ready within {} s; {}", self.name, limit.as_secs(), words::log_tail(&self.log));
            }
            interrupt::pause();
        }
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Leaves it running; only `cargo dev down` stops it then.
    pub fn leave(mut self) {
        self.detached = true;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.detached || self.ended().is_some() {
            return;
        }
        self.record.stop(self.stop, PATIENCE);
        // Collect the ended child, so that no zombie stays while we live.
        let _ = self.child.try_wait();
    }
}

/// Runs a command to its end in a group of its own; when we are asked to stop, the whole group is.
pub fn run(mut command: Command) -> Result<ExitStatus> {
    command.stdin(Stdio::null()).process_group(0);
    let child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
    finish(child)
}

/// Runs a command that makes itself the leader of a session (it starts with `setsid`); `started` is told who leads.
pub fn run_session(mut command: Command, started: impl FnOnce(Record) -> Result<()>) -> Result<ExitStatus> {
    let child = command.stdin(Stdio::null()).spawn().context("starting a session")?;
    let told = started(Record::of(child.id()));
    let ended = finish(child);
    told.and(ended)
}

fn finish(mut child: Child) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("waiting for a command")? {
            return Ok(status);
        }
        if interrupt::requested() {
            stop_group(&mut child);
            bail!("stopped on request");
        }
        interrupt::pause();
    }
}

fn stop_group(child: &mut Child) {
    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process_group(group, Signal::TERM);
    if !wait_until(Duration::from_secs(5), || matches!(child.try_wait(), Ok(Some(_)))) {
        let _ = kill_process_group(group, Signal::KILL);
        let _ = child.wait();
    }
    // The leader's children may need a moment longer than it did.
    if !wait_until(Duration::from_secs(2), || kill_process_group(group, Signal::TERM).is_err()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Waits for something that has to come; somebody who asks us to stop ends it, too.
pub fn wait_for(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Result<()> {
    let in_time = wait_until(limit, || done() || interrupt::requested());
    interrupt::check()?;
    ensure!(in_time, "{what} was not ready within {} s", limit.as_secs());
    Ok(())
}

/// Waits for a condition; says whether it came true in time.
pub fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        interrupt::pause();
    }
}
