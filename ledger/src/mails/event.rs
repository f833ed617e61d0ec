//! One fact about a mail: said once, kept for good.

use metering::TimeMs;
use serde::Serialize;
use sqlx::{FromRow, PgConnection};

use crate::LedgerError;
use crate::columns::{Stamp, stamp, time};
use crate::words::words;

/// Most letters of a text that somebody else wrote.
const TEXT_CHARS_MAX: usize = 2_000;

words! {
    /// What happened to a mail.
    EventKind, "kind of a mail's event",
    /// It was queued; also anew, when a reason to hold it back was gone.
    Queued => "queued",
    /// It was not sent, because it was not to be.
    HeldBack => "held_back",
    /// It was not taken and is tried again.
    PutOff => "put_off",
    /// The mail server took it.
    Sent => "sent",
    /// It was not taken, and is not tried again.
    Failed => "failed",
    /// The provider says that it arrived.
    Delivered => "delivered",
    /// The provider says that it is not there yet.
    Delayed => "delayed",
    /// An address does not take it.
    Bounced => "bounced",
    /// Somebody who got it does not want it.
    Complained => "complained",
    /// It was not sent to an address that nothing is sent to any more.
    Suppressed => "suppressed",
    /// It may have arrived or not.
    Unknown => "unknown",
    /// An operator had it sent again.
    Resent => "resent",
}

/// One fact about a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailEvent {
    /// When, by whoever says it.
    pub at: TimeMs,
    /// What happened.
    pub what: EventKind,
    /// To which address; `None` where it is about all of them.
    pub address: Option<String>,
    /// A stable word for why, as `settings_off`.
    pub code: Option<String>,
    /// In words: a mail server's reply, an operator's reason.
    pub detail: Option<String>,
    /// The operator, where one did it.
    pub actor: Option<String>,
    /// The provider, where one told it.
    pub provider: Option<String>,
}

/// An event as it is written.
#[derive(Default)]
pub(super) struct NewEvent<'a> {
    pub(super) mail: Option<i64>,
    pub(super) address: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    pub(super) detail: Option<&'a str>,
    pub(super) actor: Option<&'a str>,
    /// Who tells it, and its number there.
    pub(super) provider: Option<(&'a str, &'a str)>,
    pub(super) message: Option<&'a str>,
    /// When it happened, where that is not now.
    pub(super) at: Option<TimeMs>,
}

impl NewEvent<'_> {
    /// Writes it; false where its provider has told it before.
    pub(super) async fn write(
        self,
        connection: &mut PgConnection,
        what: EventKind,
        now: TimeMs,
    ) -> Result<bool, LedgerError> {
        let rows = sqlx::query(include_str!("../../queries/mail_insert_event.sql"))
            .bind(self.mail)
            .bind(what.as_str())
            .bind(self.address.map(short))
            .bind(self.code.map(short))
            .bind(self.detail.map(short))
            .bind(self.actor)
            .bind(self.provider.map(|(provider, _)| provider))
            .bind(self.provider.map(|(_, event)| event))
            .bind(self.message.map(short))
            .bind(stamp(self.at.unwrap_or(now))?)
            .bind(stamp(now)?)
            .execute(connection)
            .await?
            .rows_affected();
        Ok(rows > 0)
    }
}

/// A text of others: cut where it gets long, in one line, without what Postgres does not store.
pub(super) fn short(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(TEXT_CHARS_MAX)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[derive(FromRow)]
pub(super) struct RawEvent {
    pub(super) mail_id: i64,
    what: String,
    address: Option<String>,
    code: Option<String>,
    detail: Option<String>,
    actor: Option<String>,
    provider: Option<String>,
    at: Stamp,
}

impl TryFrom<RawEvent> for MailEvent {
    type Error = LedgerError;

    fn try_from(raw: RawEvent) -> Result<Self, LedgerError> {
        Ok(Self {
            at: time(raw.at)?,
            what: EventKind::try_from(raw.what.as_str())?,
            address: raw.address,
            code: raw.code,
            detail: raw.detail,
            actor: raw.actor,
            provider: raw.provider,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_one_line_and_not_long() {
        assert_eq!(short("550 no\r\n550 such\0 user "), "550 no  550 such  user");
        assert_eq!(short(&"ü".repeat(3_000)).chars().count(), TEXT_CHARS_MAX);
    }
}
