//! What the book costs Postgres: CPU time of all its processes, and the same rows by COPY beside it.

use anyhow::{Context, Result, ensure};

use super::house::House;
use super::plan::Victim;
use crate::bench::{median, tree_cpu_us};
use crate::postgres::{Postgres, USER};
use crate::process::Record;

/// COPY is measured so often; the middle counts.
const COPIES: usize = 5;

/// CPU time spent on so many rows.
#[derive(Clone, Copy)]
pub struct Cost {
    pub cpu_us: f64,
    pub rows: u64,
}

impl Cost {
    pub fn a_row(&self) -> f64 {
        self.cpu_us / f64::from(u32::try_from(self.rows.max(1)).unwrap_or(u32::MAX))
    }
}

pub struct BookSide<'a> {
    server: Postgres<'a>,
    postmaster: Record,
}

impl BookSide<'_> {
    pub fn of(house: &House) -> Result<BookSide<'_>> {
        let postmaster = house.record(Victim::Postgres).context("Postgres runs")?.clone();
        Ok(BookSide { server: house.server()?, postmaster })
    }

    /// CPU time of Postgres since it was started, children that are gone included.
    pub fn cpu_us(&self) -> Result<f64> {
        tree_cpu_us(&self.postmaster)
    }

    pub fn shards_with_accounts(&self) -> Result<u64> {
        self.number("SELECT count(DISTINCT shard) FROM accounts")
    }

    pub fn shards_drawn_from(&self) -> Result<u64> {
        self.number("SELECT count(DISTINCT shard) FROM entries WHERE kind = 'debit'")
    }

    /// What it costs to write the entries once more: COPY, binary, into a table of the same columns and no index.
    pub fn copied(&self) -> Result<Cost> {
        let file = self.server.home.join("data").join("entries.copy");
        let file = file.to_str().context("the path of Postgres' directory")?;
        ensure!(!file.contains('\''), "a path with a quote in it");
        self.ask(&format!("COPY (SELECT * FROM entries LIMIT 200000) TO '{file}' (FORMAT binary)"))?;
        let (mut rows, mut costs) = (0, Vec::new());
        for _ in 0..COPIES {
            self.ask("DROP TABLE IF EXISTS copied; CREATE TABLE copied (LIKE entries)")?;
            let before = self.cpu_us()?;
            self.ask(&format!("COPY copied FROM '{file}' (FORMAT binary)"))?;
            costs.push(self.cpu_us()? - before);
            rows = self.number("SELECT count(*) FROM copied")?;
        }
        self.ask("DROP TABLE copied")?;
        ensure!(rows > 0, "the book has no entries");
        Ok(Cost { cpu_us: median(&costs), rows })
    }

    pub fn ask(&self, statement: &str) -> Result<String> {
        self.server.psql(USER, statement)
    }

    fn number(&self, query: &str) -> Result<u64> {
        let said = self.ask(query)?;
        said.trim().parse().with_context(|| format!("{query} gave {said}"))
    }
}
