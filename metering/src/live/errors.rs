//! What can go wrong between us and Redis, told apart by one question: may something have been written?

use redis::{ErrorKind, RedisError};
use thiserror::Error;

/// A call that got no answer of its own.
#[derive(Debug, Clone, Error)]
pub enum MeterError {
    /// The shard is not certified: nothing was written. Soon it will be.
    #[error("the shard is not certified")]
    Uncertified,
    /// Redis could not be asked or refused before doing anything: nothing was written.
    #[error("the live balance can't be reached")]
    Unavailable(#[source] RedisError),
    /// The answer never came or was not understood: it may have been written. Undo it by its op.
    #[error("the live balance did not answer")]
    Unknown(#[source] RedisError),
}

/// Errors by which the server says that it has not run the script, or that no write was let through at all.
const REFUSED_UNTOUCHED: [&str; 15] = [
    "OOM",
    "MISCONF",
    "READONLY",
    "LOADING",
    "BUSY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "NOPERM",
    "NOAUTH",
    "WRONGPASS",
    "NOREPLICAS",
    "CROSSSLOT",
];

impl MeterError {
    /// Sorts an error by whether the command may have run.
    #[must_use]
    pub(crate) fn from_redis(error: RedisError) -> Self {
        match error.code() {
            Some("NOSCRIPT" | "UNCERTIFIED") => Self::Uncertified,
            Some(code) if REFUSED_UNTOUCHED.contains(&code) => Self::Unavailable(error),
            _ if never_sent(&error) => Self::Unavailable(error),
            _ => Self::Unknown(error),
        }
    }
}

/// Whether the command can't have left: the connection was refused, or logging in failed.
fn never_sent(error: &RedisError) -> bool {
    error.is_connection_refusal()
        || matches!(error.kind(), ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(error: RedisError) -> MeterError {
        MeterError::from_redis(error)
    }

    #[test]
    fn a_lost_connection_is_an_unknown_outcome_and_a_refused_one_is_not() {
        let lost = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(matches!(sorted(lost.into()), MeterError::Unknown(_)));
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(matches!(sorted(refused.into()), MeterError::Unavailable(_)));
    }
}
