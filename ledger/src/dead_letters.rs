//! Dead letters: events that can't be applied, parked with their bytes until an operator decides.

mod decide;
mod pending;

use std::fmt;
use std::str::FromStr;

use metering::{AccountId, Credits, EventId, IdError, OpId, Shard, ShardKind, StreamEntry, TimeMs};
use serde::{Serialize, Serializer};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{self, Stamp, bigint, count, credits, maybe_time, shard_number, time};
use crate::{Fence, Ledger, LedgerError, Subject};

pub use decide::{Decision, DecisionState, DecisionView};
pub use pending::PendingDecision;

/// Most letters that one list shows.
pub const LETTERS_A_LIST: u32 = 1_000;

/// Which event: its shard and its id, as `s003/7-1234`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId {
    /// Number of its shard of accounts.
    pub shard: u16,
    /// Its id in the stream.
    pub event: EventId,
}

impl LetterId {
    pub(crate) const fn shard(self) -> Shard {
        Shard { kind: ShardKind::Accounts, number: self.shard }
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.shard(), self.event)
    }
}

impl Serialize for LetterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for LetterId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = IdError { expected: "a dead letter's id (s003/7-1234: shard, incarnation, sequence)" };
        let (shard, event) = text.split_once('/').ok_or(wrong.clone())?;
        let digits = shard.strip_prefix('s').filter(|digits| digits.len() == 3).ok_or(wrong.clone())?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let shard = digits.parse().ok().filter(|_| is_number).ok_or(wrong.clone())?;
        Ok(Self { shard, event: event.parse().map_err(|_| wrong)? })
    }
}

/// An event that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which event.
    pub letter: LetterId,
    /// Its kind; `undecodable` where it could not be read.
    pub kind: String,
    /// The account it is about, as far as it could be read.
    pub account: Option<AccountId>,
    /// The account's number of it.
    pub seq: Option<u64>,
    /// The op that made it.
    pub op: Option<OpId>,
    /// What it drew, where it is a debit that can be read.
    pub credits: Option<Credits>,
    /// When it happened, by the shard's clock.
    pub occurred_at: Option<TimeMs>,
    /// Why it was parked.
    pub reason: String,
    /// Whether only because an earlier event of its account is.
    pub follows: bool,
    /// Whether live state was built anew since: it was lost there, and can only be discarded.
    pub superseded: bool,
    /// open, applied or discarded.
    pub state: String,
    /// When it was parked.
    pub parked_at: TimeMs,
    /// When it was applied or discarded.
    pub resolved_at: Option<TimeMs>,
}

/// What an account has parked in the incarnation that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ParkedEvents {
    /// How many events.
    pub events: u64,
    /// What the debits among them drew, as far as they can be read.
    pub credits: u64,
}

#[derive(FromRow)]
struct RawLetter {
    shard: i16,
    incarnation: i64,
    sequence: i64,
    kind: String,
    account_id: Option<Uuid>,
    seq: Option<i64>,
    op: Option<Uuid>,
    credits: Option<i64>,
    occurred_at: Option<Stamp>,
    reason: String,
    follows: bool,
    superseded: bool,
    state: String,
    at: Stamp,
    resolved_at: Option<Stamp>,
}

impl Ledger {
    /// Letters by shard and sequence, at most [`LETTERS_A_LIST`]: of one account or of all, open ones or all.
    pub async fn dead_letters(&self, account: Option<AccountId>, all: bool) -> Result<Vec<DeadLetter>, LedgerError> {
        let rows: Vec<RawLetter> = sqlx::query_as(include_str!("../queries/dead_letters.sql"))
            .bind(account.map(|account| account.as_uuid()))
            .bind(all)
            .bind(i64::from(LETTERS_A_LIST))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(DeadLetter::try_from).collect()
    }

    /// One letter, and the fields of its event as they stood; of a longer event than is kept, none.
    pub async fn dead_letter(&self, letter: LetterId) -> Result<(DeadLetter, Option<StreamEntry>), LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let row: Option<RawLetter> = sqlx::query_as(include_str!("../queries/dead_letter.sql"))
            .bind(shard_number(letter.shard()))
            .bind(bigint(letter.event.incarnation)?)
            .bind(bigint(letter.event.sequence)?)
            .fetch_optional(&mut *connection)
            .await?;
        let found = row.ok_or_else(|| LedgerError::not_found(Subject::DeadLetter, &letter))?;
        let entry = read_entry(&mut connection, letter).await?;
        Ok((found.try_into()?, entry))
    }

    /// The letter of an op's event, or of one that names it.
    pub async fn letter_naming(&self, op: OpId) -> Result<Option<DeadLetter>, LedgerError> {
        let row: Option<RawLetter> = sqlx::query_as(include_str!("../queries/letter_naming.sql"))
            .bind(op.as_uuid())
            .bind(op.hex().into_bytes())
            .fetch_optional(&self.pool)
            .await?;
        row.map(DeadLetter::try_from).transpose()
    }

    /// How many letters of a shard are open.
    pub async fn open_dead_letters(&self, shard: Shard) -> Result<u64, LedgerError> {
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE shard = $1 AND state = 'open'")
            .bind(shard_number(shard))
            .fetch_one(&self.pool)
            .await?;
        count(open)
    }

    /// How many open letters mark no account: whose account can't be told or is not in the book, or that live state has lost since.
    pub async fn stray_dead_letters(&self) -> Result<u64, LedgerError> {
        let stray: i64 =
            sqlx::query_scalar(include_str!("../queries/stray_dead_letters.sql")).fetch_one(&self.pool).await?;
        count(stray)
    }

    /// Whether an account is marked: it has open letters in the incarnation that lives, and its further events are parked, too.
    pub async fn is_marked(&self, fence: Fence, account: AccountId) -> Result<bool, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        is_marked(&mut connection, fence, account).await
    }
}

