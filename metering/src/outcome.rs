//! How a request ended that had drawn credits: what its receipt says beside the credits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Credits;

/// How a request ended whose debit was confirmed. Shown as `200 5213 1834 complete`, which is also how scripts pass it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOutcome {
    /// The status of the upstream's final answer; `None` where there was none.
    pub upstream_status: Option<u16>,
    /// Bytes of the answer's body that went to the caller.
    pub answer_bytes: u64,
    /// From the request's header to its end.
    pub duration_ms: u64,
    /// What ended it.
    pub ended: Ended,
}

/// What ended a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The answer went to its end.
    Complete,
    /// The caller hung up.
    CallerLeft,
    /// The upstream broke off or took too long, and its route gives nothing back for that.
    UpstreamFailed,
    /// The gateway could not go on.
    GatewayFailed,
    /// The gateway was stopped, and its route gives nothing back for that.
    Cut,
}

impl Ended {
    /// Every way to end.
    pub const ALL: [Self; 5] = [Self::Complete, Self::CallerLeft, Self::UpstreamFailed, Self::GatewayFailed, Self::Cut];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CallerLeft => "caller_left",
            Self::UpstreamFailed => "upstream_failed",
            Self::GatewayFailed => "gateway_failed",
            Self::Cut => "cut",
        }
    }

    /// Reads the word; `None` where it is another.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ended| ended.as_str() == word)
    }
}

impl fmt::Display for RequestOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { upstream_status, answer_bytes, duration_ms, ended } = self;
        write!(formatter, "{} {answer_bytes} {duration_ms} {}", upstream_status.unwrap_or(0), ended.as_str())
    }
}

impl RequestOutcome {
    /// Reads the four words with one blank between them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse::<Credits>().ok().map(Credits::get); // the same rule for digits: 0 to 2^53 − 1
        let (status, answer_bytes, duration_ms) = (number()?, number()?, number()?);
        let upstream_status = match u16::try_from(status).ok()? {
            0 => None,
            status @ 100..=999 => Some(status),
            _ => return None,
        };
        let ended = Ended::from_word(words.next()?)?;
        words.next().is_none().then_some(Self { upstream_status, answer_bytes, duration_ms, ended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written_and_nothing_else_is_one() {
        for upstream_status in [None, Some(100), Some(200), Some(999)] {
            for ended in Ended::ALL {
                let outcome = RequestOutcome { upstream_status, answer_bytes: 5_213, duration_ms: 0, ended };
                assert_eq!(RequestOutcome::read(&outcome.to_string()), Some(outcome));
            }
        }
        let odd = ["", "200 1 2", "200 1 2 complete 3", "99 1 2 cut", "1000 1 2 cut", "200 -1 2 cut", "200 1  2 cut"];
        for text in odd.into_iter().chain(["200 1 2 unconfirmed", "200 1 2.5 cut", "200 1 9007199254740992 cut"]) {
            assert_eq!(RequestOutcome::read(text), None, "{text}");
        }
    }
}
