//! What is wrong with something that an operator typed, and which field it stands in.

use crate::refusal::Refusal;

/// One field, and a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field's name, as forms and bodies name it.
    pub field: &'static str,
    /// For people.
    pub text: String,
}

impl Wrong {
    /// A sentence about a field.
    pub fn new(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::invalid(format!("`{}`: {}", wrong.field, wrong.text)).with("field", wrong.field)
    }
}
