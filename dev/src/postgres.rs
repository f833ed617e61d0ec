//! A private Postgres: made with initdb, run on loopback, as the user postgres where we are root (it refuses root).

mod owner;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::files;
use crate::process::Service;
use crate::tools::Tools;
use owner::Owner;

/// The superuser of a private Postgres, and the name of the book's database.
pub const USER: &str = "tollgate";

/// How a private Postgres is to be run.
pub struct Postgres<'a> {
    pub tools: &'a Tools,
    /// The data directory's parent; it is made, and given to the user who runs Postgres.
    pub home: PathBuf,
    pub port: u16,
    /// Asked for on every connection; without one everybody on this machine's loopback may connect.
    pub password: Option<&'a str>,
    /// Extra `name=value` settings.
    pub settings: &'a [&'a str],
}

const START_LIMIT: Duration = Duration::from_mins(1);

impl<'a> Postgres<'a> {
    /// One that somebody else has started, to be asked: its directory and its settings are none of who asks.
    pub fn there(tools: &'a Tools, port: u16, password: &'a str) -> Postgres<'a> {
        Postgres { tools, home: PathBuf::new(), port, password: Some(password), settings: &[] }
    }

    /// Makes the data directory if there is none, and starts the server; it answers when this returns.
    pub fn start(&self, log: &Path) -> Result<Service> {
        let owner = Owner::find()?;
        let data = self.home.join("data");
        if !data.join("PG_VERSION").is_file() {
            self.initdb(&owner, &data)?;
        }
        let mut command = self.command("postgres", &owner);
        command.arg("-D").arg(&data).args(["-p", &self.port.to_string()]);
        // No socket file: a long path would break it, and nobody uses it.
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        for setting in self.settings {
            command.args(["-c", setting]);
        }
        // SIGINT is Postgres' fast stop; SIGTERM would wait for every connection to leave.
        let mut service = Service::start("postgres", command, log, Signal::INT)?;
        service.wait_ready(START_LIMIT, || self.answers())?;
        Ok(service)
    }

    fn initdb(&self, owner: &Owner, data: &Path) -> Result<()> {
        fs::create_dir_all(&self.home).with_context(|| format!("making {}", self.home.display()))?;
        fs::set_permissions(&self.home, fs::Permissions::from_mode(0o700)).context("closing Postgres' directory")?;
        // What a run that was interrupted left half made is no cluster, and initdb refuses to write over it.
        if data.exists() {
            fs::remove_dir_all(data).context("removing a half made cluster")?;
        }
        let password_file = self.home.join("password");
        fs::write(&password_file, self.password.unwrap_or("unused")).context("writing the password for initdb")?;
        owner.give(&self.home)?;
        owner.give(&password_file)?;
        let method = if self.password.is_some() { "scram-sha-256" } else { "trust" };
        let mut command = self.command("initdb", owner);
        command.arg("-D").arg(data).arg(format!("--username={USER}")).arg(format!("--auth={method}"));
        command.arg(format!("--pwfile={}", password_file.display()));
        // The C locale is on every machine and orders text the same everywhere.
        let output =
            command.args(["--encoding=UTF8", "--no-locale", "--no-sync"]).output().context("running initdb")?;
        fs::remove_file(&password_file).context("removing the password file")?;
        successful("initdb", &output)
    }

    /// Makes a database unless it is there.
    pub fn ensure_database(&self, name: &str) -> Result<()> {
        let known = self.psql("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))?;
        if known.trim() != "1" {
            self.psql("postgres", &format!("CREATE DATABASE {name}"))?;
        }
        Ok(())
    }

    /// Runs a statement and gives what it answered, a row a line.
    pub fn psql(&self, database: &str, statement: &str) -> Result<String> {
        let mut command = Command::new(self.tools.postgres_bin.join("psql"));
        command.args(["-X", "-A", "-t", "-w", "-h", "127.0.0.1", "-U", USER, "-d", database]);
        command.args(["-p", &self.port.to_string(), "-v", "ON_ERROR_STOP=1", "-c", statement]);
        command.envs(self.password.map(|password| ("PGPASSWORD", password)));
        let output = command.output().context("running psql")?;
        successful("psql", &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(self.tools.postgres_bin.join("pg_isready"));
        command.args(["-q", "-t", "1", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.status().is_ok_and(|status| status.success())
    }

    fn command(&self, program: &str, owner: &Owner) -> Command {
        let mut command = Command::new(self.tools.postgres_bin.join(program));
        owner.run_as(&mut command);
        // Whoever runs it can stand there; the workspace may be closed to it.
        command.current_dir("/");
        command
    }
}

/// Where a private Postgres answers.
pub fn url(password: Option<&str>, port: u16, database: &str) -> String {
    let credential = password.map(|password| format!(":{password}")).unwrap_or_default();
    format!("postgres://{USER}{credential}@127.0.0.1:{port}/{database}")
}

/// `preferred`, or a directory outside it where the user who runs Postgres cannot come that far.
pub fn reachable(preferred: PathBuf) -> Result<PathBuf> {
    if Owner::find()?.can_reach(&preferred) {
        return Ok(preferred);
    }
    // The same path gives the same place, so that the next run finds its data again.
    let name: String = preferred.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let parent = PathBuf::from("/var/lib/tollgate-dev");
    files::make_dir(&parent, 0o755)?;
    Ok(parent.join(name.trim_matches('-')))
}

fn successful(program: &str, output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
}
