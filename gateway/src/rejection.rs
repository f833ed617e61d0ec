//! Why a caller was not served: the code, the status, the numbers that caused it.

mod problem;

use metering::live::{BudgetView, Repeat};
use metering::{CapPeriod, Credits, OpId, Scope, Status, TimeMs};
use sessions::SessionFault;

/// Every way in which the gateway itself answers instead of the upstream.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    NoRoute,
    /// What is wrong, in words for the caller.
    BadRequest(&'static str),
    HeaderTooLarge,
    BodyTooLarge {
        bytes_max: u64,
    },
    BodyTooSlow,
    InvalidApiKey(KeyFault),
    /// The key lacks the scope that the route asks for.
    ScopeMissing(Scope),
    /// The key may not be used from the caller's address.
    AddressNotAllowed,
    /// The key was used too often; the rate's name, and when it lets something pass again.
    RateLimited {
        rate: String,
        wait_ms: u64,
    },
    InvalidSession(SessionFault),
    /// A browser was made to write by a page of somebody else.
    CrossSiteRequest,
    /// What the body must be, in words for the caller.
    UnsupportedMediaType(&'static str),
    /// No key that sessions are signed with is known yet, or not the time.
    SessionsUnavailable,
    /// The account's status does not allow it.
    Blocked(Status),
    CreditsExhausted {
        remaining: Credits,
        price: Credits,
    },
    BudgetExhausted {
        budget: BudgetView,
        price: Credits,
    },
    /// The price does not fit into what a cap of the key has left.
    KeyCapExhausted {
        which: CapPeriod,
        cap: Credits,
        used: Credits,
        resets_at: TimeMs,
        price: Credits,
    },
    /// The `Idempotency-Key` stands for a request already, whose debit this is.
    Repeated {
        first: OpId,
        how: Repeat,
    },
    /// Nothing can be drawn now; nothing was.
    MeterUnavailable(Unmetered),
    UpstreamFailed,
    UpstreamTimeout,
    /// Every server behind has as many requests as it may; nothing was drawn.
    UpstreamBusy,
    /// A fault of the gateway itself.
    Internal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    Missing,
    Malformed,
    Unknown,
    Revoked,
    Expired,
}

impl KeyFault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// Why nothing can be drawn just now. All of them pass by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmetered {
    /// Redis can't be reached, or did not answer in time.
    Away,
    /// The shard is being certified, or the account installed.
    Rebuilding,
    /// More is undrained than the installation allows to be at risk.
    ExposureCap,
    /// The draw came too late; trying again is safe.
    TooLate,
    /// The debit was not on disk in time, as its route wants, and is given back.
    NotDurable,
}

impl Unmetered {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Rebuilding => "rebuilding",
            Self::ExposureCap => "exposure_cap",
            Self::TooLate => "too_late",
            Self::NotDurable => "not_durable",
        }
    }
}

/// The stable name of a rejection, for callers and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoRoute,
    BadRequest,
    HeaderTooLarge,
    BodyTooLarge,
    BodyTooSlow,
    InvalidApiKey,
    ScopeMissing,
    AddressNotAllowed,
    RateLimited,
    InvalidSession,
    SessionExpired,
    CrossSiteRequest,
    UnsupportedMediaType,
    SessionsUnavailable,
    AccountSuspended,
    AccountPending,
    PaymentFailed,
    CreditsExhausted,
    BudgetExhausted,
    KeyCapExhausted,
    IdempotencyKeyInUse,
    IdempotencyKeyUsed,
    IdempotencyKeyMismatch,
    MeterUnavailable,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamBusy,
    Internal,
}

