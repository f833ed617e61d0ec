//! The sender's side: claimed under a lease, `sending` just before it is handed over, and how that ended.

use std::time::Duration;

use metering::{AccountId, TimeMs};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::event::{EventKind, NewEvent, short};
use super::settings::NoticeSettings;
use super::suppressions::{New, SuppressionReason, account_of};
use super::{MailKind, MailState};
use crate::change::By;
use crate::columns::{Stamp, attempts, bigint, count, stamp, time};
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// The time that an account's rate is counted over.
const RATE_MS: u64 = 3_600_000;
/// Names the locks on accounts' rates among all locks of the database.
const RATE_LOCK: i64 = 0x6d61_696c;
/// Who puts addresses on the list that a mail server does not take.
const BY_SERVER: &str = "mail server";
/// What a refusal of an address for good is called.
const NO_SUCH_ADDRESS: &str = "no_such_address";

/// A mail that is somebody's until its lease is over, or until somebody else has claimed it after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailTurn {
    /// The mail.
    pub mail: u64,
    /// Which claim of it.
    pub turn: u64,
}

/// A mail to be sent, and all that decides whether and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedMail {
    /// The claim.
    pub turn: MailTurn,
    /// Claims since it was queued, this one among them.
    pub attempts: u32,
    /// About whom.
    pub account: AccountId,
    /// What that is called.
    pub account_name: String,
    /// Where its own mails go.
    pub account_email: Option<String>,
    /// Where this one goes, if the account has chosen nothing else.
    pub address: Option<String>,
    /// What the account has chosen.
    pub settings: NoticeSettings,
    /// What it says.
    pub kind: MailKind,
    /// The values that it names.
    pub detail: Value,
    /// Left part of its Message-ID, the same each time.
    pub message_id: String,
    /// When it was queued.
    pub queued_at: TimeMs,
}

/// Whether a mail may be handed over now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// It counts as handed over from now on.
    Begun,
    /// The account has had as many mails as it may in an hour: not before then.
    NotBefore(TimeMs),
    /// It is somebody else's by now, or at its end.
    Lost,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The mail server took it, under an id that it may have named.
    Sent {
        /// The id.
        provider_id: Option<String>,
    },
    /// It was not taken, that is sure; it is tried again then.
    PutOff {
        /// When.
        until: TimeMs,
    },
    /// It was not to be sent; the word says why.
    HeldBack {
        /// A stable word.
        reason: String,
    },
    /// Nothing is sent to any of its addresses.
    Suppressed,
    /// No address takes it.
    Bounced,
    /// It is not tried again.
    Failed,
    /// It may have been taken.
    Unknown,
}

/// Something that happened in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub what: EventKind,
    /// To which address; `None` = to all.
    pub address: Option<String>,
    /// A stable word.
    pub code: String,
    /// In words.
    pub detail: String,
}

impl Fact {
    /// Of all addresses.
    #[must_use]
    pub fn new(what: EventKind, code: &str, detail: impl Into<String>) -> Self {
        Self { what, address: None, code: code.to_owned(), detail: detail.into() }
    }

    /// An address that does not exist: nothing is sent to it any more.
    #[must_use]
    pub fn no_such_address(address: &str, reply: impl Into<String>) -> Self {
        Self::new(EventKind::Bounced, NO_SUCH_ADDRESS, reply).of(address)
    }

    /// Of this address alone.
    #[must_use]
    pub fn of(self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..self }
    }
}

#[derive(FromRow)]
struct RawClaimed {
    mail_id: i64,
    turn: i64,
    attempts: i32,
    account_id: Uuid,
    address: Option<String>,
    kind: String,
    detail: Value,
    message_id: String,
    queued_at: Stamp,
    account_name: String,
    account_email: Option<String>,
    low_balance: bool,
    lifecycle: bool,
    recipients: Vec<String>,
    version: i64,
}

