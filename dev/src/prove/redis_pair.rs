//! Redis and its replica. Programs know one address, so a replica that takes over takes the primary's port.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::settings::Ports;
use crate::layout::Layout;
use crate::process::{self, Service};
use crate::redis::{Server, ask};
use crate::secret::Passwords;
use crate::tools::Tools;
use crate::{files, interrupt};

/// A replica that has not caught up by then will not.
const FOLLOW_LIMIT: Duration = Duration::from_mins(1);
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(20);

/// Redis has then written before it answers, and what was written survives the process: a kill loses nothing, a tail is what we cut.
/// With `everysec` it may answer first while the disk is busy. Waiting for the disk would prove nothing: no machine dies here.
const APPENDFSYNC: &str = "no";

pub struct RedisPair {
    layout: Layout,
    port: u16,
    replica_port: u16,
    /// Directories are numbered; each new replica has the next one.
    home: usize,
    pub primary: Option<Service>,
    pub replica: Option<Service>,
}

impl RedisPair {
    pub fn new(layout: &Layout, ports: &Ports) -> RedisPair {
        let (port, replica_port) = (ports.redis, ports.replica);
        RedisPair { layout: layout.clone(), port, replica_port, home: 0, primary: None, replica: None }
    }

    /// Starts the primary on what is in its directory.
    pub fn start(&mut self, tools: &Tools, passwords: &Passwords, log: PathBuf) -> Result<()> {
        let server = Server { log, ..self.server(self.home, self.port, None) };
        self.primary = Some(server.start("redis", tools, passwords)?);
        Ok(())
    }

    /// Starts a replica in a new directory, and waits until it has everything.
    pub fn follow(&mut self, tools: &Tools, passwords: &Passwords) -> Result<()> {
        let server = self.server(self.home + 1, self.replica_port, Some(self.port));
        self.replica = Some(server.start("redis-replica", tools, passwords)?);
        self.wait_following(passwords)
    }

    pub fn wait_following(&self, passwords: &Passwords) -> Result<()> {
        let up = || {
            let info = ask(self.replica_port, &passwords.redis_admin, "INFO replication");
            info.is_ok_and(|info| info.contains("master_link_status:up")) || interrupt::requested()
        };
        ensure!(process::wait_until(FOLLOW_LIMIT, up), "the replica of Redis did not catch up in time");
        interrupt::check()
    }

    /// The replica stops following, and would take writes of its own; the primary goes on.
    pub fn lead(&self, passwords: &Passwords) -> Result<()> {
        tell(self.replica_port, passwords, "REPLICAOF NO ONE")
    }

    /// The replica takes the port of the primary, which must be gone, and is the primary from now on.
    pub fn take_over(&mut self, passwords: &Passwords) -> Result<()> {
        let move_over = format!("CONFIG SET port {}", self.port);
        let moved = process::wait_until(TAKE_OVER_LIMIT, || {
            // Its answer may not reach us; whether it moved is asked at the new place.
            let _ = tell(self.replica_port, passwords, &move_over);
            ask(self.port, &passwords.redis_admin, "PING").is_ok_and(|answer| answer.contains("+PONG"))
        });
        ensure!(moved, "the replica could not take the port of the primary");
        self.home += 1;
        self.primary = self.replica.take().map(|mut service| {
            service.name = "redis";
            service
        });
        Ok(())
    }

    pub fn flush(&self, passwords: &Passwords) -> Result<()> {
        tell(self.port, passwords, "FLUSHALL")
    }

    /// How long the append-only file is at this moment.
    pub fn aof_bytes(&self) -> Result<u64> {
        Ok(fs::metadata(self.last_aof()?).context("looking at the append-only file")?.len())
    }

    /// Cuts the file of a primary that was killed. A file that was begun anew meanwhile is cut to the same length, or not at all.
    pub fn cut_aof(&self, bytes: u64) -> Result<()> {
        let file = File::options().write(true).open(self.last_aof()?).context("opening the append-only file")?;
        let length = file.metadata().context("looking at the append-only file")?.len();
        file.set_len(bytes.min(length)).context("cutting the append-only file")
    }

    pub fn forget_data(&self) -> Result<()> {
        files::remove_dir(&self.home_of(self.home).join("appendonlydir"))
    }

    /// The last file of the manifest: the one that is being written.
    fn last_aof(&self) -> Result<PathBuf> {
        let dir = self.home_of(self.home).join("appendonlydir");
        let manifest = fs::read_to_string(dir.join("appendonly.aof.manifest")).context("reading Redis' manifest")?;
        let name = manifest
            .lines()
            .filter(|line| line.ends_with("type i"))
            .filter_map(|line| line.split(' ').nth(1))
            .next_back();
        Ok(dir.join(name.context("Redis' manifest names no file that is being written")?))
    }

    fn home_of(&self, number: usize) -> PathBuf {
        self.layout.state().join(format!("redis-{number}"))
    }

    fn server(&self, number: usize, port: u16, replica_of: Option<u16>) -> Server<'static> {
        let run = self.layout.run();
        Server {
            home: self.home_of(number),
            settings: run.join(format!("redis-{number}.conf")),
            users: run.join(format!("users-{number}.acl")),
            log: self.layout.log(&format!("redis-replica-{number}")),
            port,
            appendfsync: APPENDFSYNC,
            replica_of,
        }
    }
}

/// An administrator's command that is answered well, or an error.
fn tell(port: u16, passwords: &Passwords, command: &str) -> Result<()> {
    let answer = ask(port, &passwords.redis_admin, command)?;
    if answer.lines().any(|line| line.starts_with('-')) {
        bail!("Redis answered {command} with {}", answer.trim());
    }
    Ok(())
}
