//! A private Redis with the settings Tollgate asks for, and a user for each program that may do only what it must.

mod users;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::files;
use crate::layout::Layout;
use crate::process::Service;
use crate::secret::Passwords;
use crate::tools::Tools;

/// Loading a large append-only file takes its time.
const START_LIMIT: Duration = Duration::from_mins(2);

pub fn start(layout: &Layout, tools: &Tools, port: u16, passwords: &Passwords) -> Result<Service> {
    let home = layout.state().join("redis");
    files::make_dir(&home, 0o700)?;
    let users = layout.run().join("users.acl");
    files::write_private(&users, &users::acl(passwords))?;
    let settings = layout.run().join("redis.conf");
    files::write_private(&settings, &settings_file(port, &home.display().to_string(), &users.display().to_string()))?;
    let mut command = Command::new(&tools.redis_server);
    command.arg(&settings).current_dir(&home);
    let mut service = Service::start("redis", command, &layout.log("redis"), Signal::TERM)?;
    service.wait_ready(START_LIMIT, || answers(port, &passwords.redis_admin).unwrap_or(false))?;
    Ok(service)
}

/// Money keys must be neither evicted nor lost: append-only file on, eviction off; both are checked by ledger-sync.
fn settings_file(port: u16, home: &str, users: &str) -> String {
    format!(
        "bind 127.0.0.1\nport {port}\ndaemonize no\ndir \"{home}\"\naclfile \"{users}\"\n\
         appendonly yes\nappendfsync everysec\nsave \"\"\nmaxmemory-policy noeviction\n"
    )
}

pub fn url(user: &str, password: &str, port: u16) -> String {
    format!("redis://{user}:{password}@127.0.0.1:{port}")
}

/// Whether Redis has loaded its data and serves commands.
fn answers(port: u16, password: &str) -> Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("connecting to Redis")?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).context("setting a deadline")?;
    write!(stream, "AUTH admin {password}\r\nPING\r\nQUIT\r\n").context("asking Redis")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).context("reading Redis' answer")?;
    Ok(text.contains("+PONG"))
}