impl Ledger {
    /// Claims mails whose time has come, oldest first: nobody else is given them before `lease` is over. Several workers may ask at once.
    pub async fn claim_mails(&self, limit: u32, lease: Duration, now: TimeMs) -> Result<Vec<ClaimedMail>, LedgerError> {
        let until = now.plus_ms(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)); // a lease of ages is for ever
        let rows: Vec<RawClaimed> = sqlx::query_as(include_str!("../../queries/mail_claim.sql"))
            .bind(stamp(now)?)
            .bind(stamp(until)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ClaimedMail::try_from).collect()
    }

    /// When the account may be sent another mail, at most `per_hour` of them in any hour; `None` = now.
    pub async fn mail_room(
        &self,
        account: AccountId,
        per_hour: u32,
        now: TimeMs,
    ) -> Result<Option<TimeMs>, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        room(&mut connection, account.as_uuid(), per_hour, now).await
    }

    /// Just before a mail is handed over to these addresses: from here on it counts as handed over, and as unknown where nobody has told by
    /// `until` how that ended. Durable before it answers.
    pub async fn begin_handover(
        &self,
        turn: MailTurn,
        addresses: &[String],
        per_hour: u32,
        until: TimeMs,
        now: TimeMs,
    ) -> Result<Handover, LedgerError> {
        let mut transaction = self.begin().await?;
        let held: Option<(Uuid,)> = sqlx::query_as(
            "SELECT account_id FROM mails WHERE mail_id = $1 AND turn = $2 AND state = 'queued' FOR UPDATE",
        )
        .bind(bigint(turn.mail)?)
        .bind(bigint(turn.turn)?)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((account,)) = held else { return Ok(Handover::Lost) };
        // One after the other for an account, so that two workers do not both take its last place.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1::text, $2))")
            .bind(account)
            .bind(RATE_LOCK)
            .execute(&mut *transaction)
            .await?;
        if let Some(not_before) = room(&mut transaction, account, per_hour, now).await? {
            return Ok(Handover::NotBefore(not_before));
        }
        sqlx::query(
            "UPDATE mails SET state = 'sending', addresses = $2, next_try_at = $3, handed_over_at = $4 WHERE mail_id = $1",
        )
        .bind(bigint(turn.mail)?)
        .bind(addresses)
        .bind(stamp(until)?)
        .bind(stamp(now)?)
        .execute(&mut *transaction)
        .await?;
        commit(transaction).await?;
        Ok(Handover::Begun)
    }

    /// Writes down how a turn ended, with all that happened in it. False where the mail was somebody else's by then: what happened is kept all
    /// the same, and changes nothing, but that it was taken is believed also of a mail that counted as unknown.
    pub async fn end_turn(
        &self,
        turn: MailTurn,
        ended: &Ended,
        facts: &[Fact],
        now: TimeMs,
    ) -> Result<bool, LedgerError> {
        let mut transaction = self.begin().await?;
        let is_ours = write_end(&mut transaction, turn, ended, facts).await?;
        for fact in facts {
            note(&mut transaction, turn.mail, fact, now).await?;
        }
        commit(transaction).await?;
        Ok(is_ours)
    }

    /// Puts a mail off without a word about it: for what is no failure, as the account's rate.
    pub async fn let_mail_wait(&self, turn: MailTurn, until: TimeMs, why: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "UPDATE mails SET next_try_at = $3, last_error = $4, attempts = greatest(attempts - 1, 0) \
             WHERE mail_id = $1 AND turn = $2 AND state = 'queued'",
        )
        .bind(bigint(turn.mail)?)
        .bind(bigint(turn.turn)?)
        .bind(stamp(until)?)
        .bind(short(why))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Mails whose hand-over nobody told the end of in time are unknown from now on. Returns which.
    pub async fn lapse_handovers(&self, limit: u32, now: TimeMs) -> Result<Vec<u64>, LedgerError> {
        let lapsed: Vec<i64> = sqlx::query_scalar(include_str!("../../queries/mail_lapse.sql"))
            .bind(stamp(now)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        lapsed.into_iter().map(count).collect()
    }
}

async fn room(
    connection: &mut PgConnection,
    account: Uuid,
    per_hour: u32,
    now: TimeMs,
) -> Result<Option<TimeMs>, LedgerError> {
    let nth: Option<Stamp> = sqlx::query_scalar(include_str!("../../queries/mail_room.sql"))
        .bind(account)
        .bind(i64::from(per_hour.saturating_sub(1)))
        .bind(stamp(now.minus_ms(RATE_MS))?)
        .fetch_optional(connection)
        .await?;
    Ok(nth.map(time).transpose()?.map(|nth| nth.plus_ms(RATE_MS)))
}

