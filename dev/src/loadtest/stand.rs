//! The house of a scenario: made anew, and gone when the scenario is over.

use std::process::ExitCode;

use anyhow::Result;

use super::audit::Auditor;
use super::caller::Caller;
use super::plant::Planter;
use super::wish::LoadWish;
use crate::bench::{QUIET, RedisSide};
use crate::layout::Layout;
use crate::ports::{self, Ports};
use crate::postgres::{Postgres, USER};
use crate::report::Report;
use crate::secret::Passwords;
use crate::state::{self, Wish};
use crate::tools::{self, Tools};
use crate::{build, down, files, up};

pub struct Stand<'a> {
    pub layout: &'a Layout,
    pub wish: &'a LoadWish,
    pub standing: Report,
    pub redis: RedisSide,
    tools: Tools,
    passwords: Passwords,
}

/// Where lasting ports are looked for.
const PORTS_FROM: u16 = 27_000;

impl Stand<'_> {
    /// Brings a house up, plays, and takes it down with its data; fails where what must hold does not.
    pub fn for_scenario(
        layout: &Layout,
        wish: &LoadWish,
        play: impl FnOnce(&Stand) -> Result<bool>,
    ) -> Result<ExitCode> {
        let layout = &layout.aside("loadtest");
        // What an earlier run has left would be audited, too.
        down::reset(layout)?;
        let turn = state::lock(layout)?;
        tools::install_missing(&tools::absent(&["redis-cli"]))?;
        if !wish.as_built {
            build::house(layout, !wish.debug)?;
        }
        lasting_ports(layout)?;
        let setup = Wish { release: !wish.debug, upstream: None, no_fault_upstream: false };
        let (house, standing) = up::bring_up(layout, setup, QUIET)?;
        let redis = RedisSide::new(&standing.redis)?;
        let passwords = Passwords::kept(layout)?;
        let stand = Stand { layout, wish, standing, redis, tools: tools::servers()?, passwords };
        let holds = play(&stand)?;
        drop((house, turn));
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    pub fn planter(&self) -> Result<Planter<'_>> {
        let redis = (ports::of(&self.standing.redis)?, self.passwords.redis_admin.as_str());
        Ok(Planter { book: self.book()?, redis, sync: ports::of(&self.standing.ledger_sync_admin)? })
    }

    pub fn caller(&self) -> Caller<'_> {
        Caller { layout: self.layout, standing: &self.standing, wish: self.wish }
    }

    pub fn auditor(&self) -> Auditor<'_> {
        Auditor { layout: self.layout, standing: &self.standing, release: !self.wish.debug }
    }

    /// Now, as the audit takes it.
    pub fn book_clock(&self) -> Result<String> {
        let now = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
        Ok(self.book()?.psql(USER, now)?.trim().to_owned())
    }

    fn book(&self) -> Result<Postgres<'_>> {
        Ok(Postgres::there(&self.tools, ports::of(&self.standing.postgres)?, &self.passwords.postgres))
    }
}

/// The gateway listens where no connection can come to stand once it is killed.
fn lasting_ports(layout: &Layout) -> Result<()> {
    let [gateway, gateway_admin] = ports::lasting(PORTS_FROM)?;
    files::write_json(&layout.state().join("ports.json"), &Ports { gateway, gateway_admin, ..Ports::default() })
}
