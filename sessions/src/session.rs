//! A session, and what is wrong with a token that makes none.

use http::HeaderValue;
use metering::{AccountId, SessionSubject, SessionVersion, SubjectDigest, TimeMs};

/// Whom a token speaks for.
#[derive(Debug)]
pub struct Session {
    pub account: AccountId,
    /// Made once, for who passes it on as a header line.
    pub account_value: HeaderValue,
    pub subject: SessionSubject,
    /// Made once, for who passes it on as a header line.
    pub subject_value: HeaderValue,
    pub subject_digest: SubjectDigest,
    /// Sessions end by raising the least version that is good.
    pub version: SessionVersion,
    /// What the person may do, in the words of whoever signed the token.
    pub roles: Vec<String>,
    pub expires_at: TimeMs,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFault {
    Missing,
    /// No token, or a claim that is missing or of another type.
    Malformed,
    /// Another algorithm, a key that is not known, or a signature that is not the key's.
    Unverified,
    OtherIssuer,
    OtherAudience,
    NotYetValid,
    Expired,
    /// Somebody signed the person, or everybody of the account, out. Said by the service, which is who looks.
    Ended,
}

impl SessionFault {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Unverified => "unverified",
            Self::OtherIssuer => "other_issuer",
            Self::OtherAudience => "other_audience",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Ended => "ended",
        }
    }
}

/// A token that opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Fault(SessionFault),
    /// No key has been read yet, or the time is not known: nobody can say.
    NotYet,
}