/// The mail's new state; whether it was this turn's to change.
async fn write_end(
    connection: &mut PgConnection,
    turn: MailTurn,
    ended: &Ended,
    facts: &[Fact],
) -> Result<bool, LedgerError> {
    let has_bounced = matches!(ended, Ended::Sent { .. })
        && (facts.iter().any(|fact| fact.what == EventKind::Bounced)
            || bounced_before(&mut *connection, turn.mail).await?);
    let last_error = facts.last().map(|fact| short(&fact.detail));
    let (state, from): (MailState, &[&str]) = match ended {
        // The worst that is known of any of its addresses.
        Ended::Sent { .. } if has_bounced => (MailState::Bounced, &["sending", "unknown"]),
        Ended::Sent { .. } => (MailState::Sent, &["sending", "unknown"]),
        Ended::PutOff { .. } => (MailState::Queued, &["queued", "sending"]),
        Ended::HeldBack { .. } => (MailState::HeldBack, &["queued"]),
        Ended::Suppressed => (MailState::Suppressed, &["queued"]),
        Ended::Bounced => (MailState::Bounced, &["queued", "sending"]),
        Ended::Failed => (MailState::Failed, &["queued", "sending"]),
        Ended::Unknown => (MailState::Unknown, &["sending"]),
    };
    let (provider_id, until, reason) = match ended {
        Ended::Sent { provider_id } => (provider_id.as_deref(), None, None),
        Ended::PutOff { until } => (None, Some(*until), None),
        Ended::HeldBack { reason } => (None, None, Some(reason.as_str())),
        _ => (None, None, None),
    };
    let was_taken = matches!(ended, Ended::Sent { .. } | Ended::Unknown);
    let rows = sqlx::query(include_str!("../../queries/mail_end_turn.sql"))
        .bind(bigint(turn.mail)?)
        .bind(bigint(turn.turn)?)
        .bind(state.as_str())
        .bind(from)
        .bind(until.map(stamp).transpose()?)
        .bind(reason)
        .bind(last_error.filter(|_| state != MailState::Sent))
        .bind(was_taken)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if let Some(provider_id) = provider_id {
        sqlx::query("UPDATE mails SET provider_id = $2 WHERE mail_id = $1")
            .bind(bigint(turn.mail)?)
            .bind(short(provider_id))
            .execute(connection)
            .await?;
    }
    Ok(rows > 0)
}

/// Whether an address refused it in an earlier turn, since it was sent again the last time.
async fn bounced_before(connection: &mut PgConnection, mail: u64) -> Result<bool, LedgerError> {
    let bounced = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM mail_events WHERE mail_id = $1 AND what = 'bounced' AND mail_event_id > \
         coalesce((SELECT max(mail_event_id) FROM mail_events WHERE mail_id = $1 AND what = 'resent'), 0))",
    )
    .bind(bigint(mail)?)
    .fetch_one(connection)
    .await?;
    Ok(bounced)
}

async fn note(connection: &mut PgConnection, mail: u64, fact: &Fact, now: TimeMs) -> Result<(), LedgerError> {
    let Fact { what, address, code, detail } = fact;
    let number = Some(bigint(mail)?);
    NewEvent {
        mail: number,
        address: address.as_deref(),
        code: Some(code),
        detail: Some(detail),
        ..NewEvent::default()
    }
    .write(&mut *connection, *what, now)
    .await?;
    let Some(address) = address.as_deref().filter(|_| code == NO_SUCH_ADDRESS) else { return Ok(()) };
    let account = account_of(&mut *connection, Some(mail)).await?;
    let by = By { actor: BY_SERVER.to_owned(), reason: detail.clone(), at: now };
    New { address, reason: SuppressionReason::Bounced, detail, mail: number, account }.write(connection, &by).await?;
    Ok(())
}

impl TryFrom<RawClaimed> for ClaimedMail {
    type Error = LedgerError;

    fn try_from(raw: RawClaimed) -> Result<Self, LedgerError> {
        Ok(Self {
            turn: MailTurn { mail: count(raw.mail_id)?, turn: count(raw.turn)? },
            attempts: attempts(raw.attempts)?,
            account: AccountId::from_uuid(raw.account_id),
            account_name: raw.account_name,
            account_email: raw.account_email,
            address: raw.address,
            settings: NoticeSettings {
                low_balance: raw.low_balance,
                lifecycle: raw.lifecycle,
                recipients: raw.recipients,
                version: count(raw.version)?,
            },
            kind: MailKind::try_from(raw.kind.as_str())?,
            detail: raw.detail,
            message_id: raw.message_id,
            queued_at: time(raw.queued_at)?,
        })
    }
}
