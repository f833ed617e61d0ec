//! A private Redis with the settings Tollgate asks for, and a user for each program that may do only what it must.

mod users;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::files;
use crate::layout::Layout;
use crate::process::Service;
use crate::secret::Passwords;
use crate::tools::Tools;

/// Loading a large append-only file takes its time.
const START_LIMIT: Duration = Duration::from_mins(2);

/// A Redis to be started.
pub struct Server<'a> {
    /// Its data.
    pub home: PathBuf,
    /// Where its settings are written, and its log.
    pub settings: PathBuf,
    pub users: PathBuf,
    pub log: PathBuf,
    pub port: u16,
    pub appendfsync: &'a str,
    /// The port of the one it follows.
    pub replica_of: Option<u16>,
}

pub fn start(layout: &Layout, tools: &Tools, port: u16, passwords: &Passwords) -> Result<Service> {
    let (run, home) = (layout.run(), layout.state().join("redis"));
    let (settings, users, log) = (run.join("redis.conf"), run.join("users.acl"), layout.log("redis"));
    Server { home, settings, users, log, port, appendfsync: "everysec", replica_of: None }
        .start("redis", tools, passwords)
}

impl Server<'_> {
    pub fn start(&self, name: &'static str, tools: &Tools, passwords: &Passwords) -> Result<Service> {
        files::make_dir(&self.home, 0o700)?;
        files::write_private(&self.users, &users::acl(passwords))?;
        files::write_private(&self.settings, &self.settings_file(passwords))?;
        let mut command = Command::new(&tools.redis_server);
        command.arg(&self.settings).current_dir(&self.home);
        let mut service = Service::start(name, command, &self.log, Signal::TERM)?;
        service.wait_ready(START_LIMIT, || answers(self.port, &passwords.redis_admin).unwrap_or(false))?;
        Ok(service)
    }

    /// Money keys must be neither evicted nor lost: append-only file on, eviction off; both are checked by ledger-sync.
    fn settings_file(&self, passwords: &Passwords) -> String {
        let follows = self.replica_of.map(|port| {
            let password = &passwords.redis_admin;
            format!("replicaof 127.0.0.1 {port}\nmasteruser admin\nmasterauth {password}\n")
        });
        format!(
            "bind 127.0.0.1\nport {}\ndaemonize no\ndir \"{}\"\naclfile \"{}\"\n\
             appendonly yes\nappendfsync {}\nsave \"\"\nmaxmemory-policy noeviction\nrepl-diskless-sync-delay 0\n{}",
            self.port,
            self.home.display(),
            self.users.display(),
            self.appendfsync,
            follows.unwrap_or_default()
        )
    }
}

pub fn url(user: &str, password: &str, port: u16) -> String {
    format!("redis://{user}:{password}@127.0.0.1:{port}")
}

/// Whether Redis has loaded its data and serves commands.
fn answers(port: u16, password: &str) -> Result<bool> {
    Ok(ask(port, password, "PING")?.contains("+PONG"))
}

/// Asks an administrator's command, words without blanks, on a connection of its own; gives all that was answered, as it came.
pub fn ask(port: u16, password: &str, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("connecting to Redis")?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).context("setting a deadline")?;
    write!(stream, "AUTH admin {password}\r\n{command}\r\nQUIT\r\n").context("asking Redis")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).context("reading Redis' answer")?;
    Ok(text)
}

/// Changes a setting of a Redis that runs.
pub fn set(port: u16, password: &str, name: &str, value: &str) -> Result<()> {
    let text = ask(port, password, &format!("CONFIG SET {name} {value}"))?;
    ensure!(text.lines().all(|line| line == "+OK"), "Redis keeps no setting: {}", text.trim());
    Ok(())
}

/// A field of what `INFO` has answered.
pub fn field<T: FromStr>(info: &str, name: &str) -> Result<T> {
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.parse().ok()).with_context(|| format!("Redis tells no {name}"))
}
