//! An operator's word about an account: approved, suspended, or neither any more.
//!
//! While one stands, what Stripe says changes nothing. Taken back, what Stripe has said counts again; where that is nothing that counts, the
//! account is what it was before an operator spoke, and where it never was anything else, pending.

use ledger::stripe::Reopening;
use ledger::{By, Ledger};
use metering::{AccountId, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wrong::Wrong;
use crate::refusal::Refusal;

/// What an operator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It may draw, whatever Stripe says.
    Approve,
    /// It may not, whatever Stripe says.
    Suspend,
    /// What Stripe says counts again.
    Reopen,
}

impl Word {
    pub const ALL: [Self; 3] = [Self::Approve, Self::Suspend, Self::Reopen];

    /// As it stands in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Suspend => "suspend",
            Self::Reopen => "reopen",
        }
    }

    /// Whether it says something of an account that is so now.
    pub const fn changes(self, now: Status) -> bool {
        match self {
            Self::Approve => !matches!(now, Status::Approved),
            Self::Suspend => !matches!(now, Status::Suspended),
            Self::Reopen => now.is_an_operators(),
        }
    }
}

/// What a word would do to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub from: Status,
    pub to: Status,
}

/// What the word would do now, or why it would do nothing.
pub async fn turn(book: &Ledger, account: AccountId, word: Word) -> Result<Result<Turn, Wrong>, Refusal> {
    let Reopening { from, to } = book.reopening(account).await?;
    if !word.changes(from) {
        let text = match word {
            Word::Approve => "This account is approved already.",
            Word::Suspend => "This account is suspended already.",
            Word::Reopen => {
                "No operator has approved or suspended this account: its status follows from what Stripe says."
            }
        };
        return Ok(Err(Wrong::new("word", text)));
    }
    let to = match word {
        Word::Approve => Status::Approved,
        Word::Suspend => Status::Suspended,
        Word::Reopen => to,
    };
    Ok(Ok(Turn { from, to }))
}

/// Does it, if it does what was seen.
pub async fn say(book: &Ledger, account: AccountId, word: Word, seen: Turn, by: &By) -> Result<(), Refusal> {
    let Turn { from, to } = seen;
    match word {
        Word::Approve | Word::Suspend => book.set_status_from(account, Some(from), to, by).await.map(drop)?,
        Word::Reopen => book.reopen(account, Some(Reopening { from, to }), by).await.map(drop)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_would_change_nothing_is_none() {
        for now in Status::ALL {
            let words: Vec<&str> =
                Word::ALL.iter().filter(|word| word.changes(now)).map(|word| word.as_str()).collect();
            let expected: &[&str] = match now {
                Status::Approved => &["suspend", "reopen"],
                Status::Suspended => &["approve", "reopen"],
                _ => &["approve", "suspend"],
            };
            assert_eq!(words, expected, "{now}");
        }
    }
}
