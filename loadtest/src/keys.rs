//! The keys that calls are made with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use http::HeaderValue;

pub struct Keys {
    /// As the header has them, in the order of the file.
    pub credentials: Vec<HeaderValue>,
    /// The account of each key, by its place in `accounts`.
    pub account_of: Vec<usize>,
    /// Names of accounts; a key alone on its line is an account of its own.
    pub accounts: Vec<String>,
}

impl Keys {
    pub fn read(path: &Path) -> Result<Keys> {
        let text = fs::read_to_string(path).with_context(|| format!("reading the keys in {}", path.display()))?;
        let keys = Keys::parse(&text).with_context(|| format!("reading the keys in {}", path.display()))?;
        ensure!(!keys.credentials.is_empty(), "{} holds no key", path.display());
        Ok(keys)
    }

    fn parse(text: &str) -> Result<Keys> {
        let mut keys = Keys { credentials: Vec::new(), account_of: Vec::new(), accounts: Vec::new() };
        let mut known = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace();
            let Some(key) = words.next().filter(|key| !key.starts_with('#')) else { continue };
            // A key is a secret: an account without a name is called by its place.
            let account = words.next().map_or_else(|| format!("key {}", keys.credentials.len() + 1), str::to_owned);
            ensure!(words.next().is_none(), "line {} is not KEY or KEY ACCOUNT", number + 1);
            let mut credential: HeaderValue =
                format!("Bearer {key}").parse().with_context(|| format!("line {} is no key", number + 1))?;
            credential.set_sensitive(true);
            let place = *known.entry(account).or_insert_with_key(|account| {
                keys.accounts.push(account.clone());
                keys.accounts.len() - 1
            });
            keys.credentials.push(credential);
            keys.account_of.push(place);
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_account_belong_together() {
        let keys =
            Keys::parse("# made by somebody\ntg_test_a acct_1\n\ntg_test_b acct_2\ntg_test_c acct_1\ntg_test_d\n")
                .unwrap();
        assert_eq!(keys.credentials.len(), 4);
        assert_eq!(keys.credentials[0], "Bearer tg_test_a");
        assert_eq!(keys.account_of, [0, 1, 0, 2]);
        assert_eq!(keys.accounts, ["acct_1", "acct_2", "key 4"]);
    }

    #[test]
    fn a_line_with_more_than_two_words_is_refused() {
        assert!(Keys::parse("a b c").is_err());
    }
}
