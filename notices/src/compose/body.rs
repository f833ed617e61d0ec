//! What a mail of each kind says, out of the values that it was queued with.

use ledger::mails::MailKind;
use metering::TimeMs;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::words::{Moment, Number, PRODUCT_CHARS_MAX, one_line};

/// Most lots that a mail names; how many more there are it says in words.
const LOTS_NAMED: usize = 3;

/// The values of a mail are not those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the values of the mail are not those of its kind")]
pub struct Unreadable;

/// What a mail says.
pub enum Body {
    TrialStarted,
    /// The plan is active; `again` = after a payment had failed.
    PlanActive {
        again: bool,
    },
    PaymentFailed,
    PlanEnded,
    CreditsGranted {
        credits: Number,
        product: String,
        expires_at: Moment,
    },
    TrialEnding {
        at: Moment,
    },
    ActionRequired,
    LowBalance(Low),
}

/// A balance that is low.
pub struct Low {
    pub remaining: Number,
    pub original: Number,
    /// What of a hundred is left, rounded down.
    pub percent_left: u64,
    pub percent: u64,
    pub as_of: Moment,
    /// Lots that expire next, with what is left of them.
    pub ahead: Vec<(Number, Moment)>,
    /// How many more there are.
    pub further: u64,
}

#[derive(Deserialize)]
struct Granted {
    credits: u64,
    product: String,
    expires_at: TimeMs,
}

#[derive(Deserialize)]
struct Ending {
    trial_end: TimeMs,
}

#[derive(Deserialize)]
struct RawLow {
    remaining: u64,
    original: u64,
    percent: u64,
    as_of: TimeMs,
    ahead: Vec<RawLot>,
}

#[derive(Deserialize)]
struct RawLot {
    expires_at: TimeMs,
    remaining: u64,
}

impl Body {
    pub fn read(kind: MailKind, detail: &Value) -> Result<Self, Unreadable> {
        Ok(match kind {
            MailKind::TrialStarted => Self::TrialStarted,
            MailKind::PlanActive => Self::PlanActive { again: detail["from"] == "payment_failed" },
            MailKind::PaymentFailed => Self::PaymentFailed,
            MailKind::PlanEnded => Self::PlanEnded,
            MailKind::CreditsGranted => {
                let Granted { credits, product, expires_at } = values(detail)?;
                let product = one_line(&product, PRODUCT_CHARS_MAX);
                Self::CreditsGranted { credits: Number(credits), product, expires_at: Moment(expires_at) }
            }
            MailKind::TrialEnding => Self::TrialEnding { at: Moment(values::<Ending>(detail)?.trial_end) },
            MailKind::ActionRequired => Self::ActionRequired,
            MailKind::LowBalance => Self::LowBalance(Low::of(values(detail)?)),
        })
    }

    /// What it says, in a line: its heading, and the middle of its subject.
    pub fn title(&self) -> String {
        match self {
            Self::TrialStarted => "The trial has begun".to_owned(),
            Self::PlanActive { again: false } => "The plan is active".to_owned(),
            Self::PlanActive { again: true } => "Payment arrived: the plan is active again".to_owned(),
            Self::PaymentFailed => "A payment failed".to_owned(),
            Self::PlanEnded => "The plan has ended".to_owned(),
            Self::CreditsGranted { credits, .. } => format!("{credits} {} granted", credits.credits()),
            Self::TrialEnding { at } => format!("The trial ends on {}", at.day()),
            Self::ActionRequired => "A payment waits for you to confirm it".to_owned(),
            Self::LowBalance(low) => format!("{} of {} credits left", low.remaining, low.original),
        }
    }
}

impl Low {
    fn of(raw: RawLow) -> Self {
        let RawLow { remaining, original, percent, as_of, ahead } = raw;
        let percent_left = u128::from(remaining) * 100 / u128::from(original.max(1));
        let further = u64::try_from(ahead.len().saturating_sub(LOTS_NAMED)).unwrap_or(u64::MAX);
        let named = ahead.into_iter().take(LOTS_NAMED);
        Self {
            remaining: Number(remaining),
            original: Number(original),
            percent_left: u64::try_from(percent_left).unwrap_or(100),
            percent,
            as_of: Moment(as_of),
            ahead: named.map(|lot| (Number(lot.remaining), Moment(lot.expires_at))).collect(),
            further,
        }
    }
}

fn values<T: for<'a> Deserialize<'a>>(detail: &Value) -> Result<T, Unreadable> {
    T::deserialize(detail).map_err(|_| Unreadable)
}
