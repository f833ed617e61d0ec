//! What a look at Stripe and the book can find, in words.

use std::fmt;

use metering::AccountId;
use serde::Serialize;

/// What a look has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Objects of Stripe's and payments of the book that were held against each other.
    pub compared: u64,
    pub differences: Vec<Difference>,
}

impl Reconciliation {
    /// Those that are still there.
    pub fn open(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| !difference.mended)
    }
}

/// One thing in which Stripe and the book differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub kind: DifferenceKind,
    /// Stripe's id of what it is about.
    pub id: String,
    pub account: Option<AccountId>,
    /// For people.
    pub detail: String,
    pub mended: bool,
}

impl Difference {
    pub(super) fn new(kind: DifferenceKind, id: &str, account: Option<AccountId>, detail: String) -> Self {
        Self { kind, id: id.to_owned(), account, detail, mended: false }
    }

    /// A stable word, for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind.as_str()
    }

    pub(super) fn hindered(&mut self, code: &str, detail: &str) {
        self.detail = format!("{}; it can't be mended: {code}: {detail}", self.detail);
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.kind.as_str())?;
        if let Some(account) = self.account {
            write!(f, " of {account}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// How the two can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Stripe has the money, the account no credits.
    PaidNotGranted,
    /// The account has credits, Stripe no money.
    GrantedNotPaid,
    RefundedNotClawed,
    DisputedNotClawed,
    /// Stripe has the money again, the account not its credits.
    DisputeWonNotReturned,
    /// A subscription is in another state than the book says.
    StatusDiffers,
}

impl DifferenceKind {
    pub const ALL: [Self; 6] = [
        Self::PaidNotGranted,
        Self::GrantedNotPaid,
        Self::RefundedNotClawed,
        Self::DisputedNotClawed,
        Self::DisputeWonNotReturned,
        Self::StatusDiffers,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaidNotGranted => "paid_not_granted",
            Self::GrantedNotPaid => "granted_not_paid",
            Self::RefundedNotClawed => "refunded_not_clawed",
            Self::DisputedNotClawed => "disputed_not_clawed",
            Self::DisputeWonNotReturned => "dispute_won_not_returned",
            Self::StatusDiffers => "status_differs",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_in_json_are_those_of_metrics() {
        for kind in DifferenceKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn a_difference_reads_alone_and_is_open_until_it_is_mended() {
        let account = "acct_00000000000000000000000000000001".parse().ok();
        let mut of_invoice = Difference::new(DifferenceKind::PaidNotGranted, "in_1", account, "1900 usd".to_owned());
        let shown = "in_1 paid_not_granted of acct_00000000000000000000000000000001: 1900 usd";
        assert_eq!((of_invoice.to_string().as_str(), of_invoice.kind()), (shown, "paid_not_granted"));
        let mended = Difference { mended: true, account: None, ..of_invoice.clone() };
        assert_eq!(mended.to_string(), "in_1 paid_not_granted: 1900 usd");
        of_invoice.hindered("account_unknown", "nobody's");
        assert!(of_invoice.detail.ends_with("it can't be mended: account_unknown: nobody's"));
        let found = Reconciliation { compared: 2, differences: vec![of_invoice.clone(), mended] };
        assert_eq!(found.open().collect::<Vec<_>>(), [&of_invoice]);
    }
}
