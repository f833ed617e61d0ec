//! API keys: how a program proves its account.
//!
//! `tg_live_` or `tg_test_`, 43 base62 digits that hold 256 random bits, 6 base62 digits of checksum. The checksum refuses
//! typing errors without a look-up. Only the SHA-256 of the whole text is ever stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Base62 digits that hold 256 bits.
const SECRET_DIGITS: usize = 43;
/// Base62 digits of the checksum: 35 bits of SHA-256 over what stands before it.
const CHECK_DIGITS: usize = 6;
const PREFIX_LETTERS: usize = 8;
/// Letters shown of a key so that people can tell their keys apart: the prefix and four more.
const DISPLAY_LETTERS: usize = PREFIX_LETTERS + 4;

/// Whether a key is for real work or for trying things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// `tg_live_`
    Live,
    /// `tg_test_`
    Test,
}

impl KeyMode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "tg_live_",
            Self::Test => "tg_test_",
        }
    }
}

/// A text that can't be an API key: refused without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ApiKeyError {
    /// Not of the form of a key.
    #[error("not of the form tg_live_… or tg_test_…")]
    Malformed,
    /// Of the form, but a letter is wrong.
    #[error("the key's checksum does not match: a letter is wrong or missing")]
    Checksum,
}

/// A whole API key. Never logged: `Debug` shows its first letters only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Makes a key of 256 random bits.
    #[must_use]
    pub fn generate(mode: KeyMode, random: [u8; 32]) -> Self {
        let mut text = String::from(mode.prefix());
        text.push_str(&base62::<SECRET_DIGITS>(random));
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// Checks form and checksum.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        KeyText::new(text)?.check().map(|()| Self(text.to_owned()))
    }

    /// SHA-256 of the whole key: what is stored and looked up.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyText(&self.0).digest()
    }

    /// The whole secret text: shown once, to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The first letters, to tell keys apart; they hold no usable part of the secret.
    #[must_use]
    pub fn display_prefix(&self) -> &str {
        self.0.get(..DISPLAY_LETTERS).unwrap_or("")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKey({}…)", self.display_prefix())
    }
}

/// A text of the form of an API key, whose checksum is still to be looked at: whoever knows its digest already need not.
#[derive(Clone, Copy)]
pub struct KeyText<'text>(&'text str);

impl<'text> KeyText<'text> {
    /// Checks the form alone.
    pub fn new(text: &'text str) -> Result<Self, ApiKeyError> {
        let body = text
            .strip_prefix(KeyMode::Live.prefix())
            .or_else(|| text.strip_prefix(KeyMode::Test.prefix()))
            .ok_or(ApiKeyError::Malformed)?;
        let well_formed = body.len() == SECRET_DIGITS.saturating_add(CHECK_DIGITS)
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if well_formed { Ok(Self(text)) } else { Err(ApiKeyError::Malformed) }
    }

    /// SHA-256 of the whole text.
    #[must_use]
    pub fn digest(self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Checks the checksum, before anybody is asked about a digest that is not known.
    pub fn check(self) -> Result<(), ApiKeyError> {
        let (secret, check) = self.0.split_at(self.0.len().saturating_sub(CHECK_DIGITS));
        if checksum(secret) == check { Ok(()) } else { Err(ApiKeyError::Checksum) }
    }
}

/// SHA-256 of an API key. Shown as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Takes a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 lower-case hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let lower = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !lower {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&crate::hex(&self.0))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyDigest({self})")
    }
}

impl TryFrom<String> for KeyDigest {
    type Error = crate::IdError;

    fn try_from(text: String) -> Result<Self, crate::IdError> {
        Self::from_hex(&text).ok_or(crate::IdError { expected: "a key digest (64 lower-case hex digits)" })
    }
}

impl From<KeyDigest> for String {
    fn from(digest: KeyDigest) -> String {
        digest.to_string()
    }
}

fn checksum(text: &str) -> String {
    base62::<CHECK_DIGITS>(Sha256::digest(text.as_bytes()).into())
}

