//! Why an operator changes something: said with each change, for whoever reads the audit later.

use ledger::By;

use super::plain::is_plain;
use super::wrong::Wrong;
use crate::caller::Caller;
use crate::service::Service;

/// Most letters of a reason.
pub const LETTERS_MAX: usize = 500;

/// A reason, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Takes what was typed: 1 to [`LETTERS_MAX`] letters, blanks at the ends aside.
    pub fn of(text: &str) -> Result<Self, Wrong> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = (1..=LETTERS_MAX).contains(&text.chars().count()) && text.chars().all(is_plain);
        if fits {
            return Ok(Self(text));
        }
        let said = format!(
            "Say why, in 1 to {LETTERS_MAX} letters. It stands in the audit, and the account's people can read it."
        );
        Err(Wrong::new("reason", said))
    }

    /// As the actor of a change that is being made now.
    pub fn by(&self, service: &Service, caller: &Caller) -> By {
        caller.by(service, self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_in_one_line_and_not_too_long() {
        let of = |text: &str| Reason::of(text).map(|reason| reason.0);
        assert_eq!(of("  support case 7:\r\n granted twice ").as_deref(), Ok("support case 7: granted twice"));
        assert_eq!(of(&"ü".repeat(LETTERS_MAX)), Ok("ü".repeat(LETTERS_MAX)));
        for wrong in ["", " \r\n\t ", "a\0b", "evil \u{202e}txt", &"x".repeat(LETTERS_MAX + 1)] {
            assert_eq!(of(wrong).unwrap_err().field, "reason", "{wrong:?}");
        }
    }
}
