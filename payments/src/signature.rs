//! Whether a delivery was signed by Stripe, and now: HMAC-SHA256 over the time and the raw bytes of the body.

mod header;

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use metering::TimeMs;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use thiserror::Error;

pub use header::HEADER_BYTES_MAX;

/// How far a delivery's time may be from ours, either way: what Stripe's own libraries allow.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// Stripe's own have 38 letters; what is shorter than this could be guessed.
pub const SECRET_BYTES_MIN: usize = 32;
/// Far more than anything that signs; longer is another file pasted here.
const SECRET_BYTES_MAX: usize = 255;
/// A rotation needs two.
const SECRETS_MAX: usize = 8;
const PREFIX: &str = "whsec_";

/// Why secrets can't be used. Never says what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretsError {
    #[error("no webhook secret is set: anybody could sign deliveries")]
    None,
    #[error("more than {SECRETS_MAX} webhook secrets")]
    TooMany,
    #[error("a webhook secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} letters, and starts with {PREFIX}")]
    Unsound,
}

/// What deliveries may be signed with; several while a secret is being replaced.
#[derive(Clone)]
pub struct Secrets(Vec<Hmac<Sha256>>);

impl Secrets {
    /// Takes at least one secret, each of them sound.
    pub fn new(secrets: &[SecretString]) -> Result<Self, SecretsError> {
        match secrets.len() {
            0 => return Err(SecretsError::None),
            1..=SECRETS_MAX => {}
            _ => return Err(SecretsError::TooMany),
        }
        secrets.iter().map(|secret| keyed(secret.expose_secret())).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The whole text is the key, its prefix included.
fn keyed(secret: &str) -> Result<Hmac<Sha256>, SecretsError> {
    let sound = (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.len())
        && secret.starts_with(PREFIX)
        && secret.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound {
        return Err(SecretsError::Unsound);
    }
    Hmac::new_from_slice(secret.as_bytes()).map_err(|_| SecretsError::Unsound)
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    #[error("the signature header has more than {HEADER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the signature header is malformed: {0}")]
    Malformed(&'static str),
    #[error("no signature is by a secret that we know")]
    Wrong,
    #[error("the delivery was signed too long ago")]
    TooOld,
    #[error("the delivery was signed in the future: the clocks differ")]
    TooNew,
}

impl SignatureError {
    /// A stable word for metrics and logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "header_too_long",
            Self::Malformed(_) => "header_malformed",
            Self::Wrong => "signature_wrong",
            Self::TooOld => "signature_too_old",
            Self::TooNew => "signature_too_new",
        }
    }
}

/// Believes a delivery if one of its signatures is by one of the secrets and its time is within the tolerance of ours.
///
/// The time is judged last: only then does "too old" mean a delivery of Stripe's, and a clock that is wrong.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &Secrets,
    now: TimeMs,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let header = header::parse(header)?;
    let mut known = false;
    for secret in &secrets.0 {
        let signed = secret.clone().chain_update(header.timestamp).chain_update(b".").chain_update(body);
        for signature in &header.signatures {
            // Every pair is compared, each in constant time: how long it takes says nothing about what was right.
            known |= signed.clone().verify_slice(signature).is_ok();
        }
    }
    if !known {
        return Err(SignatureError::Wrong);
    }
    let signed_at = TimeMs::new(header.seconds.saturating_mul(1000));
    let tolerance = u64::try_from(tolerance.as_millis()).unwrap_or(u64::MAX);
    if now.since(signed_at) > tolerance {
        return Err(SignatureError::TooOld);
    }
    if signed_at.since(now) > tolerance {
        return Err(SignatureError::TooNew);
    }
    Ok(())
}

