//! What can be looked for in vain.

/// What was looked for and not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An account.
    Account,
    /// A lot.
    Lot,
    /// An API key.
    Key,
    /// A shard: the installation has fewer.
    Shard,
    /// A dead letter.
    DeadLetter,
    /// An incident.
    Incident,
    /// A delivery of Stripe.
    Delivery,
    /// A mail.
    Mail,
    /// An address that nothing is sent to.
    Suppression,
}

impl Subject {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Lot => "lot",
            Self::Key => "key",
            Self::Shard => "shard",
            Self::DeadLetter => "dead letter",
            Self::Incident => "incident",
            Self::Delivery => "delivery",
            Self::Mail => "mail",
            Self::Suppression => "suppressed address",
        }
    }

    pub(super) const fn not_found(self) -> &'static str {
        match self {
            Self::Account => "account_not_found",
            Self::Lot => "lot_not_found",
            Self::Key => "key_not_found",
            Self::Shard => "shard_not_found",
            Self::DeadLetter => "dead_letter_not_found",
            Self::Incident => "incident_not_found",
            Self::Delivery => "delivery_not_found",
            Self::Mail => "mail_not_found",
            Self::Suppression => "suppression_not_found",
        }
    }
}
