//! What applying effects did, for whoever asked.

use metering::{AccountId, Credits, LotId, Status};
use serde::Serialize;

use super::delivery::Parking;
use super::views::{CheckoutState, MailKind};

/// What became of a delivery's effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are in the book.
    Applied(Vec<Done>),
    /// They can't be applied; nothing of them is in the book, except a reversal whose payment is not known yet.
    Parked(Parking),
    /// The delivery does not wait any more: somebody else has applied, parked or resolved it.
    Already,
    /// They need something that the book does not know yet and will soon: the delivery was put off and stays waiting.
    Postponed(String),
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "done")]
pub enum Done {
    /// A payment granted a lot.
    Granted {
        /// The payment.
        payment: String,
        /// Whose.
        account: AccountId,
        /// The lot.
        lot: LotId,
        /// How many credits.
        credits: Credits,
    },
    /// A payment was recorded, and there was nothing to grant for it.
    NothingToGrant {
        /// The payment.
        payment: String,
    },
    /// A payment was in the book before.
    AlreadyGranted {
        /// The payment.
        payment: String,
        /// The lot that it granted, if it did.
        lot: Option<LotId>,
    },
    /// An account's status changed.
    StatusSet {
        /// The account.
        account: AccountId,
        /// Before.
        from: Status,
        /// Now.
        to: Status,
    },
    /// A customer was linked to an account.
    CustomerLinked {
        /// The customer.
        customer: String,
        /// The account.
        account: AccountId,
    },
    /// A checkout went on.
    CheckoutMoved {
        /// The session.
        session: String,
        /// How far it is.
        state: CheckoutState,
    },
    /// A lot is asked to give credits up.
    ClawedBack {
        /// The payment that is reversed.
        payment: String,
        /// The lot.
        lot: LotId,
        /// How many at most.
        credits: Credits,
    },
    /// What a dispute took was granted again.
    DisputeReturned {
        /// The dispute.
        dispute: String,
        /// The new lot.
        lot: LotId,
        /// How many credits.
        credits: Credits,
    },
    /// A parked delivery was settled by this one.
    Unparked {
        /// Its event.
        event: String,
    },
    /// A mail was queued.
    MailQueued {
        /// What it says.
        mail: MailKind,
    },
}
