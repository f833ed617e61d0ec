//! Rows that stand on several of the operators' pages: activity, mails, deliveries, letters.

use ledger::mails::MailView;
use ledger::stripe::{DeliveryState, StoredDelivery};
use ledger::{ActivityLine, DeadLetter};
use metering::{AccountId, Status};
use serde_json::Value;

use super::account::path;
use super::deeds::deliveries;
use crate::activity::details::{self, Detail};
use crate::activity::words;
use crate::operator::diagnosis::{self, Trouble};
use crate::operator::plain;
use crate::pages::when::When;
use crate::show;

/// Longer values are cut in rows; the API has them whole.
const VALUE_LETTERS: usize = 400;

/// A word on a ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    pub word: &'static str,
    pub tone: &'static str,
}

/// Where an account stands.
pub fn status_badge(status: Status) -> Badge {
    let tone = match status {
        Status::Trial | Status::Active | Status::Approved => "good",
        Status::Pending => "warn",
        Status::PaymentFailed | Status::Suspended => "bad",
    };
    Badge { word: show::status(status), tone }
}

/// Something that happened.
pub struct ActivityRow {
    pub at: When,
    pub actor: String,
    pub what: String,
    pub subject: String,
    pub reason: String,
    pub details: Vec<Detail>,
    /// Whose, with where it is shown.
    pub account: Option<(String, String)>,
}

impl From<ActivityLine> for ActivityRow {
    fn from(line: ActivityLine) -> Self {
        Self {
            at: When::instant(line.at),
            actor: plain::line(words::actor(&line.actor)),
            what: plain::line(&words::sentence(&line)),
            subject: line.subject.as_deref().map(plain::line).unwrap_or_default(),
            reason: plain::line(&line.reason),
            details: details::of(&line).iter().map(plainly).collect(),
            account: line.account.map(|account| (account.to_string(), path(account))),
        }
    }
}

/// A value as it can be shown, cut where it is long.
fn plainly(detail: &Detail) -> Detail {
    let shown = |text: &str| shortened(&plain::line(text));
    Detail { name: plain::line(&detail.name), before: shown(&detail.before), after: shown(&detail.after) }
}

fn shortened(text: &str) -> String {
    let (text, more) = plain::cut(text, VALUE_LETTERS);
    if more { text + "…" } else { text }
}

/// JSON in one line, cut where it is long.
pub fn value(value: &Value) -> String {
    shortened(&plain::line(&value.to_string()))
}

/// A mail, and where its trouble is.
pub struct MailRow {
    pub mail: u64,
    pub queued: When,
    pub kind: String,
    pub state: String,
    pub to: String,
    pub trouble: &'static str,
    pub tone: &'static str,
    pub says: String,
    pub account: (String, String),
}

impl From<&MailView> for MailRow {
    fn from(mail: &MailView) -> Self {
        let (trouble, says) = diagnosis::of(mail);
        let to = if mail.addresses.is_empty() {
            mail.address.as_deref().unwrap_or("nobody yet").to_owned()
        } else {
            mail.addresses.join(", ")
        };
        Self {
            mail: mail.mail,
            queued: When::instant(mail.queued_at),
            kind: mail.kind.as_str().replace('_', " "),
            state: mail.state.as_str().replace('_', " "),
            to: plain::line(&to),
            trouble: if trouble == Trouble::None { "" } else { trouble.name() },
            tone: trouble.tone(),
            says: plain::line(&says),
            account: (mail.account.to_string(), path(mail.account)),
        }
    }
}

/// A delivery of Stripe's.
pub struct DeliveryRow {
    pub href: String,
    pub event: String,
    pub kind: String,
    pub received: When,
    pub state: &'static str,
    pub tone: &'static str,
    /// Why it is where it is.
    pub because: String,
    pub account: Option<(String, String)>,
}

impl From<&StoredDelivery> for DeliveryRow {
    fn from(stored: &StoredDelivery) -> Self {
        Self {
            href: deliveries::path(&stored.delivery.event),
            event: plain::line(&stored.delivery.event),
            kind: plain::line(&stored.delivery.kind),
            received: When::instant(stored.received_at),
            state: stored.state.as_str(),
            tone: delivery_tone(stored.state),
            because: because(stored),
            account: stored.account.map(|account| (account.to_string(), path(account))),
        }
    }
}

pub const fn delivery_tone(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Applied => "good",
        DeliveryState::Waiting => "warn",
        DeliveryState::Parked => "bad",
        DeliveryState::Ignored | DeliveryState::Resolved => "",
    }
}

/// Why it is where it is, where that needs saying.
pub fn because(stored: &StoredDelivery) -> String {
    match (&stored.parked, &stored.postponed) {
        (Some(why), _) => plain::line(&format!("{}: {}", why.code, why.detail)),
        (None, Some(why)) if stored.applied_at.is_none() => plain::line(&format!("put off: {why}")),
        _ => String::new(),
    }
}

/// A dead letter.
pub struct LetterRow {
    pub letter: String,
    pub kind: String,
    pub credits: String,
    pub reason: String,
    pub state: String,
    pub tone: &'static str,
    pub parked: When,
    /// Parked only because an earlier one of its account is.
    pub follows: bool,
    /// Live state was built anew without it.
    pub superseded: bool,
    pub account: Option<(String, String)>,
}

impl From<DeadLetter> for LetterRow {
    fn from(letter: DeadLetter) -> Self {
        Self {
            letter: letter.letter.to_string(),
            kind: plain::line(&letter.kind),
            credits: letter.credits.map(show::credits).unwrap_or_default(),
            reason: plain::line(&letter.reason),
            tone: if letter.state == "open" { "bad" } else { "" },
            state: letter.state,
            parked: When::instant(letter.parked_at),
            follows: letter.follows,
            superseded: letter.superseded,
            account: letter.account.map(|account| (account.to_string(), path(account))),
        }
    }
}

/// An account that a list is narrowed to, as it was typed; empty = all.
pub fn account(text: Option<&str>) -> Result<Option<AccountId>, crate::refusal::Refusal> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let account = text.map(str::parse::<AccountId>).transpose();
    account.map_err(|_| crate::refusal::Refusal::bad_request("`account` is an account's id: acct_ and 32 digits."))
}
