//! Accounts of a scenario, with lots and a key each, written straight into the book as a book of a year would have them; live state is
//! then built anew from it.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::rest;
use crate::postgres::{Postgres, USER};
use crate::{http, process, redis, words};

/// A million accounts on a machine that does much else may take their time.
const LIMIT: Duration = Duration::from_mins(15);
const INSTALLED: &str = "tollgate_sync_accounts_installed_total";
pub const BACKLOG: &str = "tollgate_sync_backlog_events";

/// Accounts that are alike.
#[derive(Clone, Copy)]
pub struct Group {
    pub name: &'static str,
    pub accounts: u64,
    pub lots: u64,
    /// Credits of each lot.
    pub credits: u64,
    /// Accounts that have a key.
    pub keys: u64,
    /// Whether the book says how each came by its credits, as the audit wants it: that takes longer to write than the rest.
    pub audited: bool,
}

/// What `tollgate` does when it makes an account and a key: the shard of a SHA-256, and the six digits of a key's checksum. A key's 43
/// secret digits are its account's id here, and zeros.
const RULES: &str = "CREATE FUNCTION pg_temp.modulo(hash bytea, bytes int, divisor bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE number bigint := 0;
    BEGIN
        FOR place IN 0..bytes - 1 LOOP number := (number * 256 + get_byte(hash, place)) % divisor; END LOOP;
        RETURN number;
    END $$;
    CREATE FUNCTION pg_temp.with_checksum(key text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        number bigint := pg_temp.modulo(sha256(key::bytea), 32, 56800235584);
        digits text := '';
    BEGIN
        FOR place IN 1..6 LOOP
            digits := substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', (number % 62)::int + 1, 1) || digits;
            number := number / 62;
        END LOOP;
        RETURN key || digits;
    END $$";

pub struct Planter<'a> {
    pub book: Postgres<'a>,
    /// Its port, and an administrator's password.
    pub redis: (u16, &'a str),
    /// Where ledger-sync has its metrics.
    pub sync: u16,
}

impl Planter<'_> {
    /// Plants groups and waits until live state knows everybody who is in the book; gives for each group its keys, a line each, with the
    /// account behind.
    pub fn plant(&self, groups: &[Group]) -> Result<Vec<String>> {
        let planted: u64 = groups.iter().map(|group| group.accounts).sum();
        words::step(&format!("{planted} accounts more in the book, and live state built anew from it"));
        let mut keys = Vec::new();
        for group in groups {
            keys.push(self.write(group)?);
        }
        self.book.psql(USER, "ANALYZE accounts; ANALYZE lots; ANALYZE api_keys")?;
        let all = self.book.psql(USER, "SELECT count(*) FROM accounts")?.trim().parse().context("counting accounts")?;
        // What was drawn before and is not in the book would be lost with live state.
        process::wait_for("the book", LIMIT, || http::metric_told(self.sync, BACKLOG) == Some(0))?;
        let before =
            http::metric_told(self.sync, INSTALLED).context("ledger-sync tells how many accounts it has installed")?;
        redis::ask(self.redis.0, self.redis.1, "FLUSHALL ASYNC")?; // to free a million accounts takes Redis seconds
        let ready = || http::is_good(self.sync, "/readyz");
        let installed = || http::metric_told(self.sync, INSTALLED).is_some_and(|now| now.saturating_sub(before) >= all);
        process::wait_for("live state", LIMIT, || installed() && ready())?;
        Ok(keys)
    }

    /// Waits until Redis is done with what planting leaves it to do.
    pub fn rest(&self) -> Result<()> {
        rest::wait(self.redis.0, self.redis.1)
    }

    /// All that Redis holds, its tables of keys included.
    pub fn redis_bytes(&self) -> Result<u64> {
        redis::field(&redis::ask(self.redis.0, self.redis.1, "INFO memory")?, "used_memory")
    }

    fn write(&self, group: &Group) -> Result<String> {
        let Group { name, accounts, lots, credits, keys: keyed, audited } = group;
        let said = self.book.psql(
            USER,
            &format!(
                "{RULES};
                CREATE TEMP TABLE planted AS
                SELECT account_id, pg_temp.modulo(sha256(uuid_send(account_id)), 8, shard_count) AS shard, number
                FROM (SELECT gen_random_uuid() AS account_id, number FROM generate_series(1, {accounts}) AS number) AS made, install;
                INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at, control_version)
                SELECT account_id, '{name} ' || number, shard, 'active', 1, now(), {lots} + 1 FROM planted;
                CREATE TEMP TABLE granted AS SELECT * FROM lots LIMIT 0;
                WITH made AS (
                    INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version)
                    SELECT account_id, shard, 'load', {credits}, {credits}, date_trunc('second', now()),
                           date_trunc('second', now()) + (30 + lot) * interval '1 day', lot + 1
                    FROM planted CROSS JOIN generate_series(1, {lots}) AS lot
                    RETURNING *)
                INSERT INTO granted SELECT * FROM made;
                INSERT INTO entries (account_id, shard, kind, credits, lot_ids, lot_credits, occurred_at)
                SELECT account_id, shard, 'grant', original, ARRAY[lot_id], ARRAY[original], granted_at FROM granted WHERE {audited};
                INSERT INTO outbox (shard_kind, shard, account_id, control_version, kind, payload, delivered_at)
                SELECT 'accounts', shard, account_id, 1, 'account_created',
                       jsonb_build_object('kind', 'account_created', 'status', 'active', 'anchor', 1), now() FROM planted WHERE {audited}
                UNION ALL
                SELECT 'accounts', shard, account_id, control_version, 'lot_granted', jsonb_build_object(
                    'kind', 'lot_granted', 'lot', 'lot_' || lot_id, 'credits', original,
                    'granted_at', (extract(epoch FROM granted_at) * 1000)::bigint,
                    'expires_at', (extract(epoch FROM expires_at) * 1000)::bigint), now() FROM granted WHERE {audited};
                CREATE TEMP TABLE keyed AS
                SELECT account_id, pg_temp.with_checksum('tg_test_' || replace(account_id::text, '-', '') || '00000000000') AS key
                FROM planted ORDER BY number LIMIT {keyed};
                INSERT INTO api_keys (key_id, account_id, digest, key_shard, prefix, name, mode, created_at, rates_of)
                SELECT id, account_id, digest, pg_temp.modulo(digest, 8, shard_count), left(key, 12), 'load', 'test', now(), id
                FROM (SELECT gen_random_uuid() AS id, account_id, key, sha256(key::bytea) AS digest FROM keyed) AS made, install;
                SELECT key || ' acct_' || replace(account_id::text, '-', '') FROM keyed"
            ),
        )?;
        let mut keys = String::new();
        for line in said.lines().filter(|line| line.starts_with("tg_test_")) {
            let _ = writeln!(keys, "{line}"); // a String takes all
        }
        let found = u64::try_from(keys.lines().count()).context("counting keys")?;
        ensure!(found == *keyed, "{found} keys were planted in place of {keyed}");
        Ok(keys)
    }
}
