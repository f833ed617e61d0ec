//! `cargo dev up`: from nothing to a gateway that serves, in the order things need each other.

mod console_routes;
mod house;
mod offers;
mod programs;
mod seed;
mod sessions;
mod settings;

use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::layout::Layout;
use crate::ports::{Ports, local};
use crate::report::Report;
use crate::secret::Passwords;
use crate::state::{self, State, Wish};
use crate::tools::{self, Tools};
use crate::{build, down, prometheus, redis, words};
use house::House;
use settings::Settings;

#[cfg(test)]
pub use console_routes::routes as routes_of_the_console;
pub use settings::TOLLGATE as TOLLGATE_SETTINGS;

/// How a setup is shown and left.
pub struct Manner {
    pub detach: bool,
    pub json: bool,
    /// With a Prometheus that scrapes every service.
    pub with_prometheus: bool,
}

/// All that the steps below need to know.
struct Setup {
    layout: Layout,
    tools: Tools,
    ports: Ports,
    passwords: Passwords,
    settings: Settings,
    wish: Wish,
    /// Variables that services are started with: settings which one run alone has.
    variables: Vec<(String, String)>,
}

pub fn run(layout: &Layout, wish: Wish, manner: &Manner) -> Result<ExitCode> {
    let turn = state::lock(layout)?;
    if let Some(report) = already_up(layout, &wish)? {
        ensure!(
            report.prometheus.is_some() || !manner.with_prometheus,
            "it is up already without Prometheus; cargo dev down first"
        );
        words::step("already up; cargo dev down stops it");
        report.print(manner.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let tools = tools::servers()?;
    build::house(layout, wish.release)?;
    let setup = Setup::new(layout, tools, wish, &[])?;
    let mut house = House::new(layout, setup.wish.clone(), manner.detach);
    let mut report = setup.start(&mut house)?;
    if manner.with_prometheus {
        let port = setup.ports.prometheus;
        house.add(prometheus::Server { layout, standing: &report, port, pace: prometheus::Pace::Usual }.start()?)?;
        report.prometheus = Some(local(port));
        report.pids = house.pids();
    }
    house.healthy(&report)?;
    report.print(manner.json)?;
    drop(turn);
    if manner.detach {
        house.leave();
        return Ok(ExitCode::SUCCESS);
    }
    words::step("Ctrl-C stops everything");
    house.watch();
    Ok(ExitCode::SUCCESS)
}

/// Brings a setup up for another command; it stands until the house is dropped. What to build is the caller's to know.
pub fn bring_up(layout: &Layout, wish: Wish, variables: &[(&str, &str)]) -> Result<(House, Report)> {
    if let Some(state) = State::load(layout)? {
        down::stop(layout, &state);
    }
    let setup = Setup::new(layout, tools::servers()?, wish, variables)?;
    let mut house = House::new(layout, setup.wish.clone(), false);
    let report = setup.start(&mut house)?;
    house.healthy(&report)?;
    Ok((house, report))
}

/// The report of a setup that runs as wished; what is left of a broken one is stopped.
fn already_up(layout: &Layout, wish: &Wish) -> Result<Option<Report>> {
    let Some(state) = State::load(layout)? else { return Ok(None) };
    if state.is_whole() && state.wish == *wish {
        return Ok(state.report);
    }
    if state.is_whole() {
        bail!("it is up already with other options; cargo dev down first");
    }
    if state.any_alive() {
        words::step("stopping what an earlier run left");
    }
    down::stop(layout, &state);
    Ok(None)
}

impl Setup {
    fn new(layout: &Layout, tools: Tools, wish: Wish, variables: &[(&str, &str)]) -> Result<Setup> {
        let ports = Ports::kept(layout)?;
        let passwords = Passwords::kept(layout)?;
        let upstream = wish.upstream.clone().unwrap_or_else(|| ports.pretend_upstream());
        let settings = Settings::write(layout, &ports, &passwords, &upstream)?;
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(Setup { layout: layout.clone(), tools, ports, passwords, settings, wish, variables })
    }

    /// Starts everything in `house`; on failure the house stops what stands already.
    fn start(&self, house: &mut House) -> Result<Report> {
        let program = self.layout.program("tollgate", self.wish.release);
        ensure!(program.exists(), "{} is not there: nothing was built yet (leave --as-built out)", program.display());
        words::step("starting a private Postgres and Redis");
        house.add(self.postgres()?)?;
        house.add(redis::start(&self.layout, &self.tools, self.ports.redis, &self.passwords)?)?;
        words::step("bringing the book's schema up to date");
        let migrated = self.tollgate(&["migrate", "--shards", "16"]);
        migrated.context("the book can't be used; cargo dev reset forgets the data of earlier runs")?;
        words::step(
            "starting ledger-sync, a pretend Stripe, webhook, notices, the console, an upstream and the gateway",
        );
        house.add(self.ledger_sync()?)?;
        house.add(self.pretend_stripe()?)?;
        offers::plant(self)?;
        house.add(self.webhook()?)?;
        house.add(self.pretend_mailbox()?)?;
        house.add(self.notices()?)?;
        house.add(self.console()?)?;
        if self.wish.upstream.is_some() {
            seed::plant_apart(self)?;
        } else {
            house.add(self.pretend_upstream()?)?;
        }
        house.add(self.gateway(&[])?)?;
        let seeds = seed::plant(self)?;
        self.report(house, seeds)
    }

    fn report(&self, house: &House, seeds: seed::Seeds) -> Result<Report> {
        let console = self.ports.console();
        Ok(Report {
            gateway: self.ports.gateway(),
            gateway_admin: local(self.ports.gateway_admin),
            ledger_sync_admin: local(self.ports.ledger_sync_admin),
            webhook: local(self.ports.webhook),
            webhook_admin: local(self.ports.webhook_admin),
            console_admin: local(self.ports.console_admin),
            notices_admin: local(self.ports.notices_admin),
            mailbox: local(self.ports.mailbox),
            console_login: sessions::login(&console, "active", &seeds.accounts)?,
            operator_login: sessions::login(&console, sessions::OPERATOR, &seeds.accounts)?,
            console,
            stripe: self.ports.pretend_stripe(),
            stripe_webhook_secret: self.passwords.stripe_webhook.clone(),
            mail_webhook_secret: self.passwords.mail_webhook.clone(),
            upstream: self.wish.upstream.clone().unwrap_or_else(|| self.ports.pretend_upstream()),
            redis: redis::url("admin", &self.passwords.redis_admin, self.ports.redis),
            postgres: self.settings.postgres_url.clone(),
            pids: house.pids(),
            sessions: sessions::tokens(&self.passwords.sessions, &seeds.accounts)?,
            accounts: seeds.accounts,
            keys: seeds.keys,
            prometheus: None,
        })
    }
}
