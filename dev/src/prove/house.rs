//! A house of its own for a run: two gateways, two ledger-syncs, Redis with a replica, Postgres, an upstream; and a supervisor that
//! starts again what was killed.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::plan::Victim;
use super::redis_pair::RedisPair;
use super::settings::{Exposure, Ports, SHARDS, Settings};
use crate::layout::Layout;
use crate::postgres::{self, Postgres, USER};
use crate::process::{self, Record, Service};
use crate::secret::Passwords;
use crate::state::{State, Wish};
use crate::tools::{self, Tools};
use crate::{down, files, http, interrupt};

/// A service that is not ready by then will not be; the machine may have much else to do.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// A process that was killed is killed, not the machine: waiting for the disk would prove nothing.
const POSTGRES_SETTINGS: [&str; 2] = ["fsync=off", "max_connections=80"];

pub struct House {
    pub layout: Layout,
    pub ports: Ports,
    pub passwords: Passwords,
    settings: Settings,
    tools: Tools,
    release: bool,
    // In this order they are stopped.
    gateways: [Option<Service>; 2],
    syncs: [Option<Service>; 2],
    upstream: Option<Service>,
    pub redis: RedisPair,
    postgres: Option<Service>,
    /// How many processes were started, to tell their logs apart.
    starts: usize,
}

impl House {
    /// Forgets the house of the run before, and starts a new one.
    pub fn build(layout: &Layout, release: bool, exposure: &Exposure) -> Result<House> {
        if let Some(state) = State::load(layout)? {
            continue_all(&state);
            down::stop(layout, &state);
        }
        let tools = tools::servers()?;
        forget(layout)?;
        let (ports, passwords) = (Ports::find()?, Passwords::kept(layout)?);
        let settings = Settings::write(layout, &ports, &passwords, exposure)?;
        let redis = RedisPair::new(layout, &ports);
        let mut house = House {
            layout: layout.clone(),
            ports,
            passwords,
            settings,
            tools,
            release,
            gateways: [None, None],
            syncs: [None, None],
            upstream: None,
            redis,
            postgres: None,
            starts: 0,
        };
        house.start()?;
        Ok(house)
    }

    fn start(&mut self) -> Result<()> {
        self.start_again(Victim::Postgres)?;
        self.server()?.ensure_database(USER)?;
        self.start_again(Victim::Redis)?;
        self.redis.follow(&self.tools, &self.passwords)?;
        self.tollgate(&["migrate", "--shards", &SHARDS.to_string()])?;
        let mut upstream = self.program("pretend-upstream");
        upstream.args(["--listen", &format!("127.0.0.1:{}", self.ports.upstream)]);
        self.upstream = Some(Service::start("upstream", upstream, &self.layout.log("upstream"), Signal::TERM)?);
        for number in [0, 1] {
            self.start_again(Victim::Sync(number))?;
            self.start_again(Victim::Gateway(number))?;
        }
        self.wait_ready()
    }

    /// Starts one of them, as a supervisor does who has seen it end.
    pub fn start_again(&mut self, victim: Victim) -> Result<()> {
        self.starts += 1;
        let log = self.layout.log(&format!("{}-{}", victim.name(), self.starts));
        let service = |settings, program, name| {
            let mut command = self.program(program);
            command.arg("--config").arg(settings);
            Service::start(name, command, &log, Signal::TERM).map(Some)
        };
        match victim {
            Victim::Gateway(number) => {
                self.gateways[number] = service(&self.settings.gateways[number], "gateway", victim.name())?;
            }
            Victim::Sync(number) => {
                self.syncs[number] = service(&self.settings.syncs[number], "ledger-sync", victim.name())?;
            }
            Victim::Redis => self.redis.start(&self.tools, &self.passwords, log)?,
            Victim::Postgres => self.postgres = Some(self.start_postgres(&log)?),
        }
        self.note()
    }

