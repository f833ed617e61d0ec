//! Evidence of providers: each fact once, in any order, late or repeated.
//!
//! A mail's state is the worst that is known of any of its addresses: delivered gives way to bounced, bounced to complained, and never back.

use std::collections::BTreeSet;

use metering::{AccountId, TimeMs};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::MailState;
use super::address::fold_address;
use super::event::{EventKind, NewEvent, short};
use super::suppressions::{New, SuppressionReason};
use crate::change::By;
use crate::columns::count;
use crate::pool::commit;
use crate::{Ledger, LedgerError};

/// Providers' numbers are far shorter.
const EVENT_BYTES_MAX: usize = 255;
/// A report that names more messages is about none.
const MESSAGES_MAX: usize = 16;

/// What a provider says about a message and one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailReport {
    /// Who says it: `generic`, `ses`, `dsn`.
    pub provider: String,
    /// Its number there, the same each time it is delivered.
    pub event: String,
    /// How the message is named: its Message-ID, or the id that the provider gave it. Any of them will do.
    pub messages: Vec<String>,
    /// Delivered, delayed, bounced for good, or complained.
    pub what: EventKind,
    /// The address it is about.
    pub address: Option<String>,
    /// When it happened.
    pub at: TimeMs,
    /// The provider's own word for it.
    pub code: Option<String>,
    /// In words.
    pub detail: Option<String>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It was new.
    New {
        /// The mail; `None` where the message is none of ours.
        mail: Option<u64>,
        /// Whether nothing is sent to its address from now on.
        suppressed: bool,
    },
    /// It was told before.
    Known,
}

#[derive(FromRow)]
struct RawMail {
    mail_id: i64,
    account_id: Uuid,
    addresses: Vec<String>,
}

impl Ledger {
    /// Records what a provider says, each fact once, all of them or none. A mail that bounced for good, or whose recipient complained, puts its
    /// address on the list. What is about a message that is none of ours is kept and changes nothing: whoever sends other mails through the
    /// same provider must not silence ours.
    pub async fn record_mail_reports(&self, reports: &[MailReport], now: TimeMs) -> Result<Vec<Reported>, LedgerError> {
        let mut transaction = self.begin().await?;
        let mut reported = Vec::with_capacity(reports.len());
        for report in reports {
            reported.push(record(&mut transaction, report, now).await?);
        }
        commit(transaction).await?;
        Ok(reported)
    }
}

async fn record(connection: &mut PgConnection, report: &MailReport, now: TimeMs) -> Result<Reported, LedgerError> {
    check(report)?;
    let mail = find(&mut *connection, &report.messages).await?;
    let is_new = NewEvent {
        mail: mail.as_ref().map(|mail| mail.mail_id),
        address: report.address.as_deref(),
        code: report.code.as_deref(),
        detail: report.detail.as_deref(),
        provider: Some((&report.provider, &report.event)),
        message: report.messages.first().map(String::as_str),
        at: Some(report.at),
        ..NewEvent::default()
    };
    if !is_new.write(&mut *connection, report.what, now).await? {
        return Ok(Reported::Known);
    }
    let Some(mail) = mail else { return Ok(Reported::New { mail: None, suppressed: false }) };
    if let Some((state, from)) = follows(report.what) {
        sqlx::query("UPDATE mails SET state = $2 WHERE mail_id = $1 AND state = ANY ($3)")
            .bind(mail.mail_id)
            .bind(state.as_str())
            .bind(from)
            .execute(&mut *connection)
            .await?;
    }
    let suppressed = suppress(&mut *connection, report, &mail, now).await?;
    Ok(Reported::New { mail: Some(count(mail.mail_id)?), suppressed })
}

fn check(report: &MailReport) -> Result<(), LedgerError> {
    if report.event.is_empty() || report.event.len() > EVENT_BYTES_MAX || report.event.contains('\0') {
        return Err(LedgerError::Invalid(format!("the number of a provider's event has 1 to {EVENT_BYTES_MAX} bytes")));
    }
    if report.messages.is_empty() || report.messages.len() > MESSAGES_MAX {
        return Err(LedgerError::Invalid(format!("a report names 1 to {MESSAGES_MAX} messages")));
    }
    Ok(())
}

/// The state that a fact leads to, and those it leads from. A mail that waits to be sent again is not touched: what comes is about the last time.
const fn follows(what: EventKind) -> Option<(MailState, &'static [&'static str])> {
    match what {
        EventKind::Delivered => Some((MailState::Delivered, &["sending", "sent", "unknown"])),
        EventKind::Bounced => Some((MailState::Bounced, &["sending", "sent", "unknown", "delivered"])),
        EventKind::Complained => Some((MailState::Complained, &["sending", "sent", "unknown", "delivered", "bounced"])),
        _ => None,
    }
}

/// The mail that a report is about: by the left part of our own Message-ID, or by the id that its server named when it took it.
async fn find(connection: &mut PgConnection, messages: &[String]) -> Result<Option<RawMail>, LedgerError> {
    let mut names = BTreeSet::new();
    for message in messages {
        let bare = short(message.trim().trim_start_matches('<').trim_end_matches('>'));
        if let Some((left, _)) = bare.split_once('@') {
            names.insert(left.to_owned());
        }
        names.insert(bare);
    }
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let found: Vec<RawMail> = sqlx::query_as(
        "SELECT mail_id, account_id, addresses FROM mails WHERE message_id = ANY ($1) OR provider_id = ANY ($1) \
         ORDER BY mail_id LIMIT 2",
    )
    .bind(&names)
    .fetch_all(connection)
    .await?;
    let mut found = found.into_iter();
    // Names of two mails are a muddle, and about none.
    Ok(found.next().filter(|_| found.next().is_none()))
}

/// Puts the address on the list, if it is one the mail went to. A mail to one address alone is about that one, whatever the provider calls it:
/// it may have been forwarded.
async fn suppress(
    connection: &mut PgConnection,
    report: &MailReport,
    mail: &RawMail,
    now: TimeMs,
) -> Result<bool, LedgerError> {
    let reason = match report.what {
        EventKind::Bounced => SuppressionReason::Bounced,
        EventKind::Complained => SuppressionReason::Complained,
        _ => return Ok(false),
    };
    let named = report.address.as_deref().map(fold_address);
    let address = match mail.addresses.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|address| named.as_ref().is_some_and(|named| fold_address(address) == *named)),
    };
    let Some(address) = address else { return Ok(false) };
    let detail = report.detail.as_deref().or(report.code.as_deref()).unwrap_or_default();
    let by = By { actor: report.provider.clone(), reason: format!("mail {}: {}", mail.mail_id, report.what), at: now };
    let account = Some(AccountId::from_uuid(mail.account_id));
    New { address, reason, detail, mail: Some(mail.mail_id), account }.write(connection, &by).await
}
