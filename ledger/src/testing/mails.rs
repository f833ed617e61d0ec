//! What only tests ask of mails: those that wait, what is about none of ours, and looks at balances without a roll-up.

use metering::{AccountId, TimeMs};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Ids, Stamp, bigint, count, time};
use crate::mails::{EventKind, MailKind, Rearm, queue_low_balance};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// A mail that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// Its number.
    pub mail: u64,
    /// About whom.
    pub account: AccountId,
    /// Where to; `None` where nobody's address is known.
    pub address: Option<String>,
    /// What it says.
    pub kind: MailKind,
    /// The values that it names.
    pub detail: Value,
    /// No two mails have the same.
    pub dedupe_key: String,
    /// When it was queued.
    pub queued_at: TimeMs,
}

/// A fact about a message that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayMailEvent {
    /// Its number here; the next page begins after it.
    pub number: u64,
    /// Who told it.
    pub provider: Option<String>,
    /// What.
    pub what: EventKind,
    /// How the message was named.
    pub message: String,
    /// The address it is about.
    pub address: Option<String>,
    /// When.
    pub at: TimeMs,
}

#[derive(FromRow)]
struct RawMail {
    mail_id: i64,
    account_id: Uuid,
    address: Option<String>,
    kind: String,
    detail: Value,
    dedupe_key: String,
    queued_at: Stamp,
}

impl Ledger {
    /// Mails that wait to be sent, in the order in which they were queued, after one.
    pub async fn queued_mails(&self, after: u64, limit: u32) -> Result<Vec<QueuedMail>, LedgerError> {
        let rows: Vec<RawMail> = sqlx::query_as(
            "SELECT mail_id, account_id, address, kind, detail, dedupe_key, queued_at FROM mails WHERE mail_id > $1 \
             AND state = 'queued' ORDER BY mail_id LIMIT $2",
        )
        .bind(bigint(after)?)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(QueuedMail::try_from).collect()
    }

    /// Facts about messages that are none of ours, latest first, after one.
    pub async fn stray_mail_events(&self, after: Option<u64>, limit: u32) -> Result<Vec<StrayMailEvent>, LedgerError> {
        type Row = (i64, Option<String>, String, Option<String>, Option<String>, Stamp);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT mail_event_id, provider, what, message_id, address, at FROM mail_events \
             WHERE mail_id IS NULL AND ($1::bigint IS NULL OR mail_event_id < $1) ORDER BY mail_event_id DESC LIMIT $2",
        )
        .bind(after.map(bigint).transpose()?)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let events = rows.into_iter().map(|(number, provider, what, message, address, at)| {
            Ok(StrayMailEvent {
                number: count(number)?,
                provider,
                what: EventKind::try_from(what.as_str())?,
                message: message.unwrap_or_default(),
                address,
                at: time(at)?,
            })
        });
        events.collect()
    }

    /// Queues low-balance mails for accounts that are low and were not told yet: what the roll-up does for those that drew.
    pub async fn queue_low_balance_mails(
        &self,
        accounts: &[AccountId],
        now: TimeMs,
        rearm: Option<Rearm>,
    ) -> Result<u64, LedgerError> {
        let mut transaction = self.begin().await?;
        let queued = queue_low_balance(&mut transaction, &accounts.uuids(), now, rearm).await?;
        commit(transaction).await?;
        Ok(queued)
    }
}

impl TryFrom<RawMail> for QueuedMail {
    type Error = LedgerError;

    fn try_from(raw: RawMail) -> Result<Self, LedgerError> {
        Ok(Self {
            mail: count(raw.mail_id)?,
            account: AccountId::from_uuid(raw.account_id),
            address: raw.address,
            kind: MailKind::try_from(raw.kind.as_str())?,
            detail: raw.detail,
            dedupe_key: raw.dedupe_key,
            queued_at: time(raw.queued_at)?,
        })
    }
}
