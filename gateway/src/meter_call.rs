//! Every call to the live balance has a deadline, and an outcome that says whether something may have been written.

use std::future::Future;
use std::time::Duration;

use metering::live::MeterError;
use pingora_timeout::timeout;

use crate::rejection::Unmetered;

/// A call without an answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Nothing was written: the shard is not certified.
    Uncertified,
    /// Nothing was written: Redis could not be asked.
    Away,
    /// Something may have been written: the answer never came, or not in time.
    Unknown,
}

impl Unanswered {
    pub fn why(&self) -> Unmetered {
        match self {
            Self::Uncertified => Unmetered::Rebuilding,
            Self::Away | Self::Unknown => Unmetered::Away,
        }
    }
}

impl From<MeterError> for Unanswered {
    fn from(error: MeterError) -> Self {
        tracing::debug!(error = &error as &dyn std::error::Error, "the live balance gave no answer");
        match error {
            MeterError::Uncertified => Self::Uncertified,
            MeterError::Unavailable(_) | MeterError::Unreadable(_) => Self::Away,
            MeterError::Unknown(_) => Self::Unknown,
        }
    }
}

pub async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, MeterError>>) -> Result<T, Unanswered> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(Unanswered::from),
        Err(_) => Err(Unanswered::Unknown),
    }
}