/// The header that Stripe would send with this body: for tests and fakes that deliver.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn sign(body: &[u8], secret: &str, at: TimeMs) -> Option<String> {
    let seconds = at.as_u64() / 1000;
    let signed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    let tag = signed.chain_update(seconds.to_string()).chain_update(b".").chain_update(body).finalize().into_bytes();
    let hex: String = tag
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect();
    Some(format!("t={seconds},v1={hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_0123456789abcdef0123456789abcdef";
    const OTHER: &str = "whsec_fedcba9876543210fedcba9876543210";
    const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
    const AT: TimeMs = TimeMs::new(1_764_115_200_000);

    fn secrets(texts: &[&str]) -> Result<Secrets, SecretsError> {
        Secrets::new(&texts.iter().map(|text| SecretString::from(*text)).collect::<Vec<_>>())
    }

    fn checked(header: &str, body: &[u8], texts: &[&str], now: TimeMs) -> Result<(), SignatureError> {
        verify(header, body, &secrets(texts).unwrap(), now, TOLERANCE)
    }

    #[test]
    fn what_was_signed_with_the_secret_is_believed() {
        let header = sign(BODY, SECRET, AT).unwrap();
        assert_eq!(header, "t=1764115200,v1=eedd7f45565d345cdf04c0dc80187e9584ab94386cfc69e83e2e8dd4af8d76e5");
        assert_eq!(checked(&header, BODY, &[SECRET], AT), Ok(()));
    }

    #[test]
    fn while_a_secret_is_replaced_both_are_believed() {
        let header = sign(BODY, OTHER, AT).unwrap();
        assert_eq!(checked(&header, BODY, &[SECRET, OTHER], AT), Ok(()));
        assert_eq!(checked(&header, BODY, &[OTHER, SECRET], AT), Ok(()));
        let (_, second) = header.split_once(',').unwrap();
        let both = format!("{},{second}", sign(BODY, SECRET, AT).unwrap());
        assert_eq!(checked(&both, BODY, &[OTHER], AT), Ok(()));
        assert_eq!(checked(&both, BODY, &[SECRET], AT), Ok(()));
    }

    #[test]
    fn another_secret_or_another_body_or_another_time_is_not() {
        let header = sign(BODY, SECRET, AT).unwrap();
        assert_eq!(checked(&header, BODY, &[OTHER], AT), Err(SignatureError::Wrong));
        assert_eq!(checked(&header, b"{\"id\":\"evt_2\"}", &[SECRET], AT), Err(SignatureError::Wrong));
        assert_eq!(checked(&header, b"", &[SECRET], AT), Err(SignatureError::Wrong));
        let moved = header.replace("1764115200", "1764115201");
        assert_eq!(checked(&moved, BODY, &[SECRET], AT), Err(SignatureError::Wrong));
    }

    #[test]
    fn the_tolerance_is_five_minutes_both_ways() {
        let header = sign(BODY, SECRET, AT).unwrap();
        let now = |now| checked(&header, BODY, &[SECRET], now);
        assert_eq!(now(AT.plus_ms(300_000)), Ok(()));
        assert_eq!(now(AT.plus_ms(300_001)), Err(SignatureError::TooOld));
        assert_eq!(now(AT.minus_ms(300_000)), Ok(()));
        assert_eq!(now(AT.minus_ms(300_001)), Err(SignatureError::TooNew));
    }

    #[test]
    fn a_forgery_is_wrong_before_it_is_old() {
        let header = sign(BODY, OTHER, AT).unwrap();
        assert_eq!(checked(&header, BODY, &[SECRET], AT.plus_ms(900_000)), Err(SignatureError::Wrong));
    }

    #[test]
    fn secrets_that_could_be_guessed_are_refused() {
        let short = format!("whsec_{}", "a".repeat(25));
        let long = format!("whsec_{}", "a".repeat(250));
        let unprefixed = "a".repeat(40);
        let spaced = format!("{SECRET} ");
        for text in ["", "whsec_", &short, &long, &unprefixed, &spaced, "whsec_ü123456789abcdef0123456789abcdef"] {
            assert_eq!(secrets(&[text]).err(), Some(SecretsError::Unsound), "{text}");
            assert_eq!(secrets(&[SECRET, text]).err(), Some(SecretsError::Unsound), "{text}");
        }
        assert!(secrets(&[&format!("{short}a")]).is_ok());
        assert!(secrets(&[&long[..255]]).is_ok());
        assert_eq!(secrets(&[]).err(), Some(SecretsError::None));
        assert!(secrets(&[SECRET; 8]).is_ok());
        assert_eq!(secrets(&[SECRET; 9]).err(), Some(SecretsError::TooMany));
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", secrets(&[SECRET, OTHER]).unwrap());
        assert_eq!(printed, "Secrets(2)");
    }

    #[test]
    fn every_refusal_has_a_word_of_its_own() {
        let words = [
            SignatureError::TooLong.code(),
            SignatureError::Malformed("").code(),
            SignatureError::Wrong.code(),
            SignatureError::TooOld.code(),
            SignatureError::TooNew.code(),
        ];
        assert_eq!(
            words,
            ["header_too_long", "header_malformed", "signature_wrong", "signature_too_old", "signature_too_new"]
        );
    }
}
