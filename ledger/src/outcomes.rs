//! How requests ended whose debits had a deadline: written with the batch that says so, read for receipts.

use std::collections::BTreeMap;

use metering::{AccountId, Ended, OpId, RequestOutcome, TimeMs};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{Stamp, bigint, count, stamp, time};
use crate::record::{AccountOp, NewOutcome};
use crate::{Ledger, LedgerError};

/// The word for a debit that was given back because nobody settled or confirmed it by its deadline.
const UNCONFIRMED: &str = "unconfirmed";

/// How a request ended, as far as the book was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What its gateway said; `None` = nothing by the deadline, so its debit was given back.
    pub confirmed: Option<RequestOutcome>,
    /// When that was noted, by the shard's clock.
    pub at: TimeMs,
}

#[derive(FromRow)]
struct RawOutcome {
    ended: String,
    upstream_status: Option<i16>,
    answer_bytes: Option<i64>,
    duration_ms: Option<i64>,
    ended_at: Stamp,
}

impl Ledger {
    /// How the request of a debit ended. `None` where its route asks for no confirmation, where it goes on, and where its gateway gave it back.
    pub async fn outcome(&self, account: AccountId, debit_op: OpId) -> Result<Option<Outcome>, LedgerError> {
        read(&mut *self.pool.acquire().await?, account, debit_op).await
    }
}

pub(crate) async fn read(
    connection: &mut PgConnection,
    account: AccountId,
    debit_op: OpId,
) -> Result<Option<Outcome>, LedgerError> {
    let raw: Option<RawOutcome> = sqlx::query_as(
        "SELECT ended, upstream_status, answer_bytes, duration_ms, ended_at FROM outcomes WHERE op = $1 AND account_id = $2",
    )
    .bind(debit_op.as_uuid())
    .bind(account.as_uuid())
    .fetch_optional(connection)
    .await?;
    raw.map(Outcome::try_from).transpose()
}

impl TryFrom<RawOutcome> for Outcome {
    type Error = LedgerError;

    fn try_from(raw: RawOutcome) -> Result<Self, LedgerError> {
        let at = time(raw.ended_at)?;
        if raw.ended == UNCONFIRMED {
            return Ok(Self { confirmed: None, at });
        }
        let corrupt = || LedgerError::Corrupt(format!("an outcome that ended as '{}'", raw.ended));
        let outcome = RequestOutcome {
            upstream_status: raw.upstream_status.map(u16::try_from).transpose().map_err(|_| corrupt())?,
            answer_bytes: count(raw.answer_bytes.ok_or_else(corrupt)?)?,
            duration_ms: count(raw.duration_ms.ok_or_else(corrupt)?)?,
            ended: Ended::from_word(&raw.ended).ok_or_else(corrupt)?,
        };
        Ok(Self { confirmed: Some(outcome), at })
    }
}

pub(crate) async fn write_outcomes(
    connection: &mut PgConnection,
    outcomes: &BTreeMap<AccountOp, NewOutcome>,
) -> Result<(), LedgerError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let said = || outcomes.values().map(|new| new.outcome);
    let status = |outcome: RequestOutcome| outcome.upstream_status.and_then(|status| i16::try_from(status).ok()); // at most 999
    let number = |of: fn(RequestOutcome) -> u64| said().map(|said| said.map(of).map(bigint).transpose()).collect();
    let answer_bytes: Result<Vec<Option<i64>>, LedgerError> = number(|outcome| outcome.answer_bytes);
    let duration_ms: Result<Vec<Option<i64>>, LedgerError> = number(|outcome| outcome.duration_ms);
    sqlx::query(include_str!("../queries/write_outcomes.sql"))
        .bind(outcomes.keys().map(|(_, op)| op.as_uuid()).collect::<Vec<Uuid>>())
        .bind(outcomes.keys().map(|(account, _)| account.as_uuid()).collect::<Vec<Uuid>>())
        .bind(said().map(|said| said.map_or(UNCONFIRMED, |outcome| outcome.ended.as_str())).collect::<Vec<&str>>())
        .bind(said().map(|said| said.and_then(status)).collect::<Vec<Option<i16>>>())
        .bind(answer_bytes?)
        .bind(duration_ms?)
        .bind(outcomes.values().map(|new| stamp(new.at)).collect::<Result<Vec<_>, _>>()?)
        .execute(connection)
        .await?;
    Ok(())
}