pub(crate) async fn is_marked(
    connection: &mut PgConnection,
    fence: Fence,
    account: AccountId,
) -> Result<bool, LedgerError> {
    Ok(!marked(connection, fence, &[account.as_uuid()]).await?.is_empty())
}

/// Whether an account has open letters in the incarnation that lives.
pub(crate) async fn has_letters(connection: &mut PgConnection, account: AccountId) -> Result<bool, LedgerError> {
    Ok(sqlx::query_scalar(include_str!("../queries/has_letters.sql"))
        .bind(account.as_uuid())
        .fetch_one(connection)
        .await?)
}

/// Those of these accounts that are marked.
pub(crate) async fn marked(
    connection: &mut PgConnection,
    fence: Fence,
    accounts: &[Uuid],
) -> Result<Vec<Uuid>, LedgerError> {
    Ok(sqlx::query_scalar(include_str!("../queries/marked_accounts.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.incarnation)?)
        .bind(accounts)
        .fetch_all(connection)
        .await?)
}

/// What each of these accounts has parked.
pub(crate) async fn parked(
    connection: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<Vec<(Uuid, ParkedEvents)>, LedgerError> {
    let rows: Vec<(Uuid, i64, i64)> =
        sqlx::query_as(include_str!("../queries/parked_events.sql")).bind(accounts).fetch_all(connection).await?;
    let parked = rows.into_iter().map(|(account, events, credits)| {
        Ok((account, ParkedEvents { events: count(events)?, credits: count(credits)? }))
    });
    parked.collect()
}

/// The fields of a letter; `None` where not all of them were kept.
async fn read_entry(connection: &mut PgConnection, letter: LetterId) -> Result<Option<StreamEntry>, LedgerError> {
    let (bytes, total): (Vec<u8>, i64) = sqlx::query_as(
        "SELECT bytes, bytes_total FROM dead_letters WHERE shard = $1 AND incarnation = $2 AND sequence = $3",
    )
    .bind(shard_number(letter.shard()))
    .bind(bigint(letter.event.incarnation)?)
    .bind(bigint(letter.event.sequence)?)
    .fetch_one(connection)
    .await?;
    Ok(whole(letter.event, &bytes, total))
}

/// The entry of which these bytes were kept, if they are all.
pub(crate) fn whole(event: EventId, bytes: &[u8], total: i64) -> Option<StreamEntry> {
    let is_whole = usize::try_from(total).is_ok_and(|total| total == bytes.len());
    if is_whole { StreamEntry::parse(event, bytes) } else { None }
}

impl TryFrom<RawLetter> for DeadLetter {
    type Error = LedgerError;

    fn try_from(raw: RawLetter) -> Result<Self, LedgerError> {
        let event = EventId { incarnation: count(raw.incarnation)?, sequence: count(raw.sequence)? };
        Ok(Self {
            letter: LetterId { shard: columns::shard("accounts", raw.shard)?.number, event },
            kind: raw.kind,
            account: raw.account_id.map(AccountId::from_uuid),
            seq: raw.seq.map(count).transpose()?,
            op: raw.op.map(OpId::from_uuid),
            credits: raw.credits.map(credits).transpose()?,
            occurred_at: maybe_time(raw.occurred_at)?,
            reason: raw.reason,
            follows: raw.follows,
            superseded: raw.superseded,
            state: raw.state,
            parked_at: time(raw.at)?,
            resolved_at: maybe_time(raw.resolved_at)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_named_by_shard_and_event() {
        let letter = LetterId { shard: 3, event: EventId { incarnation: 7, sequence: 1_234 } };
        assert_eq!(letter.to_string(), "s003/7-1234");
        assert_eq!("s003/7-1234".parse(), Ok(letter));
        for wrong in ["", "s003", "3/7-1", "k003/7-1", "s03/7-1", "s+03/7-1", "s003/7", "s003/7-", "s003/7-1 "] {
            assert!(wrong.parse::<LetterId>().is_err(), "{wrong}");
        }
    }
}