impl Code {
    /// In the order of the enum, so that `code as usize` finds a code here.
    pub const ALL: [Self; 28] = [
        Self::NoRoute,
        Self::BadRequest,
        Self::HeaderTooLarge,
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::InvalidApiKey,
        Self::ScopeMissing,
        Self::AddressNotAllowed,
        Self::RateLimited,
        Self::InvalidSession,
        Self::SessionExpired,
        Self::CrossSiteRequest,
        Self::UnsupportedMediaType,
        Self::SessionsUnavailable,
        Self::AccountSuspended,
        Self::AccountPending,
        Self::PaymentFailed,
        Self::CreditsExhausted,
        Self::BudgetExhausted,
        Self::KeyCapExhausted,
        Self::IdempotencyKeyInUse,
        Self::IdempotencyKeyUsed,
        Self::IdempotencyKeyMismatch,
        Self::MeterUnavailable,
        Self::UpstreamFailed,
        Self::UpstreamTimeout,
        Self::UpstreamBusy,
        Self::Internal,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::BadRequest => "bad_request",
            Self::HeaderTooLarge => "header_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyTooSlow => "body_too_slow",
            Self::InvalidApiKey => "invalid_api_key",
            Self::ScopeMissing => "scope_missing",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::RateLimited => "rate_limited",
            Self::InvalidSession => "invalid_session",
            Self::SessionExpired => "session_expired",
            Self::CrossSiteRequest => "cross_site_request",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::SessionsUnavailable => "sessions_unavailable",
            Self::AccountSuspended => "account_suspended",
            Self::AccountPending => "account_pending",
            Self::PaymentFailed => "payment_failed",
            Self::CreditsExhausted => "credits_exhausted",
            Self::BudgetExhausted => "budget_exhausted",
            Self::KeyCapExhausted => "key_cap_exhausted",
            Self::IdempotencyKeyInUse => "idempotency_key_in_use",
            Self::IdempotencyKeyUsed => "idempotency_key_used",
            Self::IdempotencyKeyMismatch => "idempotency_key_mismatch",
            Self::MeterUnavailable => "meter_unavailable",
            Self::UpstreamFailed => "upstream_failed",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamBusy => "upstream_busy",
            Self::Internal => "internal",
        }
    }

    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::InvalidApiKey | Self::InvalidSession | Self::SessionExpired => 401,
            Self::PaymentFailed | Self::CreditsExhausted | Self::BudgetExhausted | Self::KeyCapExhausted => 402,
            Self::AccountSuspended
            | Self::AccountPending
            | Self::ScopeMissing
            | Self::AddressNotAllowed
            | Self::CrossSiteRequest => 403,
            Self::NoRoute => 404,
            Self::BodyTooSlow => 408,
            Self::IdempotencyKeyInUse | Self::IdempotencyKeyUsed => 409,
            Self::BodyTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::IdempotencyKeyMismatch => 422,
            Self::RateLimited => 429,
            Self::HeaderTooLarge => 431,
            Self::Internal => 500,
            Self::UpstreamFailed => 502,
            Self::MeterUnavailable | Self::SessionsUnavailable | Self::UpstreamBusy => 503,
            Self::UpstreamTimeout => 504,
        }
    }
}

impl Rejection {
    pub fn code(&self) -> Code {
        match self {
            Self::NoRoute => Code::NoRoute,
            Self::BadRequest(_) => Code::BadRequest,
            Self::HeaderTooLarge => Code::HeaderTooLarge,
            Self::BodyTooLarge { .. } => Code::BodyTooLarge,
            Self::BodyTooSlow => Code::BodyTooSlow,
            Self::InvalidApiKey(_) => Code::InvalidApiKey,
            Self::ScopeMissing(_) => Code::ScopeMissing,
            Self::AddressNotAllowed => Code::AddressNotAllowed,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::InvalidSession(SessionFault::Expired | SessionFault::Ended) => Code::SessionExpired,
            Self::InvalidSession(_) => Code::InvalidSession,
            Self::CrossSiteRequest => Code::CrossSiteRequest,
            Self::UnsupportedMediaType(_) => Code::UnsupportedMediaType,
            Self::SessionsUnavailable => Code::SessionsUnavailable,
            Self::Blocked(Status::PaymentFailed) => Code::PaymentFailed,
            Self::Blocked(Status::Suspended) => Code::AccountSuspended,
            Self::Blocked(_) => Code::AccountPending,
            Self::CreditsExhausted { .. } => Code::CreditsExhausted,
            Self::BudgetExhausted { .. } => Code::BudgetExhausted,
            Self::KeyCapExhausted { .. } => Code::KeyCapExhausted,
            Self::Repeated { how: Repeat::InUse, .. } => Code::IdempotencyKeyInUse,
            Self::Repeated { how: Repeat::Used, .. } => Code::IdempotencyKeyUsed,
            Self::Repeated { how: Repeat::Mismatch, .. } => Code::IdempotencyKeyMismatch,
            Self::MeterUnavailable(_) => Code::MeterUnavailable,
            Self::UpstreamFailed => Code::UpstreamFailed,
            Self::UpstreamTimeout => Code::UpstreamTimeout,
            Self::UpstreamBusy => Code::UpstreamBusy,
            Self::Internal => Code::Internal,
        }
    }

    /// Seconds after which the same request may pass; only where waiting soon helps.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::MeterUnavailable(_) | Self::SessionsUnavailable | Self::UpstreamBusy => Some(1),
            Self::RateLimited { wait_ms, .. } => Some(wait_ms.div_ceil(1_000).max(1)),
            _ => None,
        }
    }

    /// Whether what is left of the request can't or should not be read, so that the connection must end with the answer.
    pub fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::BadRequest(_) | Self::HeaderTooLarge | Self::BodyTooLarge { .. } | Self::BodyTooSlow | Self::Internal
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_at_its_number() {
        for (number, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, number, "{}", code.as_str());
        }
    }

    #[test]
    fn each_blocked_status_has_its_code() {
        let code = |status| Rejection::Blocked(status).code();
        assert_eq!(code(Status::PaymentFailed).as_str(), "payment_failed");
        assert_eq!(code(Status::Suspended).as_str(), "account_suspended");
        assert_eq!(code(Status::Pending).as_str(), "account_pending");
    }
}
