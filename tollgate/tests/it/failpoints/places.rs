//! Where programs can die, how often a place may be passed before, and what makes a program pass it.

use Stir::{Budget, Flush, Hang, Key, Load, Orphan, Rebuild, Stop};

#[derive(Clone, Copy)]
pub enum Who {
    Gateway,
    LedgerSync,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::LedgerSync => "ledger-sync",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stir {
    /// Calls are enough, or the start.
    Load,
    /// A change of the account.
    Budget,
    /// The account is to be installed anew.
    Rebuild,
    /// A new key.
    Key,
    /// Redis loses everything, at rest.
    Flush,
    /// A gateway dies in the middle of a request.
    Orphan,
    /// Redis does not answer for longer than gateways wait.
    Hang,
    /// The program is told to stop.
    Stop,
}

pub struct Place {
    pub name: &'static str,
    pub who: Who,
    pub passes_max: u64,
    pub stir: Stir,
}

const fn gateway(name: &'static str, passes_max: u64, stir: Stir) -> Place {
    Place { name, who: Who::Gateway, passes_max, stir }
}

const fn sync(name: &'static str, passes_max: u64, stir: Stir) -> Place {
    Place { name, who: Who::LedgerSync, passes_max, stir }
}

/// What makes a webhook pass a place; how often depends on nothing but that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// Somebody pays.
    Plainly,
    /// Stripe can't be asked meanwhile.
    Unasked,
    /// And a refund comes of a payment that nobody knows.
    AndStray,
    /// And Stripe is held against the book.
    AndReconciled,
}

pub const WEBHOOK: [(&str, Paid); 10] = [
    ("receive.verified", Paid::Plainly),
    ("receive.recorded", Paid::Plainly),
    ("receive.answering", Paid::Plainly),
    ("worker.claimed", Paid::Plainly),
    ("worker.read", Paid::Plainly),
    ("worker.applied", Paid::Plainly),
    ("worker.ignored", Paid::Plainly),
    ("worker.parked", Paid::AndStray),
    ("worker.postponed", Paid::Unasked),
    ("reconcile.looked", Paid::AndReconciled),
];

/// Places of a ledger-sync on the way from a grant in the book to live state, and of its start.
pub const CARRIES: [&str; 12] = [
    "fleet.claimed",
    "certify.sealed",
    "certify.fence_raised",
    "certify.certified",
    "serve.opened",
    "serve.begun",
    "carry.sent",
    "drain.read",
    "drain.recorded",
    "drain.noted",
    "drain.remembered",
    "sweep.expired",
];

pub const GATEWAY: [Place; 21] = [
    gateway("draw.before", 30, Load),
    gateway("draw.drawn", 30, Load),
    gateway("draw.noted", 30, Load),
    gateway("draw.expected", 10, Load),
    gateway("give_back.before", 10, Load),
    gateway("give_back.after", 10, Load),
    gateway("settle.before", 10, Load),
    gateway("settle.after", 10, Load),
    gateway("confirm.before", 5, Load),
    gateway("confirm.after", 5, Load),
    gateway("journal.gathered", 20, Load),
    gateway("journal.written", 20, Load),
    gateway("journal.posted", 3, Load),
    gateway("journal.left_posted", 1, Load),
    gateway("finish.settled", 30, Load),
    gateway("finish.kept", 30, Load),
    gateway("restitution.before", 1, Hang),
    gateway("restitution.after", 1, Hang),
    gateway("stop.begun", 1, Stop),
    gateway("stop.flushed", 1, Stop),
    gateway("stop.journal_ended", 1, Stop),
];

pub const LEDGER_SYNC: [Place; 27] = [
    sync("fleet.claimed", 8, Load),
    sync("certify.sealed", 8, Load),
    sync("certify.fence_raised", 8, Load),
    sync("certify.rest_drained", 8, Load),
    sync("certify.certified", 4, Load),
    sync("certify.incarnation_begun", 4, Flush),
    sync("serve.opened", 4, Load),
    sync("serve.begun", 4, Load),
    sync("install.before_write", 2, Flush),
    sync("install.written", 2, Flush),
    sync("install.page", 1, Flush),
    sync("install.last_page", 4, Flush),
    sync("install.frozen", 1, Rebuild),
    sync("install.one_written", 1, Rebuild),
    sync("drain.read", 10, Load),
    sync("drain.recorded", 10, Load),
    sync("drain.noted", 10, Load),
    sync("drain.remembered", 10, Load),
    sync("drain.rest_recorded", 1, Load),
    sync("carry.sent", 1, Budget),
    sync("keys.written", 1, Flush),
    sync("keys.carried", 1, Key),
    sync("sweep.expired", 20, Load),
    sync("sweep.undos_settled", 20, Load),
    sync("due.released", 1, Orphan),
    sync("journal.taken", 3, Load),
    sync("journal.reconciled", 3, Load),
];
