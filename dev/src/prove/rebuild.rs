//! Every key of Redis gone, with many accounts in the book: how fast live state is built anew.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::book_side::BookSide;
use super::house::House;
use super::outage::rate;
use crate::{http, interrupt, process};

const LIMIT: Duration = Duration::from_mins(10);
const INSTALLED: &str = "tollgate_sync_accounts_installed_total";

pub struct Rebuilt {
    pub accounts: u64,
    pub took: Duration,
}

impl Rebuilt {
    pub fn rate(&self) -> f64 {
        rate(self.accounts, self.took)
    }
}

/// The accounts are written straight into the book, each with a lot, as a book of a year would have them; nobody calls with them.
pub fn run(house: &House, accounts: u64) -> Result<Rebuilt> {
    BookSide::of(house)?.ask(&format!(
        "WITH made AS (
            INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at)
            SELECT gen_random_uuid(), 'account ' || number, number % (SELECT shard_count FROM install), 'active', 1, now()
            FROM generate_series(1, {accounts}) AS number
            RETURNING account_id, shard)
        INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version)
        SELECT account_id, shard, 'plan', 1000, 1000, now(), now() + interval '30 days', 0 FROM made"
    ))?;
    BookSide::of(house)?.ask("ANALYZE accounts; ANALYZE lots")?;
    let installed = || house.sync_metric(INSTALLED).unwrap_or(0);
    let before = installed();
    let began = Instant::now();
    house.redis.flush(&house.passwords)?;
    let ready = || {
        let all = house.ports.sync_admins.iter().all(|&admin| http::is_good(admin, "/readyz"));
        (all && installed() - before >= accounts) || interrupt::requested()
    };
    ensure!(process::wait_until(LIMIT, ready), "live state was not built anew in time");
    interrupt::check()?;
    Ok(Rebuilt { accounts: installed() - before, took: began.elapsed() })
}