/// The last `DIGITS` base62 digits of a 256-bit number, by long division. Each call with a key needs six of them, so it goes by 32 bits at once.
fn base62<const DIGITS: usize>(number: [u8; 32]) -> String {
    let (words, _) = number.as_chunks();
    let mut number: [u64; 8] =
        std::array::from_fn(|at| words.get(at).map_or(0, |word| u32::from_be_bytes(*word).into()));
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut carry = 0;
        for word in &mut number {
            let value = (carry << 32) | *word; // below 62 × 2^32
            (*word, carry) = (value / 62, value % 62);
        }
        let place = usize::try_from(carry).unwrap_or(0); // always fits, and is always there: it is below 62
        *digit = ALPHABET.get(place).copied().unwrap_or(b'0');
    }
    digits.iter().map(|&digit| char::from(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_shows_little_of_itself() {
        let key = ApiKey::generate(KeyMode::Live, [0xa5; 32]);
        assert_eq!(key.reveal().len(), 8 + 43 + 6);
        assert_eq!(ApiKey::parse(key.reveal()), Ok(key.clone()));
        assert_eq!(key.display_prefix().len(), 12);
        assert!(!format!("{key:?}").contains(&key.reveal()[12..]));
        assert_eq!(KeyDigest::from_hex(&key.digest().to_string()), Some(key.digest()));
    }

    #[test]
    fn two_secrets_never_share_a_spelling() {
        let mut last_bit = [0; 32];
        last_bit[31] = 1;
        assert_ne!(ApiKey::generate(KeyMode::Test, [0; 32]), ApiKey::generate(KeyMode::Test, last_bit));
        assert_ne!(ApiKey::generate(KeyMode::Test, [255; 32]), ApiKey::generate(KeyMode::Test, [254; 32]));
    }

    #[test]
    fn each_single_wrong_letter_is_refused_without_a_look_up() {
        let key = ApiKey::generate(KeyMode::Test, [7; 32]);
        for place in 8..key.reveal().len() {
            let mut letters = key.reveal().as_bytes().to_vec();
            letters[place] = if letters[place] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(letters).unwrap();
            assert_eq!(ApiKey::parse(&typo), Err(ApiKeyError::Checksum), "{typo}");
        }
        for wrong in ["", "tg_live_", "sk_live_abc", "tg_live_ü", &key.reveal()[..50], &format!("{}0", key.reveal())] {
            assert_eq!(ApiKey::parse(wrong), Err(ApiKeyError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_key_s_text_is_what_it_was_in_every_release() {
        for (mode, word, random, text) in [
            (KeyMode::Live, "live", [0xa5; 32], "tg_live_dHMOUNLh0UTx6gmQ9MHQdRUvZdbXMLLlzChlYYN1shxFRaCxo"),
            (
                KeyMode::Test,
                "test",
                std::array::from_fn(|place| u8::try_from(place).unwrap()),
                "tg_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf9y4tcb",
            ),
        ] {
            let key = ApiKey::generate(mode, random);
            assert_eq!((key.reveal(), mode.as_str()), (text, word));
            assert_eq!(format!("{key:?}"), format!("ApiKey({}…)", &text[..12]));
        }
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let text = "3e1dc292db1cb2c40248052a5344fc96fc9764e1d89336baacd8ca066769b09c";
        let key = "tg_test_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf9y4tcb";
        let digest = ApiKey::parse(key).unwrap().digest();
        assert_eq!((digest.to_string().as_str(), format!("{digest:?}")), (text, format!("KeyDigest({text})")));
        assert_eq!(KeyDigest::from_bytes(*digest.as_bytes()), digest);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!((json.as_str(), serde_json::from_str(&json).ok()), (format!("\"{text}\"").as_str(), Some(digest)));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &text.replace('3', "g")] {
            assert_eq!(KeyDigest::from_hex(wrong), None, "{wrong}");
        }
    }
}
