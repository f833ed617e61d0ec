//! What happened, for people: changes of the audit, Stripe's deliveries, mails and what became of them; one list, latest first.

mod cursor;

use metering::{AccountId, TimeMs};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

pub use cursor::ActivityCursor;

use crate::columns::{Stamp, count, stamp, time};
use crate::words::words;
use crate::{Ledger, LedgerError, READ_MAX};

words! {
    /// What an activity is about.
    ActivityKind, "kind of an activity",
    /// The account began, or its status changed.
    Status => "status",
    /// A lot was granted, moved or reduced.
    Credits => "credits",
    /// The budget was set.
    Budget => "budget",
    /// An API key was issued, rotated, held to something else or revoked.
    Key => "key",
    /// Sessions were ended.
    Session => "session",
    /// A checkout was opened, a customer of Stripe became known.
    Payment => "payment",
    /// Stripe delivered, or an operator decided about a delivery.
    Delivery => "delivery",
    /// A mail was queued, sent or not; whom mails go to was changed.
    Mail => "mail",
    /// Whatever else operators do.
    Operation => "operation",
}

/// Words of the audit by what they are about; all others are operations.
const ACTIONS: &[(&str, ActivityKind)] = &[
    ("account_created", ActivityKind::Status),
    ("status_set", ActivityKind::Status),
    ("lot_granted", ActivityKind::Credits),
    ("lot_expiry_moved", ActivityKind::Credits),
    ("lot_reduced", ActivityKind::Credits),
    ("budget_set", ActivityKind::Budget),
    ("key_issued", ActivityKind::Key),
    ("key_rotated", ActivityKind::Key),
    ("key_policy_set", ActivityKind::Key),
    ("key_revoked", ActivityKind::Key),
    ("sessions_ended", ActivityKind::Session),
    ("checkout_opened", ActivityKind::Payment),
    ("stripe_customer_linked", ActivityKind::Payment),
    ("delivery_replayed", ActivityKind::Delivery),
    ("delivery_resolved", ActivityKind::Delivery),
    ("notice_settings_set", ActivityKind::Mail),
    ("address_suppressed", ActivityKind::Mail),
    ("address_unsuppressed", ActivityKind::Mail),
    ("mail_resent", ActivityKind::Mail),
];

/// Which activities to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Only these; empty = all.
    pub kinds: Vec<ActivityKind>,
    /// Only from then on.
    pub from: Option<TimeMs>,
    /// Only before then.
    pub until: Option<TimeMs>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivityLine {
    /// When.
    pub at: TimeMs,
    /// What it is about.
    pub kind: ActivityKind,
    /// Who: a person, `stripe`, the provider of mails, `tollgate`.
    pub actor: String,
    /// What, as `budget_set`, `invoice.paid`, `mail_sent`.
    pub what: String,
    /// What it was done to: a lot, a key, an event, the number of a mail.
    pub subject: Option<String>,
    /// Why, or what more is known.
    pub reason: String,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so since.
    pub after: Option<Value>,
    /// Whose; `None` where it is nobody's.
    pub account: Option<AccountId>,
    #[serde(skip)]
    cursor: ActivityCursor,
}

impl ActivityLine {
    /// Where the page after this line begins.
    #[must_use]
    pub const fn cursor(&self) -> &ActivityCursor {
        &self.cursor
    }
}

#[derive(FromRow)]
struct RawLine {
    at: Stamp,
    source: i16,
    number: i64,
    event: Option<String>,
    actor: String,
    action: String,
    account_id: Option<Uuid>,
    subject: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    reason: String,
}

impl ActivityFilter {
    fn wants(&self, kind: ActivityKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Words of the audit that are wanted.
    fn actions(&self) -> Vec<&'static str> {
        ACTIONS.iter().filter(|(_, kind)| self.wants(*kind)).map(|(action, _)| *action).collect()
    }
}

impl Ledger {
    /// What happened to an account, or with `None` to all and to none, latest first, at most [`READ_MAX`]; the next page begins at the cursor of
    /// the last line.
    pub async fn activity(
        &self,
        account: Option<AccountId>,
        filter: &ActivityFilter,
        after: Option<&ActivityCursor>,
        limit: u32,
    ) -> Result<Vec<ActivityLine>, LedgerError> {
        let statement = match account {
            Some(_) => include_str!("../queries/activity_of_account.sql"),
            None => include_str!("../queries/activity_of_all.sql"),
        };
        let after = cursor::places(after)?;
        let known: Vec<&str> = ACTIONS.iter().map(|(action, _)| *action).collect();
        // Planned for these values each time, so that no more than a page of each source is read.
        let rows: Vec<RawLine> = sqlx::query_as(statement)
            .persistent(false)
            .bind(account.map(|account| account.as_uuid()))
            .bind(stamp(filter.from.unwrap_or(TimeMs::EPOCH))?)
            .bind(filter.until.map_or(Ok(cursor::end_of_time()), stamp)?)
            .bind(after.audit.0)
            .bind(after.audit.1)
            .bind(after.deliveries.0)
            .bind(after.deliveries.1)
            .bind(after.mails.0)
            .bind(after.mails.1)
            .bind(filter.actions())
            .bind(filter.wants(ActivityKind::Operation))
            .bind(known)
            .bind(filter.wants(ActivityKind::Delivery))
            .bind(filter.wants(ActivityKind::Mail))
            .bind(i64::from(limit.clamp(1, READ_MAX)))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(ActivityLine::try_from).collect()
    }
}

impl TryFrom<RawLine> for ActivityLine {
    type Error = LedgerError;

    fn try_from(raw: RawLine) -> Result<Self, LedgerError> {
        let kind = match raw.source {
            0 => ACTIONS
                .iter()
                .find(|(action, _)| *action == raw.action)
                .map_or(ActivityKind::Operation, |found| found.1),
            1 => ActivityKind::Delivery,
            _ => ActivityKind::Mail,
        };
        let cursor = ActivityCursor::of(raw.at, raw.source, count(raw.number)?, raw.event)?;
        Ok(Self {
            at: time(raw.at)?,
            kind,
            actor: raw.actor,
            what: raw.action,
            subject: raw.subject,
            reason: raw.reason,
            before: raw.before,
            after: raw.after,
            account: raw.account_id.map(AccountId::from_uuid),
            cursor,
        })
    }
}
