//! What an operator decided about dead letters, carried out by the owner: those that are given up are closed, the others applied.

use metering::{AccountId, Event, EventId};
use sqlx::{FromRow, PgConnection};

use super::known::Known;
use super::park::{is_of_an_event, reason};
use super::plan::{GAP_MOST, Plan, SeqGap};
use super::{Piece, Step};
use crate::columns::{bigint, count, shard_number};
use crate::dead_letters::whole;
use crate::entries::EntriesTransaction;
use crate::fence::hold;
use crate::pool::commit;
use crate::usage::count_late;
use crate::{Decision, Fence, Ledger, LedgerError};

/// Letters applied in one transaction; what follows of the account stays parked until the rest is applied, too.
const LETTERS_AT_ONCE: i64 = 10_000;

/// How a decision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Only to see whether it can be: nothing is kept.
    Trial,
    /// For good. Where events are given up: with the number of the account's last event in live state, which is frozen and drained.
    ForGood {
        /// `None` where live state does not have the account.
        live_seq: Option<u64>,
    },
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarriedOut {
    /// All of it is done.
    Done,
    /// The account has more letters: run it again.
    More,
    /// The book has it; live state of the account is to be written anew from the book.
    OwesInstall(AccountId),
    /// It can't be, because of the event named: nothing was changed.
    Refused(String),
}

#[derive(FromRow)]
struct RawLetter {
    sequence: i64,
    bytes: Vec<u8>,
    bytes_total: i64,
    is_its: bool,
}

impl Ledger {
    /// Carries a decision out: closes what is given up, applies the account's other letters in order, each once, all or nothing.
    pub async fn carry_out(&self, fence: Fence, decision: &Decision, run: Run) -> Result<CarriedOut, LedgerError> {
        let mut transaction = self.begin_entries().await?;
        hold(&mut transaction, fence).await?;
        match carry(&mut transaction, fence, decision, run).await {
            Ok(carried) if run == Run::Trial => {
                transaction.rollback().await?;
                Ok(carried)
            }
            Err(error) if is_of_an_event(&error) => {
                transaction.rollback().await?;
                Ok(CarriedOut::Refused(reason(&error)))
            }
            carried => transaction.end(carried).await,
        }
    }

    /// Says that a decision can't be carried out, or with no refusal that live state was written anew and it is done.
    pub async fn close_decision(&self, fence: Fence, decision: u64, refusal: Option<&str>) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        hold(&mut transaction, fence).await?;
        let state = if refusal.is_some() { "refused" } else { "done" };
        note(&mut transaction, decision, state, 0, refusal).await?;
        commit(transaction).await
    }
}

async fn carry(
    transaction: &mut EntriesTransaction,
    fence: Fence,
    decision: &Decision,
    run: Run,
) -> Result<CarriedOut, LedgerError> {
    close_letters(&mut *transaction, fence, decision, &decision.discarded, "discarded").await?;
    // What live state has lost since builds on nothing any more, and nothing builds on it.
    let Some(account) = decision.account.filter(|_| decision.incarnation == fence.incarnation) else {
        note(transaction, decision.decision, "done", 0, None).await?;
        return Ok(CarriedOut::Done);
    };
    let (events, more) = letters_of(&mut *transaction, fence, account).await?;
    let steps = events.iter().map(|event| Step { id: event.id, event: Some(event), entry: None, poison: None });
    let piece = Piece { fence, from: None, steps: steps.collect() };
    let known = Known::read(&mut *transaction, &piece).await?;
    let plan = Plan::of_letters(&piece, known, decision.gives_up())?;
    let (gaps, entries) = (plan.gaps.clone(), plan.entries.clone());
    plan.write(&mut *transaction, fence).await?;
    count_late(&mut *transaction, fence, &entries).await?;
    for gap in gaps {
        give_up(&mut *transaction, decision, gap).await?;
    }
    let sequences: Vec<u64> = events.iter().map(|event| event.id.sequence).collect();
    close_letters(&mut *transaction, fence, decision, &sequences, "applied").await?;
    let applied = sequences.len();
    if more {
        note(transaction, decision.decision, "asked", applied, None).await?;
        return Ok(CarriedOut::More);
    }
    let live_seq = if let Run::ForGood { live_seq } = run { live_seq } else { None };
    let is_here = decision.gives_up() && reach(&mut *transaction, fence, decision, account, live_seq).await?;
    note(transaction, decision.decision, if is_here { "applied" } else { "done" }, applied, None).await?;
    Ok(if is_here { CarriedOut::OwesInstall(account) } else { CarriedOut::Done })
}

