//! The values that labels may have.

use metering::live::{DebitOutcome, Refusal};

use crate::meter_call::Unanswered;

/// How a debit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebitLabel {
    Drawn,
    Status,
    KeyRevoked,
    Repeated,
    KeyCapExhausted,
    RateLimited,
    BudgetExhausted,
    CreditsExhausted,
    Rebuilding,
    ExposureCap,
    TooLate,
    Uncertified,
    Away,
    Unknown,
}

impl DebitLabel {
    /// In the order of the enum.
    pub const ALL: [Self; 14] = [
        Self::Drawn,
        Self::Status,
        Self::KeyRevoked,
        Self::Repeated,
        Self::KeyCapExhausted,
        Self::RateLimited,
        Self::BudgetExhausted,
        Self::CreditsExhausted,
        Self::Rebuilding,
        Self::ExposureCap,
        Self::TooLate,
        Self::Uncertified,
        Self::Away,
        Self::Unknown,
    ];

    pub fn of(outcome: &Result<DebitOutcome, Unanswered>) -> Self {
        match outcome {
            Ok(DebitOutcome::Drawn(_)) => Self::Drawn,
            Ok(DebitOutcome::Refused(refusal)) => match refusal {
                Refusal::Status(_) => Self::Status,
                Refusal::KeyRevoked => Self::KeyRevoked,
                Refusal::Repeated { .. } => Self::Repeated,
                Refusal::KeyCapExhausted { .. } => Self::KeyCapExhausted,
                Refusal::RateLimited { .. } => Self::RateLimited,
                Refusal::BudgetExhausted { .. } => Self::BudgetExhausted,
                Refusal::CreditsExhausted { .. } => Self::CreditsExhausted,
                Refusal::Installing | Refusal::Frozen => Self::Rebuilding,
                Refusal::ExposureCap { .. } => Self::ExposureCap,
                Refusal::TooLate | Refusal::Closed => Self::TooLate,
            },
            Err(Unanswered::Uncertified) => Self::Uncertified,
            Err(Unanswered::Away) => Self::Away,
            Err(Unanswered::Unknown) => Self::Unknown,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Status => "status",
            Self::KeyRevoked => "key_revoked",
            Self::Repeated => "repeated",
            Self::KeyCapExhausted => "key_cap_exhausted",
            Self::RateLimited => "rate_limited",
            Self::BudgetExhausted => "budget_exhausted",
            Self::CreditsExhausted => "credits_exhausted",
            Self::Rebuilding => "rebuilding",
            Self::ExposureCap => "exposure_cap",
            Self::TooLate => "too_late",
            Self::Uncertified => "uncertified",
            Self::Away => "away",
            Self::Unknown => "unknown",
        }
    }
}

/// Where an API key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLookup {
    /// In the cache.
    Hit,
    /// In the cache, as one that does not exist.
    UnknownHit,
    /// In Redis.
    Read,
    /// Redis could not be asked.
    Failed,
}

impl KeyLookup {
    /// In the order of the enum.
    pub const ALL: [Self; 4] = [Self::Hit, Self::UnknownHit, Self::Read, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::UnknownHit => "unknown_hit",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_stands_at_its_number() {
        assert!(DebitLabel::ALL.into_iter().enumerate().all(|(number, label)| label as usize == number));
        assert!(KeyLookup::ALL.into_iter().enumerate().all(|(number, label)| label as usize == number));
    }
}
