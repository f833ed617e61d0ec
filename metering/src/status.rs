//! The status of an account, and what it may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IdError;

/// Where an account stands with billing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Trying it out; draws.
    Trial,
    /// Paying; draws.
    Active,
    /// Let in by an operator; draws.
    Approved,
    /// Waiting for its first payment.
    Pending,
    /// A payment failed.
    PaymentFailed,
    /// Stopped by an operator.
    Suspended,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Trial, Self::Active, Self::Approved, Self::Pending, Self::PaymentFailed, Self::Suspended];

    /// Only trial, active and approved accounts draw (I6).
    #[must_use]
    pub const fn may_spend(self) -> bool {
        matches!(self, Self::Trial | Self::Active | Self::Approved)
    }

    /// A monthly budget is for invoiced accounts: active or approved.
    #[must_use]
    pub const fn may_set_budget(self) -> bool {
        matches!(self, Self::Active | Self::Approved)
    }

    /// Set by an operator, and stays whatever billing says.
    #[must_use]
    pub const fn is_an_operators(self) -> bool {
        matches!(self, Self::Approved | Self::Suspended)
    }

    /// The word for it, as in configuration, SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Active => "active",
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::PaymentFailed => "payment_failed",
            Self::Suspended => "suspended",
        }
    }

    /// One letter for it, as live state stores it: each account holds one.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Trial => "t",
            Self::Active => "a",
            Self::Approved => "o",
            Self::Pending => "p",
            Self::PaymentFailed => "f",
            Self::Suspended => "s",
        }
    }

    /// Reads what [`Self::letter`] wrote.
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.letter() == letter)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(IdError { expected: "a status (trial, active, approved, pending, payment_failed, suspended)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_back_from_its_word_and_its_letter() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(Status::from_letter(status.letter()), Some(status));
        }
        assert!("Active".parse::<Status>().is_err());
    }

    #[test]
    fn who_may_do_what_is_as_it_is_written_down() {
        let who = |may: fn(Status) -> bool| Status::ALL.into_iter().filter(|status| may(*status)).collect::<Vec<_>>();
        assert_eq!(who(Status::may_spend), [Status::Trial, Status::Active, Status::Approved]);
        assert_eq!(who(Status::may_set_budget), [Status::Active, Status::Approved]);
        assert_eq!(who(Status::is_an_operators), [Status::Approved, Status::Suspended]);
        assert_eq!(Status::ALL.map(Status::letter), ["t", "a", "o", "p", "f", "s"]);
        assert_eq!(Status::PaymentFailed.to_string(), "payment_failed");
        assert_eq!(Status::from_letter("x"), None);
    }
}
