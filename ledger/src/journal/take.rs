//! A batch of a journal: one transaction, and the same outcome however often it is posted.

use std::collections::HashSet;

use metering::TimeMs;
use metering::journal::{DebitDrawn, DebitEnded, Gap, Head, Record};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::{DrawnRows, EndedRows, RefusedRows, ReturnRows};
use crate::columns::{bigint, stamp};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// The clocks of the shards of one batch may differ by so much.
const MARGIN_MS: u64 = 60_000;

/// A batch as a gateway has posted it.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalPost {
    /// Whose, and from where on.
    pub head: Head,
    /// What it says.
    pub records: Vec<Record>,
    /// How many bytes of the file it is.
    pub bytes: u64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Records that were looked at; none of a batch that is known.
    pub records: u64,
    /// Debits that the book does not have yet.
    pub debits: u64,
    /// Give-backs and settlements that it does not have yet.
    pub returns: u64,
    /// Refused requests that are new.
    pub refusals: u64,
}

/// The records of a batch, by kind.
#[derive(Default)]
struct Sorted<'a> {
    drawn: Vec<&'a DebitDrawn>,
    ended: Vec<&'a DebitEnded>,
    refused: RefusedRows,
    gaps: Vec<Gap>,
}

impl Ledger {
    /// Takes a batch. Of debits only those are kept that are not in the book; a batch that was taken before changes nothing.
    pub async fn take_journal(&self, post: &JournalPost) -> Result<Taken, LedgerError> {
        let mut transaction = self.begin().await?;
        let mut taken = Taken::default();
        if !is_known(&mut transaction, post).await? {
            let sorted = sort(&post.records)?;
            taken.records = u64::try_from(post.records.len()).unwrap_or(u64::MAX);
            let end = position_after(post)?;
            write_gaps(&mut transaction, post, &sorted.gaps).await?;
            taken.debits = take_debits(&mut transaction, &sorted).await?;
            taken.returns = take_ends(&mut transaction, &sorted.ended).await?;
            taken.refusals = take_refusals(&mut transaction, &sorted.refused, &post.head.name).await?;
            sqlx::query("UPDATE journal_runs SET file = $2, position = $3 WHERE run = $1")
                .bind(post.head.run)
                .bind(bigint(post.head.file)?)
                .bind(end)
                .execute(&mut *transaction)
                .await?;
        }
        note_progress(&mut transaction, &post.head).await?;
        commit(transaction).await?;
        Ok(taken)
    }
}

fn position_after(post: &JournalPost) -> Result<i64, LedgerError> {
    bigint(post.head.position.saturating_add(post.bytes))
}

/// Whether all of the batch was taken before, or it has no records. Locks the run. Where files are missing in between, that is noted.
async fn is_known(connection: &mut PgConnection, post: &JournalPost) -> Result<bool, LedgerError> {
    let head = &post.head;
    let started = head.run.get_timestamp().map_or((0, 0), |time| time.to_unix());
    let started = TimeMs::new(started.0.saturating_mul(1_000));
    sqlx::query(
        "INSERT INTO journal_runs (run, name, started_at) VALUES ($1, left($2, 200), $3) ON CONFLICT (run) DO NOTHING",
    )
    .bind(head.run)
    .bind(&head.name)
    .bind(stamp(started)?)
    .execute(&mut *connection)
    .await?;
    let (file, position): (i64, i64) =
        sqlx::query_as("SELECT file, position FROM journal_runs WHERE run = $1 FOR UPDATE")
            .bind(head.run)
            .fetch_one(&mut *connection)
            .await?;
    if post.records.is_empty() {
        return Ok(true);
    }
    let (from, end) = ((bigint(head.file)?, bigint(head.position)?), (bigint(head.file)?, position_after(post)?));
    if end <= (file, position) {
        return Ok(true);
    }
    let next_file = from == (file.saturating_add(1), 0);
    if from > (file, position) && !next_file {
        sqlx::query(include_str!("../../queries/note_missing_files.sql"))
            .bind(head.run)
            .bind(file)
            .bind(position)
            .execute(connection)
            .await?;
    }
    Ok(false)
}

fn sort(records: &[Record]) -> Result<Sorted<'_>, LedgerError> {
    let mut sorted = Sorted::default();
    for record in records {
        match record {
            Record::Drawn(drawn) => sorted.drawn.push(drawn),
            Record::Ended(ended) => sorted.ended.push(ended),
            Record::Refused(refused) => sorted.refused.push(refused)?,
            Record::Gap(gap) => sorted.gaps.push(*gap),
            Record::LeftOut { .. } | Record::Unknown => {}
        }
    }
    Ok(sorted)
}

