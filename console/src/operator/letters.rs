//! Dead letters as people meet them: page by page, one with its fields, and those that are given up together.

use ledger::{DeadLetter, Ledger, LetterId};
use metering::{AccountId, StreamEntry};

use super::plain;
use crate::refusal::Refusal;

/// Letters after one, in the order of shard and sequence, and one more than `limit` where there is one.
pub async fn page(
    book: &Ledger,
    account: Option<AccountId>,
    all: bool,
    after: Option<LetterId>,
    limit: u32,
) -> Result<Vec<DeadLetter>, Refusal> {
    let letters = book.dead_letters(account, all).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    Ok(letters.into_iter().filter(|letter| after.is_none_or(|after| letter.letter > after)).take(limit).collect())
}

/// Reads a letter's name from the two parts of an address.
pub fn named(shard: &str, event: &str) -> Result<LetterId, Refusal> {
    format!("{shard}/{event}").parse().map_err(|_| Refusal::not_found("dead letter"))
}

/// The fields of an event as they stood, so that no byte of them can pass for something else.
pub fn fields(entry: &StreamEntry) -> Vec<(String, String)> {
    entry.readable().into_iter().map(|(name, value)| (plain::bytes(name), plain::bytes(value))).collect()
}

/// Open letters of the same account and incarnation, which can be given up together with this one; without an account none but itself.
pub async fn siblings(book: &Ledger, letter: &DeadLetter) -> Result<Vec<LetterId>, Refusal> {
    let Some(account) = letter.account else { return Ok(vec![letter.letter]) };
    let home = |letter: LetterId| (letter.shard, letter.event.incarnation);
    let open = book.dead_letters(Some(account), false).await?;
    Ok(open.into_iter().map(|other| other.letter).filter(|other| home(*other) == home(letter.letter)).collect())
}
