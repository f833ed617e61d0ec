//! What can go wrong with Stripe. Display is for operators; it never holds a key or what a customer wrote.

use thiserror::Error;

/// Why Stripe did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StripeError {
    /// Not reached, too slow, too busy, or broken. Nothing is known to have happened; the same call under the same key is safe.
    #[error("Stripe can't be reached or does not answer in time: {0}")]
    Unavailable(String),
    /// The key is wrong, revoked or may not do this.
    #[error("Stripe does not take the API key for this ({status})")]
    KeyRefused { status: u16 },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Stripe has nothing under this id.
    #[error("Stripe knows no such thing: {0}")]
    Missing(String),
    /// Stripe refused the request itself.
    #[error("Stripe refused the request ({status}): {message}")]
    Refused { status: u16, message: String },
    /// An answer without what we need of it.
    #[error("Stripe's answer can't be read: {0}")]
    Unreadable(String),
    /// Settings that no client can be made of.
    #[error("the Stripe settings can't be used: {0}")]
    Settings(String),
}

impl StripeError {
    /// A stable word for programs and operators.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "stripe_unavailable",
            Self::KeyRefused { .. } => "stripe_key_refused",
            Self::KeyReused => "idempotency_key_mismatch",
            Self::Missing(_) => "stripe_missing",
            Self::Refused { .. } => "stripe_refused",
            Self::Unreadable(_) => "stripe_unreadable",
            Self::Settings(_) => "stripe_settings",
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_word_and_only_an_absent_stripe_passes() {
        let all = [
            StripeError::Unavailable(String::new()),
            StripeError::KeyRefused { status: 401 },
            StripeError::KeyReused,
            StripeError::Missing(String::new()),
            StripeError::Refused { status: 400, message: String::new() },
            StripeError::Unreadable(String::new()),
            StripeError::Settings(String::new()),
        ];
        let words: Vec<_> = all.iter().map(|error| (error.code(), error.is_passing())).collect();
        let wanted = [
            ("stripe_unavailable", true),
            ("stripe_key_refused", false),
            ("idempotency_key_mismatch", false),
            ("stripe_missing", false),
            ("stripe_refused", false),
            ("stripe_unreadable", false),
            ("stripe_settings", false),
        ];
        assert_eq!(words, wanted);
    }
}
