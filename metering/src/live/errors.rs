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
    /// A look found something that our scripts do not write: nothing was written. The text says what.
    #[error("what live state holds can't be read: {0}")]
    Unreadable(String),
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

impl MeterError {
    /// The same error of a script that only looks: one that the server or the answer is to blame for is about what was found there.
    #[must_use]
    pub(crate) fn while_looking(self) -> Self {
        match self {
            Self::Unknown(error) if error.code().is_some() || error.kind() == ErrorKind::UnexpectedReturnType => {
                Self::Unreadable(error.detail().unwrap_or("it is not as it is written").to_owned())
            }
            other => other,
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
    fn what_a_look_can_not_read_is_told_from_a_lost_connection() {
        let refused: RedisError = (ErrorKind::UnexpectedReturnType, "not", "a status".to_owned()).into();
        assert!(
            matches!(MeterError::Unknown(refused).while_looking(), MeterError::Unreadable(what) if what == "a status")
        );
        let lost = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert!(matches!(MeterError::Unknown(lost).while_looking(), MeterError::Unknown(_)));
    }

    #[test]
    fn a_command_that_redis_refused_untouched_was_not_done_and_of_another_error_nobody_knows() {
        let said = |line: &str| match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap() {
            redis::Value::ServerError(error) => sorted(error.into()),
            other => panic!("{other:?} is no error"),
        };
        assert!(matches!(said("OOM command not allowed"), MeterError::Unavailable(_)));
        assert!(matches!(said("MISCONF disk"), MeterError::Unavailable(_)));
        assert!(matches!(said("NOSCRIPT No matching script"), MeterError::Uncertified));
        assert!(matches!(said("UNCERTIFIED"), MeterError::Uncertified));
        assert!(matches!(said("WRONGTYPE of a key that was written by hand"), MeterError::Unknown(_)));
    }

    #[test]
    fn a_lost_connection_is_an_unknown_outcome_and_a_refused_one_is_not() {
        let lost = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(matches!(sorted(lost.into()), MeterError::Unknown(_)));
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(matches!(sorted(refused.into()), MeterError::Unavailable(_)));
    }
}
