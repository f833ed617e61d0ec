//! The operators' pages among each other.

/// Which of them a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Accounts,
    Letters,
    Deliveries,
    Mails,
    Suppressions,
    Incidents,
    Losses,
    Reconcile,
    Audit,
}

impl Tab {
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::Letters,
        Self::Deliveries,
        Self::Mails,
        Self::Suppressions,
        Self::Incidents,
        Self::Losses,
        Self::Reconcile,
        Self::Audit,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "Accounts",
            Self::Letters => "Dead letters",
            Self::Deliveries => "Deliveries",
            Self::Mails => "Mails",
            Self::Suppressions => "Suppressions",
            Self::Incidents => "Incidents",
            Self::Losses => "Losses",
            Self::Reconcile => "Reconcile",
            Self::Audit => "Audit",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Accounts => "/operator",
            Self::Letters => "/operator/letters",
            Self::Deliveries => "/operator/deliveries",
            Self::Mails => "/operator/mails",
            Self::Suppressions => "/operator/suppressions",
            Self::Incidents => "/operator/incidents",
            Self::Losses => "/operator/losses",
            Self::Reconcile => "/operator/reconcile",
            Self::Audit => "/operator/audit",
        }
    }
}