/// The account's open letters as events, in order, and whether there are more. Of those whose account could not be told, the ones that
/// this release reads as the account's.
async fn letters_of(
    connection: &mut PgConnection,
    fence: Fence,
    account: AccountId,
) -> Result<(Vec<Event>, bool), LedgerError> {
    let rows: Vec<RawLetter> = sqlx::query_as(include_str!("../../queries/letters_to_apply.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.incarnation)?)
        .bind(account.as_uuid())
        .bind(LETTERS_AT_ONCE)
        .fetch_all(connection)
        .await?;
    let more = i64::try_from(rows.len()).is_ok_and(|rows| rows >= LETTERS_AT_ONCE);
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let id = EventId { incarnation: fence.incarnation, sequence: count(row.sequence)? };
        let refused = |why: String| LedgerError::Unappliable { event: id, why };
        match whole(id, &row.bytes, row.bytes_total).map(|entry| entry.event) {
            Some(Ok(event)) if row.is_its || event.body.account() == Some(account) => events.push(event),
            Some(Err(error)) if row.is_its => return Err(refused(error.to_string())),
            None if row.is_its => return Err(refused("it is longer than what is kept of it".to_owned())),
            _ => {}
        }
    }
    Ok((events, more))
}

async fn close_letters(
    connection: &mut PgConnection,
    fence: Fence,
    decision: &Decision,
    sequences: &[u64],
    state: &str,
) -> Result<(), LedgerError> {
    if sequences.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../queries/resolve_letters.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(decision.incarnation)?)
        .bind(sequences.iter().map(|&sequence| bigint(sequence)).collect::<Result<Vec<_>, _>>()?)
        .bind(state)
        .bind(bigint(decision.decision)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn give_up(connection: &mut PgConnection, decision: &Decision, gap: SeqGap) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO seq_gaps (account_id, first_seq, last_seq, decision_id) VALUES ($1, $2, $3, $4)")
        .bind(gap.account.as_uuid())
        .bind(bigint(gap.first)?)
        .bind(bigint(gap.last)?)
        .bind(bigint(decision.decision)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Brings the book's count of the account to live state's, which is written anew at that number. Answers whether the account is of this shard.
async fn reach(
    connection: &mut PgConnection,
    fence: Fence,
    decision: &Decision,
    account: AccountId,
    live_seq: Option<u64>,
) -> Result<bool, LedgerError> {
    let seq: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM accounts WHERE account_id = $1 AND shard = $2 FOR NO KEY UPDATE")
            .bind(account.as_uuid())
            .bind(shard_number(fence.shard))
            .fetch_optional(&mut *connection)
            .await?;
    let Some(seq) = seq.map(count).transpose()? else { return Ok(false) };
    let live_seq = live_seq.unwrap_or(seq);
    if live_seq < seq {
        return Err(LedgerError::Invalid(format!(
            "the book is at event {seq} of {account}, live state only at {live_seq}"
        )));
    }
    let missing = live_seq.saturating_sub(seq);
    if missing > GAP_MOST {
        return Err(LedgerError::Invalid(format!("live state is {missing} events of {account} ahead of the book")));
    }
    if missing > 0 {
        give_up(&mut *connection, decision, SeqGap { account, first: seq.saturating_add(1), last: live_seq }).await?;
        sqlx::query("UPDATE accounts SET seq = $2 WHERE account_id = $1")
            .bind(account.as_uuid())
            .bind(bigint(live_seq)?)
            .execute(connection)
            .await?;
    }
    Ok(true)
}

async fn note(
    connection: &mut PgConnection,
    decision: u64,
    state: &str,
    applied: usize,
    refusal: Option<&str>,
) -> Result<(), LedgerError> {
    sqlx::query(include_str!("../../queries/note_decision.sql"))
        .bind(bigint(decision)?)
        .bind(state)
        .bind(i64::try_from(applied).unwrap_or(i64::MAX))
        .bind(refusal)
        .execute(connection)
        .await?;
    Ok(())
}
