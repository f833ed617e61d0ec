//! What a change in two steps is made of: the form, what would be done, and what was done.

use serde::{Deserialize, Serialize};

use super::sent::Sent;
use crate::operator::wrong::Wrong;
use crate::refusal::Refusal;

/// Where a page leads back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub href: String,
    pub text: String,
}

impl Link {
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// The first step: what an operator says.
#[derive(Clone, Debug)]
pub struct Form {
    pub title: String,
    pub lead: String,
    pub back: Link,
    pub fields: Vec<Field>,
    /// Where nothing is to be said but why.
    pub button: &'static str,
}

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: String,
    pub kind: Kind,
    pub value: String,
    pub wrong: Option<String>,
}

/// How a field is typed.
#[derive(Clone, Debug)]
pub enum Kind {
    Line,
    Number,
    /// An instant in UTC.
    Instant,
    Area,
    /// One of these: value and words.
    Choice(Vec<(&'static str, String)>),
}

impl Field {
    /// A field with what was sent of it.
    pub fn new(name: &'static str, label: &'static str, kind: Kind, sent: &Sent) -> Self {
        Self { name, label, hint: String::new(), kind, value: sent.one(name).to_owned(), wrong: None }
    }

    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Ids of what is said about it, for readers of the screen.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let wrong = self.wrong.is_some().then(|| format!("{}-wrong", self.name));
        hint.into_iter().chain(wrong).collect::<Vec<_>>().join(" ")
    }
}

/// The second step: what would be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub title: String,
    /// What it means, in sentences.
    pub says: Vec<String>,
    pub rows: Vec<Change>,
    /// What it stands on: if that is another when it is confirmed, it is shown again.
    pub seen: String,
    pub button: &'static str,
    /// Whether it takes something away.
    pub is_danger: bool,
}

/// Before and after of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub what: String,
    pub before: String,
    pub after: String,
}

impl Change {
    pub fn new(what: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { what: what.into(), before: before.into(), after: after.into() }
    }
}

/// Why there is no second step.
#[derive(Debug)]
pub enum Stop {
    /// What was typed.
    Wrong(Wrong),
    /// Anything else.
    Refused(Refusal),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl<E> From<E> for Stop
where
    Refusal: From<E>,
    E: NotWrong,
{
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// What becomes a refusal and is no fault of a field.
pub trait NotWrong {}
impl NotWrong for Refusal {}
impl NotWrong for ledger::LedgerError {}

/// The end: where to, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A page that shows it.
    See(String),
    /// Told once.
    Told(Told),
}

/// What came of a change that has no page of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub title: String,
    pub is_good: bool,
    pub says: Vec<String>,
    pub rows: Vec<Change>,
    pub back: Link,
}
