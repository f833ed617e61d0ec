//! Mails: queued with the change that they tell of, handed over by one worker at a time, and what became of each.
//!
//! A mail is never sent twice by itself. It is `sending` from before its text is handed over, so a worker that dies then leaves `unknown`.

mod address;
mod backlog;
mod event;
mod evidence;
mod lists;
mod low_balance;
mod settings;
mod suppressions;
mod switches;
mod work;

pub use address::{check_address, fold_address};
pub use backlog::MailBacklog;
pub use event::{EventKind, MailEvent};
pub use evidence::{MailReport, Reported};
pub use lists::{MAILS_A_LIST, MailFilter, MailView};
pub use low_balance::Rearm;
pub use settings::{NoticeSettings, RECIPIENTS_MAX};
pub use suppressions::{Suppression, SuppressionReason};
pub use switches::NoticeSwitches;
pub use work::{ClaimedMail, Ended, Fact, Handover, MailTurn};

pub(crate) use low_balance::{note_drawn, queue_low_balance};

pub use crate::stripe::MailKind;
use crate::words::words;

words! {
    /// How far a mail is.
    MailState, "state of a mail",
    /// It waits to be sent.
    Queued => "queued",
    /// It is being handed over, and may be in the mail server's hands already.
    Sending => "sending",
    /// The mail server took it.
    Sent => "sent",
    /// The provider says that it arrived.
    Delivered => "delivered",
    /// An address does not take it.
    Bounced => "bounced",
    /// Somebody who got it does not want it.
    Complained => "complained",
    /// Nothing is sent to any of its addresses any more.
    Suppressed => "suppressed",
    /// It was not to be sent: settings, or no address.
    HeldBack => "held_back",
    /// The mail server did not take it, or not in time.
    Failed => "failed",
    /// Whoever handed it over did not tell how it ended: it may have arrived.
    Unknown => "unknown",
}
