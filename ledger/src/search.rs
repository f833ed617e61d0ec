//! Finding accounts by whatever somebody knows of them.

use metering::{AccountId, KeyId};
use uuid::Uuid;

use crate::accounts::RawSummary;
use crate::{AccountSummary, Ledger, LedgerError, READ_MAX};

/// Most bytes of what is looked for; more says nothing more.
const TEXT_BYTES_MAX: usize = 400;
/// Letters that tell keys apart, beginning with the mode: fewer are every key's, and more are not kept.
const KEY_LETTERS: std::ops::RangeInclusive<usize> = 9..=12;

impl Ledger {
    /// Accounts to which a text belongs, in order of id after `after`, at most [`READ_MAX`]: as the beginnings of words of the name or the address,
    /// as the account's id or a key's, as a customer of Stripe, as the first letters of a key.
    ///
    /// A text without letters or digits finds nothing; one that is too long is refused.
    pub async fn search_accounts(
        &self,
        text: &str,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountSummary>, LedgerError> {
        let text = text.trim();
        if text.len() > TEXT_BYTES_MAX || text.contains('\0') {
            return Err(LedgerError::Invalid(format!("what is looked for has at most {TEXT_BYTES_MAX} bytes of text")));
        }
        let uuid = text.parse::<Uuid>().ok();
        let account = text.parse::<AccountId>().ok().map(|account| account.as_uuid()).or(uuid);
        let key = text.parse::<KeyId>().ok().map(|key| key.as_uuid()).or(uuid);
        // Planned for these very words each time: whether few accounts have them or most decides by which index they are found.
        let rows: Vec<RawSummary> = sqlx::query_as(include_str!("../queries/search_accounts.sql"))
            .persistent(false)
            .bind(text)
            .bind(after.map_or(Uuid::nil(), |after| after.as_uuid()))
            .bind(account)
            .bind(key)
            .bind(text)
            .bind(key_letters(text))
            .bind(i64::from(limit.clamp(1, READ_MAX)))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(AccountSummary::try_from).collect()
    }
}

/// A pattern for the first letters of keys, where the text may be some.
fn key_letters(text: &str) -> Option<String> {
    let fits = text.len() >= *KEY_LETTERS.start()
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let letters = text.get(..text.len().min(*KEY_LETTERS.end())).filter(|_| fits)?;
    Some(format!("{}%", letters.replace('_', "\\_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_of_a_key_are_looked_for_as_such() {
        assert_eq!(key_letters("tg_live_x").as_deref(), Some("tg\\_live\\_x%"));
        assert_eq!(key_letters("tg_live_abcdefghijk").as_deref(), Some("tg\\_live\\_abcd%"), "the rest is the secret");
        for other in ["", "tg_live_", "tg_live_%", "Ada Lovelace", "tg-live-abcd"] {
            assert_eq!(key_letters(other), None, "{other}");
        }
    }
}