    /// Right after a kill it may find the memory of the old one still in use, and end at once.
    fn start_postgres(&self, log: &std::path::Path) -> Result<Service> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            match self.server()?.start(log) {
                Err(err) if interrupt::requested() || Instant::now() >= deadline => return Err(err),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
                started => return started,
            }
        }
    }

    pub fn server(&self) -> Result<Postgres<'_>> {
        let home = postgres::reachable(self.layout.state().join("postgres"))?;
        // A password costs a connection of an unoptimised program so much arithmetic that, on a busy machine, ledger-sync would be
        // measured by it: all its connections are made anew after a kill.
        let (port, password) = (self.ports.postgres, None);
        Ok(Postgres { tools: &self.tools, home, port, password, settings: &POSTGRES_SETTINGS })
    }

    /// Until every program says that it is ready.
    pub fn wait_ready(&mut self) -> Result<()> {
        let admins = [self.ports.gateway_admins, self.ports.sync_admins].concat();
        let deadline = Instant::now() + READY_LIMIT;
        for admin in admins {
            let mut says = String::from("nothing");
            while !http::get(admin, "/readyz", None).is_ok_and(|answer| {
                says = answer.body;
                answer.status == 200
            }) {
                interrupt::check()?;
                let logs = self.layout.log("").with_file_name("");
                ensure!(Instant::now() < deadline, "not ready: {}; read {}", says.trim(), logs.display());
                interrupt::pause();
            }
        }
        Ok(())
    }

    /// SIGKILL, and waits until it is gone. Postgres' other processes go with it: a machine that goes down spares none.
    pub fn kill(&mut self, victim: Victim) {
        let Some(mut service) = self.take(victim) else { return };
        let children = if victim == Victim::Postgres { process::children(&service.record) } else { Vec::new() };
        service.record.signal(Signal::KILL);
        for child in &children {
            child.signal(Signal::KILL);
        }
        process::wait_until(Duration::from_secs(10), || {
            service.ended().is_some() && children.iter().all(|child| !child.alive())
        });
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, victim: Victim, signal: Signal) {
        let Some(record) = self.record(victim) else { return };
        let children = if victim == Victim::Postgres { process::children(record) } else { Vec::new() };
        record.signal(signal);
        for child in &children {
            child.signal(signal);
        }
    }

    /// The replica, told to lead, takes the place of the primary, which must have been killed; and gets a replica of its own.
    pub fn replica_takes_over(&mut self) -> Result<()> {
        self.redis.take_over(&self.passwords)?;
        self.note()
    }

    pub fn follow(&mut self) -> Result<()> {
        self.redis.follow(&self.tools, &self.passwords)?;
        self.note()
    }

    fn take(&mut self, victim: Victim) -> Option<Service> {
        match victim {
            Victim::Gateway(number) => self.gateways[number].take(),
            Victim::Sync(number) => self.syncs[number].take(),
            Victim::Redis => self.redis.primary.take(),
            Victim::Postgres => self.postgres.take(),
        }
    }

    pub fn record(&self, victim: Victim) -> Option<&Record> {
        let service = match victim {
            Victim::Gateway(number) => self.gateways[number].as_ref(),
            Victim::Sync(number) => self.syncs[number].as_ref(),
            Victim::Redis => self.redis.primary.as_ref(),
            Victim::Postgres => self.postgres.as_ref(),
        };
        service.map(|service| &service.record)
    }

    /// The operators' command; what it printed, or what it said went wrong.
    pub fn tollgate(&self, args: &[&str]) -> Result<Value> {
        let (code, output) = self.desk().ask(args)?;
        if code != Some(0) {
            bail!("tollgate {} failed (exit code {code:?}): {output}", args.join(" "));
        }
        Ok(output)
    }

    /// What can ask the operators' command from any thread.
    pub fn desk(&self) -> Desk {
        Desk { program: self.layout.program("tollgate", self.release), settings: self.settings.tollgate.clone() }
    }

    /// The sum of a metric of both gateways; `None` while one does not answer.
    pub fn gateway_metric(&self, name: &str) -> Option<u64> {
        sum_of(self.ports.gateway_admins, name)
    }

    /// The sum of a metric of both ledger-syncs, over its labels; `None` while one does not answer.
    pub fn sync_metric(&self, name: &str) -> Option<u64> {
        sum_of(self.ports.sync_admins, name)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.layout.program(name, self.release));
        command.current_dir(&self.layout.root);
        command
    }

    fn services(&self) -> impl Iterator<Item = &Service> {
        let stores = [&self.postgres, &self.redis.primary, &self.redis.replica, &self.upstream];
        stores.into_iter().chain(&self.syncs).chain(&self.gateways).flatten()
    }

    /// Writes down what runs, so that the next run finds it even if we are killed.
    fn note(&self) -> Result<()> {
        let services = self.services().map(|service| (service.name.to_owned(), service.record.clone())).collect();
        let wish = Wish { release: self.release, upstream: None, no_fault_upstream: false };
        let launcher = Some(Record::of(std::process::id()));
        State { wish, launcher, services, report: None }.save(&self.layout)
    }

    /// Removes the data of the run; for one that has nothing left to be looked at.
    pub fn remove_data(self) -> Result<()> {
        let layout = self.layout.clone();
        drop(self);
        forget(&layout)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // What stands still could not be asked to stop.
        for service in self.services() {
            service.record.signal(Signal::CONT);
        }
        if let Some(postgres) = &self.postgres {
            for child in process::children(&postgres.record) {
                child.signal(Signal::CONT);
            }
        }
        // The audit is over, and nothing is lost by an end without goodbyes: only Postgres' memory is to be given back.
        for service in self.services().filter(|service| service.name != "postgres") {
            service.record.signal(Signal::KILL);
        }
        State::forget(&self.layout);
    }
}

/// The sum of a metric over its labels and over both programs.
fn sum_of(admins: [u16; 2], name: &str) -> Option<u64> {
    admins.into_iter().map(|admin| http::metric(admin, name)).sum()
}

/// Lets whatever a killed run left standing still go on, so that it can be stopped.
fn continue_all(state: &State) {
    for (_, record) in &state.services {
        record.signal(Signal::CONT);
        for child in process::children(record) {
            child.signal(Signal::CONT);
        }
    }
}

/// Everything but the lock that we hold.
fn forget(layout: &Layout) -> Result<()> {
    files::remove_dir(&postgres::reachable(layout.state().join("postgres"))?)?;
    for entry in std::fs::read_dir(layout.state()).context("reading the directory of the run before")?.flatten() {
        if entry.path() != layout.run() && entry.path().is_dir() {
            files::remove_dir(&entry.path())?;
        }
    }
    Ok(())
}

/// Asks the operators' command, from any thread.
#[derive(Clone)]
pub struct Desk {
    program: std::path::PathBuf,
    settings: std::path::PathBuf,
}

impl Desk {
    /// Its exit code, and what it printed as JSON.
    pub fn ask(&self, args: &[&str]) -> Result<(Option<i32>, Value)> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.settings).args(["--json", "--actor", "cargo dev prove"]).args(args);
        // A group of its own: Ctrl-C is ours to hear.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let output = command.output().context("running tollgate")?;
        let spoken = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
        let said = String::from_utf8_lossy(spoken);
        let json = serde_json::from_slice(spoken).unwrap_or_else(|_| Value::String(said.trim().to_owned()));
        Ok((output.status.code(), json))
    }
}
