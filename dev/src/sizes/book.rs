//! The book's side: what rows of each table take up, with their indexes, and what is written to Postgres' own log for them.

use anyhow::{Context, Result, ensure};

use crate::postgres::{Postgres, USER};
use crate::tools::Tools;

/// Lots an account of each group has, and the part of the wished number that has so many.
const GROUPS: [(u64, u64); 4] = [(1, 1), (3, 1), (10, 1), (100, 50)];
/// Rows that nobody writes by the million; what they hold is measured on those there are.
const SMALL: [&str; 7] =
    ["outbox", "audit", "usage_days", "verified", "idempotency_marks", "mails", "stripe_deliveries"];
/// Each of those rows is copied so often, so that a page more or less does not count.
const COPIES: u32 = 500;

pub struct Book<'a> {
    server: Postgres<'a>,
}

/// A table's rows: the rows alone, and the indexes over them.
pub struct Rows {
    pub table: &'static str,
    pub heap: u64,
    pub indexes: u64,
}

/// What stands in all partitions of the entries.
pub struct Entries {
    pub rows: u64,
    pub heap: u64,
    pub indexes: u64,
}

pub struct Group {
    pub lots: u64,
    pub accounts: Vec<Account>,
}

/// Where an account stands in live state.
pub struct Account {
    pub prefix: String,
    pub hex: String,
}

/// How many accounts [`Book::plant`] makes.
pub fn planted(wished: u64) -> u64 {
    GROUPS.iter().map(|(_, part)| wished / part).sum()
}

impl<'a> Book<'a> {
    pub fn new(tools: &'a Tools, port: u16, password: &'a str) -> Book<'a> {
        Book { server: Postgres::there(tools, port, password) }
    }

    /// Writes accounts straight into the book, as a book of a year would have them: in groups by how many lots they have, those with one
    /// lot with an API key each. Nobody calls with them.
    pub fn plant(&self, wished: u64) -> Result<Vec<Rows>> {
        let tables = ["accounts", "account_words", "lots", "api_keys"];
        let before = tables.map(|table| self.table(table));
        for (lots, part) in GROUPS {
            self.ask(&format!(
                "WITH made AS (
                    INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at)
                    SELECT gen_random_uuid(), '{lots} lots, ' || number, number % (SELECT shard_count FROM install), 'active', 1, now()
                    FROM generate_series(1, {}) AS number
                    RETURNING account_id, shard)
                INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version)
                SELECT account_id, shard, 'plan', 1000, 1000, now(), now() + (30 + lot) * interval '1 day', 0
                FROM made CROSS JOIN generate_series(1, {lots}) AS lot",
                wished / part
            ))?;
        }
        self.ask(
            "INSERT INTO api_keys (key_id, account_id, digest, key_shard, prefix, name, mode, created_at, rates_of)
            SELECT id, account_id, digest, get_byte(digest, 0) % (SELECT shard_count FROM install), 'tg_live_abcd', 'server', 'live', now(), id
            FROM (SELECT gen_random_uuid() AS id, account_id, sha256(account_id::text::bytea) AS digest
                FROM accounts WHERE name LIKE '1 lots, %') AS made",
        )?;
        for table in tables {
            self.ask(&format!("VACUUM ANALYZE {table}"))?;
        }
        tables.into_iter().zip(before).map(|(table, before)| grown(table, &before?, &self.table(table)?)).collect()
    }

    /// The planted accounts, as live state names them.
    pub fn groups(&self) -> Result<Vec<Group>> {
        GROUPS
            .iter()
            .map(|(lots, _)| {
                let said = self.ask(&format!(
                    "SELECT 'tg:{{s' || lpad(shard::text, 3, '0') || '}}:' || incarnation, replace(account_id::text, '-', '')
                    FROM accounts JOIN shards ON kind = 'accounts' AND number = shard
                    WHERE name LIKE '{lots} lots, %' ORDER BY account_id LIMIT 200"
                ))?;
                let of = |line: &str| {
                    let (prefix, hex) = line.split_once('|')?;
                    Some(Account { prefix: prefix.to_owned(), hex: hex.to_owned() })
                };
                Ok(Group { lots: *lots, accounts: said.lines().filter_map(of).collect() })
            })
            .collect()
    }

    pub fn entries(&self) -> Result<Entries> {
        let [heap, indexes] = self.numbers(
            "SELECT sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'entries'::regclass",
        )?;
        let [rows] = self.numbers("SELECT count(*) FROM entries")?;
        Ok(Entries { rows, heap, indexes })
    }

    /// How many bytes were written to Postgres' log since it was made.
    pub fn wal(&self) -> Result<u64> {
        let [bytes] = self.numbers("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")?;
        Ok(bytes)
    }

    /// Bytes a row of the tables that grow slowly, without indexes; those that are empty are left out.
    pub fn small_tables(&self) -> Result<Vec<(&'static str, u64)>> {
        let mut found = Vec::new();
        for table in SMALL {
            self.ask(&format!(
                "DROP TABLE IF EXISTS sizes_copy;
                CREATE TABLE sizes_copy AS SELECT kept.* FROM {table} AS kept CROSS JOIN generate_series(1, {COPIES})"
            ))?;
            let [bytes, rows] =
                self.numbers("SELECT pg_table_size('sizes_copy'), (SELECT count(*) FROM sizes_copy)")?;
            found.extend(bytes.checked_div(rows).map(|bytes| (table, bytes)));
        }
        self.ask("DROP TABLE sizes_copy")?;
        Ok(found)
    }

    /// Rows, and bytes of the rows and of the indexes.
    fn table(&self, table: &str) -> Result<[u64; 3]> {
        self.numbers(&format!("SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}"))
    }

    fn ask(&self, statement: &str) -> Result<String> {
        self.server.psql(USER, statement)
    }

    fn numbers<const N: usize>(&self, query: &str) -> Result<[u64; N]> {
        let said = self.ask(query)?;
        let numbers: Vec<u64> = said.trim().split('|').filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().ok().with_context(|| format!("{query} gave {said}"))
    }
}

fn grown(table: &'static str, before: &[u64; 3], after: &[u64; 3]) -> Result<Rows> {
    let [rows, heap, indexes] = [0, 1, 2].map(|place| after[place].saturating_sub(before[place]));
    ensure!(rows > 0, "no row was written to {table}");
    Ok(Rows { table, heap: heap / rows, indexes: indexes / rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_takes_up_is_what_the_table_has_grown_by() {
        let rows = grown("lots", &[10, 8192, 16384], &[110, 18192, 36384]).unwrap();
        assert_eq!((rows.heap, rows.indexes), (100, 200));
        assert!(grown("lots", &[10, 8192, 16384], &[10, 8192, 16384]).is_err());
    }
}
