//! Credits: whole units, checked arithmetic, no floats.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// 2^53 − 1: the largest whole number that a Lua or JavaScript number holds exactly.
pub const LARGEST: u64 = (1 << 53) - 1;

/// A number that is not a number of credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("credits are whole numbers from 0 to {LARGEST}")]
pub struct CreditsError;

/// Whole credits, 0 to 2^53 − 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Credits(u64);

impl Credits {
    /// No credits.
    pub const ZERO: Self = Self(0);
    /// The most that can be counted.
    pub const MAX: Self = Self(LARGEST);

    /// Takes a count; more than 2^53 − 1 is refused.
    pub const fn new(count: u64) -> Result<Self, CreditsError> {
        if count > LARGEST { Err(CreditsError) } else { Ok(Self(count)) }
    }

    /// The count.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, unless it is more than can be counted.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(|sum| Self::new(sum).ok())
    }

    /// The difference, unless it is below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The difference, or zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<u64> for Credits {
    type Error = CreditsError;

    fn try_from(count: u64) -> Result<Self, CreditsError> {
        Self::new(count)
    }
}

impl TryFrom<i64> for Credits {
    type Error = CreditsError;

    fn try_from(count: i64) -> Result<Self, CreditsError> {
        u64::try_from(count).map_err(|_| CreditsError).and_then(Self::new)
    }
}

impl From<Credits> for u64 {
    fn from(credits: Credits) -> u64 {
        credits.0
    }
}

impl From<Credits> for i64 {
    fn from(credits: Credits) -> i64 {
        i64::try_from(credits.0).unwrap_or(i64::MAX) // always fits: at most 2^53 − 1
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for Credits {
    type Err = CreditsError;

    fn from_str(text: &str) -> Result<Self, CreditsError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().map_err(|_| CreditsError).and_then(Self::new) } else { Err(CreditsError) }
    }
}

/// Whole numbers with one blank between them, read in one go over the text: each answer to a debit holds half a dozen.
pub(crate) struct Numbers<'a> {
    /// `None` behind the last one.
    rest: Option<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    pub(crate) const fn of(text: &'a str) -> Self {
        Self { rest: Some(text.as_bytes()) }
    }

    /// The next one; `None` where none stands.
    pub(crate) fn next(&mut self) -> Option<Credits> {
        let rest = self.rest?;
        let (mut number, mut any) = (0_u64, false);
        let mut letters = rest.iter();
        self.rest = loop {
            match letters.next() {
                Some(digit @ b'0'..=b'9') => {
                    // Of too many digits it is more than may be.
                    number = number.saturating_mul(10).saturating_add(digit.saturating_sub(b'0').into());
                    any = true;
                }
                Some(b' ') => break Some(letters.as_slice()),
                None => break None,
                Some(_) => return None,
            }
        };
        if any { Credits::new(number).ok() } else { None }
    }

    /// Whether nothing stands behind what was read.
    pub(crate) const fn are_over(&self) -> bool {
        self.rest.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_read_as_each_would_be_alone() {
        let read = |text| {
            let mut numbers = Numbers::of(text);
            let read: Option<Vec<u64>> = (0..2).map(|_| numbers.next().map(Credits::get)).collect();
            read.filter(|_| numbers.are_over())
        };
        assert_eq!(read("7 9007199254740991"), Some(vec![7, LARGEST]));
        assert_eq!(read("007 0"), Some(vec![7, 0]));
        for wrong in [
            "",
            "7",
            "7 ",
            " 7",
            "7  8",
            "7 8 9",
            "7 8 ",
            "7 -8",
            "7 +8",
            "7 8x",
            "7 9007199254740992",
            "7 99999999999999999999",
        ] {
            assert_eq!(read(wrong), None, "'{wrong}'");
        }
    }

    #[test]
    fn credits_end_where_lua_numbers_end() {
        assert!(Credits::new(LARGEST).is_ok());
        assert_eq!(Credits::new(LARGEST + 1), Err(CreditsError));
        assert_eq!(Credits::MAX.checked_add(Credits(1)), None);
        assert_eq!(Credits(3).checked_sub(Credits(4)), None);
        assert_eq!(Credits::try_from(-1_i64), Err(CreditsError));
    }

    #[test]
    fn only_plain_digits_are_credits() {
        assert_eq!("100".parse(), Ok(Credits(100)));
        for wrong in ["", "-1", "+1", "1.0", "1e3", "0x10", " 1", "nan", "9007199254740992"] {
            assert!(wrong.parse::<Credits>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sums_and_differences_are_exact_or_none() {
        assert_eq!(Credits(3).checked_add(Credits(4)), Some(Credits(7)));
        assert_eq!(Credits(4).checked_sub(Credits(3)), Some(Credits(1)));
        assert_eq!(
            (Credits(4).saturating_sub(Credits(3)), Credits(3).saturating_sub(Credits(4))),
            (Credits(1), Credits::ZERO)
        );
        assert!(Credits::ZERO.is_zero() && !Credits(1).is_zero());
    }

    #[test]
    fn a_count_is_the_same_in_every_dress() {
        for count in [0, 1, 2, LARGEST] {
            let credits = Credits::new(count).unwrap();
            assert_eq!((credits.get(), u64::from(credits), credits.to_string()), (count, count, count.to_string()));
            assert_eq!((Credits::try_from(count), Credits::try_from(i64::from(credits))), (Ok(credits), Ok(credits)));
        }
        assert_eq!((LARGEST, Credits::MAX.get()), (9_007_199_254_740_991, LARGEST));
        assert_eq!(Credits::try_from(LARGEST + 1), Err(CreditsError));
    }
}
