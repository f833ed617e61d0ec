//! The schema: made and updated by `tollgate migrate`, checked by every service before it starts.

use metering::{ShardCount, TimeMs};
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;

use crate::columns::stamp;
use crate::{DAY_MS, Ledger, LedgerError};

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Partitions of entries are made this far ahead, so that a ledger-sync that is down for weeks finds them.
const PARTITIONS_AHEAD: [u64; 3] = [0, 31, 62];

/// What a migration run left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The last migration of the schema.
    pub schema_version: i64,
    /// The number of shards, of this run or of the first one.
    pub shards: ShardCount,
    /// Whether this run laid the installation out.
    pub created: bool,
}

impl Ledger {
    /// Creates or updates the schema and lays the shards out. Another shard count than the first run's is refused.
    pub async fn migrate(&self, shards: ShardCount, now: TimeMs) -> Result<Migrated, LedgerError> {
        // Connections of its own: a migration may take longer than the deadlines of the pool allow.
        let pool = PgPoolOptions::new().max_connections(1).connect_with(self.options.clone()).await?;
        let migrated = migrate(&pool, shards, now).await;
        pool.close().await;
        migrated
    }

    /// Whether this program fits the schema, and the installation the shard count it was given.
    pub async fn check_schema(&self, asked: Option<ShardCount>) -> Result<ShardCount, LedgerError> {
        let made: bool = sqlx::query_scalar(
            "SELECT to_regclass('_sqlx_migrations') IS NOT NULL AND to_regclass('install') IS NOT NULL",
        )
        .fetch_one(&self.pool)
        .await?;
        if !made {
            return Err(LedgerError::SchemaMissing);
        }
        let found: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success").fetch_one(&self.pool).await?;
        let (found, needed) = (found.unwrap_or(0), needed());
        if found < needed {
            return Err(LedgerError::SchemaOld { found, needed });
        }
        if found > needed {
            return Err(LedgerError::SchemaForeign { found, needed });
        }
        let count = self.shard_count().await?.ok_or(LedgerError::SchemaMissing)?;
        match asked {
            Some(asked) if asked != count => Err(LedgerError::ShardCountDiffers { found: count, asked }),
            _ => Ok(count),
        }
    }

    /// Makes the partitions that the months to come need; true when one was missing. Once a day is plenty.
    pub async fn ensure_partitions(&self, now: TimeMs) -> Result<bool, LedgerError> {
        ensure_partitions(&self.pool, now).await
    }

    /// Counts partitions of entries that have grown and were never counted, so that ops are looked up by their index. Cheap where there
    /// are none; a few times a minute is plenty.
    pub async fn analyze_young_partitions(&self) -> Result<(), LedgerError> {
        sqlx::query("SELECT analyze_young_partitions()").execute(&self.pool).await?;
        Ok(())
    }

    async fn shard_count(&self) -> Result<Option<ShardCount>, LedgerError> {
        let count: Option<i16> =
            sqlx::query_scalar("SELECT shard_count FROM install").fetch_optional(&self.pool).await?;
        count.map(shard_count).transpose()
    }
}

/// The count as the install row holds it.
pub(crate) fn shard_count(count: i16) -> Result<ShardCount, LedgerError> {
    u16::try_from(count)
        .ok()
        .and_then(|count| ShardCount::new(count).ok())
        .ok_or_else(|| LedgerError::Corrupt(format!("the shard count {count}")))
}

fn needed() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

async fn migrate(pool: &PgPool, shards: ShardCount, now: TimeMs) -> Result<Migrated, LedgerError> {
    MIGRATOR.run(pool).await.map_err(migration_failed)?;
    let asked = i16::try_from(shards.get()).unwrap_or(i16::MAX); // always fits: at most 999
    let mut transaction = pool.begin().await?;
    let created = sqlx::query("INSERT INTO install (shard_count, installed_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(asked)
        .bind(stamp(now)?)
        .execute(&mut *transaction)
        .await?
        .rows_affected()
        > 0;
    let found = sqlx::query_scalar("SELECT shard_count FROM install").fetch_one(&mut *transaction).await?;
    let found = shard_count(found)?;
    if found != shards {
        return Err(LedgerError::ShardCountDiffers { found, asked: shards });
    }
    sqlx::query(include_str!("../queries/lay_out_shards.sql")).bind(asked).execute(&mut *transaction).await?;
    transaction.commit().await?;
    ensure_partitions(pool, now).await?;
    Ok(Migrated { schema_version: needed(), shards, created })
}

async fn ensure_partitions(pool: &PgPool, now: TimeMs) -> Result<bool, LedgerError> {
    let mut made = false;
    for days in PARTITIONS_AHEAD {
        let instant = now.plus_ms(days.saturating_mul(DAY_MS));
        let missing: bool =
            sqlx::query_scalar("SELECT ensure_entry_partition($1)").bind(stamp(instant)?).fetch_one(pool).await?;
        made |= missing;
    }
    Ok(made)
}

fn migration_failed(failure: MigrateError) -> LedgerError {
    match failure {
        MigrateError::Execute(refusal) | MigrateError::ExecuteMigration(refusal, _) => refusal.into(),
        MigrateError::VersionMissing(found) | MigrateError::VersionMismatch(found) => {
            LedgerError::SchemaForeign { found, needed: needed() }
        }
        other => LedgerError::Invalid(format!("the schema can't be migrated: {other}")),
    }
}
