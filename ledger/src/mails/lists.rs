//! Mails for people: lists, one in full with its evidence, and sent again.

use std::collections::BTreeMap;

use metering::{AccountId, TimeMs};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::event::{EventKind, MailEvent, NewEvent, RawEvent};
use super::{MailKind, MailState};
use crate::change::{Audit, By};
use crate::columns::{Stamp, attempts, bigint, count, maybe_time, stamp, time};
use crate::pool::commit;
use crate::{Ledger, LedgerError, Subject};

/// Most mails of one page.
pub const MAILS_A_LIST: u32 = 200;
/// Most events of one mail that are shown: far more than a mail has.
const EVENTS_MAX: i64 = 500;

/// Which mails are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailFilter {
    /// About this account only.
    pub account: Option<AccountId>,
    /// In these states only; empty = in any.
    pub states: Vec<MailState>,
    /// The page after this mail: older ones.
    pub after: Option<u64>,
    /// At most so many, and no more than `MAILS_A_LIST`.
    pub limit: u32,
}

/// A mail with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailView {
    /// Its number.
    pub mail: u64,
    /// About whom.
    pub account: AccountId,
    /// What it says.
    pub kind: MailKind,
    /// The values that it names.
    pub detail: Value,
    /// Where it was queued to; the account's settings may say otherwise.
    pub address: Option<String>,
    /// Whom it was handed over for the last time.
    pub addresses: Vec<String>,
    /// How far it is.
    pub state: MailState,
    /// Left part of its Message-ID.
    pub message_id: String,
    /// When it was queued.
    pub queued_at: TimeMs,
    /// When it is tried next, while it waits.
    pub next_try_at: Option<TimeMs>,
    /// Tries since it was queued the last time.
    pub attempts: u32,
    /// What was in its way the last time.
    pub last_error: Option<String>,
    /// Why it was held back, now or before.
    pub held_reason: Option<String>,
    /// When it was handed over.
    pub handed_over_at: Option<TimeMs>,
    /// What happened to it, as it was recorded.
    pub evidence: Vec<MailEvent>,
}

#[derive(FromRow)]
struct RawMail {
    mail_id: i64,
    account_id: Uuid,
    address: Option<String>,
    kind: String,
    detail: Value,
    state: String,
    message_id: String,
    addresses: Vec<String>,
    attempts: i32,
    next_try_at: Stamp,
    last_error: Option<String>,
    held_reason: Option<String>,
    queued_at: Stamp,
    handed_over_at: Option<Stamp>,
}

impl Ledger {
    /// Mails that a filter lets through, latest first, each with its evidence.
    pub async fn mails(&self, filter: &MailFilter) -> Result<Vec<MailView>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, filter, None).await
    }

    /// One mail.
    pub async fn mail(&self, mail: u64) -> Result<MailView, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let filter = MailFilter { limit: 1, ..MailFilter::default() };
        let found = read(&mut connection, &filter, Some(mail)).await?;
        found.into_iter().next().ok_or_else(|| LedgerError::not_found(Subject::Mail, &mail))
    }

    /// Has a mail sent again, under the same Message-ID, as settings, addresses and the list of suppressions are by then. One that waits or
    /// is being handed over is refused: it is on its way.
    pub async fn resend_mail(&self, mail: u64, by: &By) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        let found: Option<(Uuid, String)> =
            sqlx::query_as("SELECT account_id, state FROM mails WHERE mail_id = $1 FOR UPDATE")
                .bind(bigint(mail)?)
                .fetch_optional(&mut *transaction)
                .await?;
        let (account, state) = found.ok_or_else(|| LedgerError::not_found(Subject::Mail, &mail))?;
        let (account, state) = (AccountId::from_uuid(account), MailState::try_from(state.as_str())?);
        if matches!(state, MailState::Queued | MailState::Sending) {
            // Now, and not when the connection is used next: whoever looks for mails to hand over or to give up skips rows that are locked.
            transaction.rollback().await?;
            return Err(LedgerError::MailUnderWay { mail, state });
        }
        sqlx::query(
            "UPDATE mails SET state = 'queued', turn = turn + 1, attempts = 0, next_try_at = $2, last_error = NULL \
             WHERE mail_id = $1",
        )
        .bind(bigint(mail)?)
        .bind(stamp(by.at)?)
        .execute(&mut *transaction)
        .await?;
        let number = Some(bigint(mail)?);
        let (actor, detail) = (Some(by.actor.as_str()), Some(by.reason.as_str()));
        let event = NewEvent { mail: number, actor, detail, ..NewEvent::default() };
        event.write(&mut transaction, EventKind::Resent, by.at).await?;
        let (before, after) = (Some(json!({ "state": state })), json!({ "state": MailState::Queued }));
        let subject = Some(format!("mail {mail}"));
        Audit { by, action: "mail_resent", account, subject, before, after }.write(&mut transaction).await?;
        commit(transaction).await
    }
}

async fn read(
    connection: &mut PgConnection,
    filter: &MailFilter,
    only: Option<u64>,
) -> Result<Vec<MailView>, LedgerError> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let rows: Vec<RawMail> = sqlx::query_as(include_str!("../../queries/mails.sql"))
        .bind(filter.account.map(|account| account.as_uuid()))
        .bind((!states.is_empty()).then_some(states))
        .bind(filter.after.map(bigint).transpose()?)
        .bind(only.map(bigint).transpose()?)
        .bind(i64::from(filter.limit.min(MAILS_A_LIST)))
        .fetch_all(&mut *connection)
        .await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.mail_id).collect();
    let mut evidence = evidence_of(connection, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let events = evidence.remove(&row.mail_id).unwrap_or_default();
            view(row, events)
        })
        .collect()
}

async fn evidence_of(
    connection: &mut PgConnection,
    mails: &[i64],
) -> Result<BTreeMap<i64, Vec<MailEvent>>, LedgerError> {
    let rows: Vec<RawEvent> = sqlx::query_as(include_str!("../../queries/mail_events.sql"))
        .bind(mails)
        .bind(EVENTS_MAX)
        .fetch_all(connection)
        .await?;
    let mut evidence: BTreeMap<i64, Vec<MailEvent>> = BTreeMap::new();
    for row in rows {
        evidence.entry(row.mail_id).or_default().push(MailEvent::try_from(row)?);
    }
    Ok(evidence)
}

fn view(raw: RawMail, evidence: Vec<MailEvent>) -> Result<MailView, LedgerError> {
    let state = MailState::try_from(raw.state.as_str())?;
    let (queued_at, next_try_at) = (time(raw.queued_at)?, time(raw.next_try_at)?);
    Ok(MailView {
        mail: count(raw.mail_id)?,
        account: AccountId::from_uuid(raw.account_id),
        kind: MailKind::try_from(raw.kind.as_str())?,
        detail: raw.detail,
        address: raw.address,
        addresses: raw.addresses,
        state,
        message_id: raw.message_id,
        queued_at,
        next_try_at: (state == MailState::Queued).then_some(next_try_at.max(queued_at)),
        attempts: attempts(raw.attempts)?,
        last_error: raw.last_error,
        held_reason: raw.held_reason,
        handed_over_at: maybe_time(raw.handed_over_at)?,
        evidence,
    })
}
