//! A delivery of Stripe as the book keeps it: its bytes, how far it is, and why it waits for an operator.

use metering::{AccountId, TimeMs};
use serde::Serialize;

use crate::By;
use crate::words::words;

/// Most bytes of a delivery's body. Stripe's are some kilobytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// One delivery, verified: what Stripe says happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Stripe's id of the event; the same event is recorded once.
    pub event: String,
    /// Its type, as `invoice.paid`.
    pub kind: String,
    /// The API version whose shapes its object has.
    pub api_version: Option<String>,
    /// Whether it is of live mode, not of test mode.
    pub live: bool,
    /// When it happened, by Stripe's clock.
    pub created: TimeMs,
    /// The bytes as they came; at most [`BODY_BYTES_MAX`]. Empty in lists.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl Delivery {
    /// Who changes the book because of it, for the audit.
    #[must_use]
    pub fn by(&self, at: TimeMs) -> By {
        By { actor: "stripe".to_owned(), reason: format!("{} {}", self.event, self.kind), at }
    }
}

/// Whether a delivery was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It was recorded now.
    New,
    /// Its event was recorded before: nothing was written.
    Known,
}

words! {
    /// How far a delivery is.
    DeliveryState, "state of a delivery",
    /// It is still to be applied.
    Waiting => "waiting",
    /// What it says is in the book.
    Applied => "applied",
    /// It is of a type that nobody acts on.
    Ignored => "ignored",
    /// It can't be applied; an operator decides.
    Parked => "parked",
    /// An operator has decided that nothing is to be done.
    Resolved => "resolved",
}

/// Why a delivery was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parking {
    /// A stable word, as `amount_mismatch`.
    pub code: String,
    /// The same for people, with the values that differ.
    pub detail: String,
}

impl Parking {
    /// A reason to set a delivery aside.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// A delivery with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredDelivery {
    /// What came.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// How far it is.
    pub state: DeliveryState,
    /// Why it is parked, or was before it was resolved.
    pub parked: Option<Parking>,
    /// How often it was claimed.
    pub attempts: u32,
    /// Why it was put off the last time.
    pub postponed: Option<String>,
    /// When it came.
    pub received_at: TimeMs,
    /// When it was applied, ignored, parked or resolved.
    pub applied_at: Option<TimeMs>,
    /// Whom it was about, once that is known.
    pub account: Option<AccountId>,
    /// Not to be claimed before.
    pub next_at: TimeMs,
}

impl StoredDelivery {
    /// Where the page after this delivery begins.
    #[must_use]
    pub fn cursor(&self) -> DeliveryCursor {
        DeliveryCursor { received_at: self.received_at, event: self.delivery.event.clone() }
    }
}

/// Where a page of deliveries begins: after the one it was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCursor {
    /// When that came.
    pub received_at: TimeMs,
    /// Its event.
    pub event: String,
}

/// Which deliveries to list, latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only those that are so far.
    pub state: Option<DeliveryState>,
    /// Only those of this type.
    pub kind: Option<String>,
    /// Only those about this account.
    pub account: Option<AccountId>,
    /// Only those after this one in the list.
    pub before: Option<DeliveryCursor>,
    /// At most so many.
    pub limit: u32,
}
