//! Low balances: one mail for an account and its threshold, however often its balance passes it.
//!
//! A notice that was switched off when the balance fell is not the one: it is held back with the reason, which is what support has to see, and
//! nobody has had it. So it is queued again, as the same mail, once the reason is gone and the balance is low still or again. A mail that was
//! handed over, or that an address refused, is the one.
//!
//! Who was low before anybody looked (the migration `low_before`) is not told of it: that is old news, until the account draws, or falls again.

use metering::TimeMs;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::columns::{Stamp, bigint, stamp};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// How many mails are looked at in one transaction.
const AT_ONCE: i64 = 500;

/// When an account that was told once may be told again. Off unless an installation says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rearm {
    /// Its balance must have been seen above this part of what was granted.
    pub above_percent: u32,
    /// And the last mail must be this old.
    pub pause_ms: u64,
}

/// Queues a mail for each of these accounts whose balance is low and that was not told yet, in the caller's transaction. Returns how many were
/// queued. Calling it again, or from several transactions at once, queues nothing more.
///
/// What counts is what can be drawn at `now`: lots that have begun and not expired. An account without one is not low, it has none.
pub(crate) async fn queue_low_balance(
    connection: &mut PgConnection,
    accounts: &[Uuid],
    now: TimeMs,
    rearm: Option<Rearm>,
) -> Result<u64, LedgerError> {
    if accounts.is_empty() {
        return Ok(0);
    }
    sqlx::query(include_str!("../../queries/mail_low_before_risen.sql"))
        .bind(accounts)
        .bind(stamp(now)?)
        .execute(&mut *connection)
        .await?;
    if let Some(rearm) = rearm {
        sqlx::query(include_str!("../../queries/mail_note_risen.sql"))
            .bind(accounts)
            .bind(stamp(now)?)
            .bind(i64::from(rearm.above_percent))
            .execute(&mut *connection)
            .await?;
    }
    let queued = sqlx::query(include_str!("../../queries/mail_low_balance.sql"))
        .bind(accounts)
        .bind(stamp(now)?)
        .bind(rearm.map(|rearm| i64::from(rearm.above_percent)))
        .bind(rearm.map(|rearm| bigint(rearm.pause_ms)).transpose()?)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    let revived = sqlx::query(include_str!("../../queries/mail_revive_low_balance.sql"))
        .bind(accounts)
        .bind(stamp(now)?)
        .execute(connection)
        .await?
        .rows_affected();
    Ok(queued.saturating_add(revived))
}

/// Notes of accounts that they drew, and when the last time: who was low before low balances were looked at, and has drawn since, is told.
pub(crate) async fn note_drawn(
    connection: &mut PgConnection,
    accounts: &[Uuid],
    drew_at: &[Stamp],
) -> Result<(), LedgerError> {
    sqlx::query(include_str!("../../queries/mail_low_before_drew.sql"))
        .bind(accounts)
        .bind(drew_at)
        .execute(connection)
        .await?;
    Ok(())
}

impl Ledger {
    /// Low-balance mails that were held back while the whole installation sent none: from now on it does. Those of accounts that are low are
    /// queued, the others when they are low again. Returns how many were queued.
    pub async fn low_balance_switched_on(&self, now: TimeMs) -> Result<u64, LedgerError> {
        let mut queued: u64 = 0;
        loop {
            let mut transaction = self.begin().await?;
            let accounts: Vec<Uuid> = sqlx::query_scalar(
                "UPDATE mails SET held_reason = 'switched_on_again' WHERE mail_id IN (SELECT mail_id FROM mails \
                 WHERE state = 'held_back' AND held_reason = 'switched_off' AND kind = 'low_balance' \
                 ORDER BY mail_id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING account_id",
            )
            .bind(AT_ONCE)
            .fetch_all(&mut *transaction)
            .await?;
            if accounts.is_empty() {
                return Ok(queued);
            }
            queued = queued.saturating_add(queue_low_balance(&mut transaction, &accounts, now, None).await?);
            commit(transaction).await?;
        }
    }
}
