//! Versions of sessions: which tokens of an account, or of one person of it, are still good.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::IdError;
use crate::credits::LARGEST;

/// A version that a token carries: 0 to 2^53 − 1. A token without one is of version 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct SessionVersion(u64);

impl SessionVersion {
    /// Before anybody was signed out.
    pub const FIRST: Self = Self(0);

    const EXPECTED: IdError = IdError { expected: "a version of sessions (a whole number from 0 to 2^53 - 1)" };

    /// Takes a number; more than 2^53 − 1 is refused.
    pub const fn new(number: u64) -> Result<Self, IdError> {
        if number > LARGEST { Err(Self::EXPECTED) } else { Ok(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next one, unless this is the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).and_then(|number| Self::new(number).ok())
    }
}

impl TryFrom<u64> for SessionVersion {
    type Error = IdError;

    fn try_from(number: u64) -> Result<Self, IdError> {
        Self::new(number)
    }
}

impl From<SessionVersion> for u64 {
    fn from(version: SessionVersion) -> Self {
        version.0
    }
}

impl FromStr for SessionVersion {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        number.ok_or(Self::EXPECTED).and_then(Self::new)
    }
}

impl fmt::Display for SessionVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The person of a session: its token's `sub`. 1 to 256 printable ASCII characters, no blank at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionSubject(String);

impl SessionSubject {
    /// Longest, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// As it stands in the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As live state names it.
    #[must_use]
    pub fn digest(&self) -> SubjectDigest {
        let mut half = [0; 16];
        half.iter_mut().zip(Sha256::digest(self.0.as_bytes())).for_each(|(to, from)| *to = from);
        SubjectDigest(half)
    }
}

impl TryFrom<String> for SessionSubject {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        // It goes upstream as a header, so it must be one that every server reads in the same way.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > Self::BYTES_MAX || !plain || text.trim() != text {
            return Err(IdError {
                expected: "a subject (1 to 256 printable ASCII characters, no blank at either end)",
            });
        }
        Ok(Self(text))
    }
}

impl FromStr for SessionSubject {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.to_owned().try_into()
    }
}

impl From<SessionSubject> for String {
    fn from(subject: SessionSubject) -> Self {
        subject.0
    }
}

impl fmt::Display for SessionSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The first half of a subject's SHA-256: of one length, and no person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectDigest([u8; 16]);

impl TryFrom<String> for SubjectDigest {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl FromStr for SubjectDigest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let lower = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = if lower { u128::from_str_radix(text, 16).ok() } else { None };
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or(IdError { expected: "the digest of a subject (32 lower-case hex digits)" })
    }
}

impl From<SubjectDigest> for String {
    fn from(digest: SubjectDigest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for SubjectDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// The least versions of an account's sessions that are still good. Empty while nobody was signed out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionVersions {
    /// For everybody.
    pub everybody: SessionVersion,
    /// For single persons, where it is higher than for everybody.
    pub subjects: BTreeMap<SubjectDigest, SessionVersion>,
}

impl SessionVersions {
    /// Most persons of one account that have a version of their own. Ending the sessions of everybody makes room again.
    pub const SUBJECTS_MAX: usize = 1_000;

    /// The least version that is still good for a person.
    #[must_use]
    pub fn least(&self, subject: &SubjectDigest) -> SessionVersion {
        self.subjects.get(subject).map_or(self.everybody, |own| self.everybody.max(*own))
    }

    /// Raises the version of a person, or of everybody, which no version of a person is then needed below. Never lowers any.
    pub fn raise(&mut self, subject: Option<SubjectDigest>, to: SessionVersion) {
        match subject {
            Some(subject) if self.least(&subject) < to => drop(self.subjects.insert(subject, to)),
            Some(_) => {}
            None => {
                self.everybody = self.everybody.max(to);
                let everybody = self.everybody;
                self.subjects.retain(|_, own| *own > everybody);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u64) -> SessionVersion {
        SessionVersion::new(number).unwrap()
    }

    #[test]
    fn a_version_is_a_whole_number_that_every_store_holds_exactly() {
        assert_eq!("7".parse(), Ok(version(7)));
        assert_eq!(version(LARGEST).next(), None);
        assert_eq!(SessionVersion::FIRST.next(), Some(version(1)));
        for wrong in ["", "-1", "+1", "1.0", "9007199254740992", "99999999999999999999", " 1"] {
            assert!(wrong.parse::<SessionVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_subject_is_plain_and_its_digest_is_read_back() {
        let ann: SessionSubject = "ann@team.test".parse().unwrap();
        assert_eq!(ann.digest().to_string().parse(), Ok(ann.digest()));
        assert_ne!(ann.digest(), "ann@team.tesu".parse::<SessionSubject>().unwrap().digest());
        assert!("x".repeat(256).parse::<SessionSubject>().is_ok());
        for wrong in ["", " ann", "ann ", "a\nb", "ä", "a\0b", &"x".repeat(257)] {
            assert!(wrong.parse::<SessionSubject>().is_err(), "{wrong}");
        }
        for wrong in ["", "*", "0", &"A".repeat(32), &"0".repeat(33)] {
            assert!(wrong.parse::<SubjectDigest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_version_only_rises_and_everybodys_takes_those_of_persons_along() {
        let [ann, bob] = ["ann", "bob"].map(|name| name.parse::<SessionSubject>().unwrap().digest());
        let mut versions = SessionVersions::default();
        versions.raise(Some(ann), version(2));
        versions.raise(Some(bob), version(5));
        versions.raise(Some(ann), version(1));
        assert_eq!((versions.least(&ann), versions.least(&bob)), (version(2), version(5)));
        versions.raise(None, version(3));
        versions.raise(None, version(1));
        assert_eq!((versions.least(&ann), versions.least(&bob)), (version(3), version(5)));
        versions.raise(Some(ann), version(3));
        assert_eq!(versions.subjects.len(), 1, "what everybody's says needs no saying");
    }

    #[test]
    fn versions_subjects_and_digests_are_the_same_in_every_dress() {
        for number in [0, 1, 7, LARGEST] {
            let (same, text) = (version(number), number.to_string());
            assert_eq!((same.get(), u64::from(same), same.to_string()), (number, number, text.clone()));
            assert_eq!((SessionVersion::try_from(number), text.parse()), (Ok(same), Ok(same)));
        }
        assert!(SessionVersion::try_from(LARGEST + 1).is_err());
        let ann: SessionSubject = "ann".parse().unwrap();
        assert_eq!(
            (ann.as_str(), ann.to_string(), String::from(ann.clone())),
            ("ann", "ann".to_owned(), "ann".to_owned())
        );
        let digest = "49915e0d7d4b402e3017d010bc1c0e83".to_owned();
        assert_eq!((ann.digest().to_string(), String::from(ann.digest())), (digest.clone(), digest.clone()));
        assert_eq!(SubjectDigest::try_from(digest), Ok(ann.digest()));
        assert!("ann lee".parse::<SessionSubject>().is_ok());
    }

    #[test]
    fn what_everybody_has_reached_nobody_needs_for_themselves() {
        let ann = "ann".parse::<SessionSubject>().unwrap().digest();
        let mut versions = SessionVersions::default();
        versions.raise(Some(ann), version(5));
        versions.raise(None, version(4));
        assert_eq!(versions.subjects.len(), 1);
        versions.raise(None, version(5));
        assert_eq!((versions.subjects.len(), versions.least(&ann)), (0, version(5)));
        versions.subjects.insert(ann, version(2)); // as an older release may have left it
        assert_eq!(versions.least(&ann), version(5));
    }
}
