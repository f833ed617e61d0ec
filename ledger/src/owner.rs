//! Who owns which shard: one process, until it gives it up or lets its lease run out.

use std::time::Duration;

use metering::{OpId, Shard, TimeMs};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, bigint, count, kind_word, maybe_time, shard_number};
use crate::incidents::write_incident;
use crate::pool::commit;
use crate::{Fence, Ledger, LedgerError, Subject};

/// One ledger-sync process; made anew at each start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnerId(Uuid);

impl OwnerId {
    /// Takes an id that the process made at its start.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The id as a UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// How far the live state of a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardState {
    /// Never installed.
    New,
    /// A new incarnation is being written.
    Installing,
    /// It serves.
    Open,
    /// Closed for being compared.
    Sealed,
}

impl ShardState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Installing => "installing",
            Self::Open => "open",
            Self::Sealed => "sealed",
        }
    }

    fn read(word: &str) -> Result<Self, LedgerError> {
        [Self::New, Self::Installing, Self::Open, Self::Sealed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| LedgerError::Corrupt(format!("the shard state '{word}'")))
    }
}

/// A shard as the book knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardRow {
    /// Which one.
    pub shard: Shard,
    /// Who owns it.
    pub owner: Option<OwnerId>,
    /// The owner's name, for people.
    pub owner_name: Option<String>,
    /// Whether the owner's lease still runs, by the clock of Postgres.
    pub leased: bool,
    /// Raised by each claim.
    pub epoch: u64,
    /// How many times its live state was built anew; 0 = never.
    pub incarnation: u64,
    /// The number of its last certification; 0 = never.
    pub certification: u64,
    /// Sequence of the last event of this incarnation in the book; `None` before its first.
    pub applied_sequence: Option<u64>,
    /// Op of that event, if it has one.
    pub applied_op: Option<OpId>,
    /// Kind of that event.
    pub applied_kind: Option<String>,
    /// How far its live state is.
    pub state: ShardState,
    /// When the last batch was recorded.
    pub drained_at: Option<TimeMs>,
}

impl ShardRow {
    /// The fence of the owner that this row names.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        Fence { shard: self.shard, epoch: self.epoch, certification: self.certification, incarnation: self.incarnation }
    }
}

/// A live process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub owner: OwnerId,
    /// Its name, for people.
    pub name: String,
}

/// Who is alive, and who owns what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The processes whose heartbeat is recent, this one included, in order of id.
    pub live_owners: Vec<Owner>,
    /// Every shard, accounts first, by number.
    pub shards: Vec<ShardRow>,
}

#[derive(FromRow)]
struct RawShard {
    kind: String,
    number: i16,
    owner: Option<Uuid>,
    owner_name: Option<String>,
    leased: bool,
    epoch: i64,
    incarnation: i64,
    certification: i64,
    applied_sequence: Option<i64>,
    applied_op: Option<Uuid>,
    applied_kind: Option<String>,
    state: String,
    drained_at: Option<Stamp>,
}

impl TryFrom<RawShard> for ShardRow {
    type Error = LedgerError;

    fn try_from(raw: RawShard) -> Result<Self, LedgerError> {
        Ok(Self {
            shard: columns::shard(&raw.kind, raw.number)?,
            owner: raw.owner.map(OwnerId),
            owner_name: raw.owner_name,
            leased: raw.leased,
            epoch: count(raw.epoch)?,
            incarnation: count(raw.incarnation)?,
            certification: count(raw.certification)?,
            applied_sequence: raw.applied_sequence.map(count).transpose()?,
            applied_op: raw.applied_op.map(OpId::from_uuid),
            applied_kind: raw.applied_kind,
            state: ShardState::read(&raw.state)?,
            drained_at: maybe_time(raw.drained_at)?,
        })
    }
}

impl Ledger {
    /// Says that a process lives, extends the leases of the shards it owns, and tells who else is there.
    pub async fn heartbeat(&self, owner: OwnerId, name: &str, lease: Duration) -> Result<Fleet, LedgerError> {
        let seconds = lease.as_secs_f64();
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../queries/heartbeat.sql"))
            .bind(owner.0)
            .bind(name)
            .bind(seconds)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE shards SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE owner = $1")
            .bind(owner.0)
            .bind(seconds)
            .execute(&mut *transaction)
            .await?;
        commit(transaction).await?;
        let live: Vec<(Uuid, String)> =
            sqlx::query_as("SELECT owner, name FROM owners WHERE heartbeat_until > clock_timestamp() ORDER BY owner")
                .fetch_all(&self.pool)
                .await?;
        let live_owners = live.into_iter().map(|(owner, name)| Owner { owner: OwnerId(owner), name }).collect();
        Ok(Fleet { live_owners, shards: self.shards().await? })
    }

    /// Takes a shard that is free or whose lease ran out; `None` when somebody else holds it.
    pub async fn claim(&self, owner: OwnerId, shard: Shard, lease: Duration) -> Result<Option<ShardRow>, LedgerError> {
        let claimed = sqlx::query(include_str!("../queries/claim.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .bind(owner.0)
            .bind(lease.as_secs_f64())
            .execute(&self.pool)
            .await?;
        if claimed.rows_affected() == 0 { Ok(None) } else { self.shard(shard).await.map(Some) }
    }

    /// Gives a shard up. `Fenced` when it was another's already.
    pub async fn release(&self, owner: OwnerId, shard: Shard, epoch: u64) -> Result<(), LedgerError> {
        let released = sqlx::query(include_str!("../queries/release.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .bind(owner.0)
            .bind(bigint(epoch)?)
            .execute(&self.pool)
            .await?;
        if released.rows_affected() == 0 { Err(LedgerError::Fenced { shard }) } else { Ok(()) }
    }

    /// Gives a shard up so that the next claim is above `at_least`, an epoch that Redis knows and this book has forgotten: it was put back
    /// to an older state. Leaves an incident. `Fenced` when the shard was another's already.
    pub async fn release_above(
        &self,
        owner: OwnerId,
        shard: Shard,
        epoch: u64,
        at_least: u64,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let released = sqlx::query(include_str!("../queries/release_above.sql"))
            .bind(kind_word(shard.kind))
            .bind(shard_number(shard))
            .bind(owner.0)
            .bind(bigint(epoch)?)
            .bind(bigint(at_least)?)
            .execute(&mut *transaction)
            .await?;
        if released.rows_affected() == 0 {
            return Err(LedgerError::Fenced { shard });
        }
        let detail = json!({ "book_epoch": epoch, "redis_epoch": at_least });
        write_incident(&mut transaction, shard, "book_put_back", &detail).await?;
        commit(transaction).await
    }

    /// A shard's row.
    pub async fn shard(&self, shard: Shard) -> Result<ShardRow, LedgerError> {
        let row = self.read_shards(Some(shard)).await?.pop();
        row.ok_or_else(|| LedgerError::not_found(Subject::Shard, &shard))
    }

    /// Every shard's row: accounts first, by number.
    pub async fn shards(&self) -> Result<Vec<ShardRow>, LedgerError> {
        self.read_shards(None).await
    }

    async fn read_shards(&self, only: Option<Shard>) -> Result<Vec<ShardRow>, LedgerError> {
        let rows: Vec<RawShard> = sqlx::query_as(include_str!("../queries/shards.sql"))
            .bind(only.map(|shard| kind_word(shard.kind)))
            .bind(only.map(shard_number))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ShardRow::try_from).collect()
    }
}