async fn write_gaps(connection: &mut PgConnection, post: &JournalPost, gaps: &[Gap]) -> Result<(), LedgerError> {
    for gap in gaps {
        sqlx::query(include_str!("../../queries/note_gap.sql"))
            .bind(post.head.run)
            .bind(bigint(post.head.file)?)
            .bind(bigint(post.head.position)?)
            .bind(stamp(gap.from)?)
            .bind(stamp(gap.to)?)
            .bind(bigint(gap.records)?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Of the debits those are kept that the book does not have: one look-up for all.
async fn take_debits(connection: &mut PgConnection, sorted: &Sorted<'_>) -> Result<u64, LedgerError> {
    let Some(first) = sorted.drawn.iter().map(|drawn| drawn.at).min() else { return Ok(0) };
    let last = sorted.drawn.iter().map(|drawn| drawn.at).max().unwrap_or(first);
    let ops: Vec<Uuid> = sorted.drawn.iter().map(|drawn| drawn.op.as_uuid()).collect();
    let recorded: Vec<(Uuid, Uuid)> = sqlx::query_as(include_str!("../../queries/recorded_debits.sql"))
        .bind(ops)
        .bind(stamp(first.minus_ms(MARGIN_MS))?)
        .bind(stamp(last.plus_ms(MARGIN_MS))?)
        .fetch_all(&mut *connection)
        .await?;
    let recorded: HashSet<(Uuid, Uuid)> = recorded.into_iter().collect();
    let mut rows = DrawnRows::default();
    let missing =
        sorted.drawn.iter().filter(|drawn| !recorded.contains(&(drawn.op.as_uuid(), drawn.account.as_uuid())));
    missing.into_iter().try_for_each(|drawn| rows.push(drawn))?;
    if rows.ops.is_empty() {
        return Ok(0);
    }
    let kept = sqlx::query(include_str!("../../queries/take_journal_debits.sql"))
        .bind(rows.ops)
        .bind(rows.accounts)
        .bind(rows.incarnations)
        .bind(rows.sequences)
        .bind(rows.credits)
        .bind(rows.at)
        .execute(connection)
        .await?;
    Ok(kept.rows_affected())
}

async fn take_ends(connection: &mut PgConnection, ended: &[&DebitEnded]) -> Result<u64, LedgerError> {
    if ended.is_empty() {
        return Ok(0);
    }
    let (mut rows, mut returns) = (EndedRows::default(), ReturnRows::default());
    ended.iter().try_for_each(|ended| rows.push(ended))?;
    ended.iter().filter(|ended| ended.hold || ended.kept < ended.credits).try_for_each(|ended| returns.push(ended))?;
    for update in
        [include_str!("../../queries/note_journal_ends.sql"), include_str!("../../queries/note_lost_ends.sql")]
    {
        sqlx::query(update)
            .bind(&rows.ops)
            .bind(&rows.accounts)
            .bind(&rows.kept)
            .bind(&rows.statuses)
            .bind(&rows.bytes)
            .bind(&rows.ms)
            .execute(&mut *connection)
            .await?;
    }
    let Some(first) = ended.iter().map(|ended| ended.at.minus_ms(ended.duration_ms)).min() else { return Ok(0) };
    if returns.ops.is_empty() {
        return Ok(0);
    }
    let kept = sqlx::query(include_str!("../../queries/take_journal_returns.sql"))
        .bind(returns.ops)
        .bind(returns.accounts)
        .bind(returns.incarnations)
        .bind(returns.sequences)
        .bind(returns.kept)
        .bind(returns.drawn_at)
        .bind(returns.ended_at)
        .bind(stamp(first.minus_ms(MARGIN_MS))?)
        .execute(connection)
        .await?;
    Ok(kept.rows_affected())
}

async fn take_refusals(connection: &mut PgConnection, rows: &RefusedRows, gateway: &str) -> Result<u64, LedgerError> {
    if rows.requests.is_empty() {
        return Ok(0);
    }
    let taken = sqlx::query(include_str!("../../queries/take_refusals.sql"))
        .bind(&rows.requests)
        .bind(&rows.accounts)
        .bind(&rows.keys)
        .bind(&rows.routes)
        .bind(&rows.codes)
        .bind(&rows.prices)
        .bind(&rows.details)
        .bind(gateway)
        .bind(&rows.at)
        .execute(connection)
        .await?;
    Ok(taken.rows_affected())
}

/// Times are this server's: clocks of gateways need not agree with it.
async fn note_progress(connection: &mut PgConnection, head: &Head) -> Result<(), LedgerError> {
    sqlx::query(include_str!("../../queries/note_journal_progress.sql"))
        .bind(head.run)
        .bind(head.whole_until_ms_ago.map(bigint).transpose()?)
        .bind(head.ended)
        .execute(connection)
        .await?;
    Ok(())
}
