//! Who a delivery of a mail provider is from: signed as Stripe signs, or with a password by HTTP Basic.
//!
//! Amazon SNS signs with a key of its own, whose certificate would have to be fetched from an address that stands in the delivery; a service
//! that takes deliveries from outside fetches nothing. SNS sends a password that stands in its subscription instead, in a header and only
//! where it is asked for one. A delivery that is replayed changes nothing, so that a password without a time in it does no harm.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::ConfigError;
use config::webhook::Mail as Settings;
use hmac::{Hmac, KeyInit, Mac};
use metering::TimeMs;
use payments::{Secrets, TOLERANCE};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::refusal::Refusal;

const SIGNATURE: &str = "mail-signature";
const USER: &str = "mail";
const PASSWORD_BYTES_MIN: usize = 32;
const PASSWORD_BYTES_MAX: usize = 255;

/// What deliveries are believed by.
pub struct Proof {
    secrets: Option<Secrets>,
    password: Option<Password>,
}

/// A password, as what it makes of a text: two are compared in constant time, whatever their length.
struct Password(Hmac<Sha256>);

impl Proof {
    /// `None` where nothing is set: then nothing is taken.
    pub fn of(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let secrets = settings.signing_secrets();
        let secrets = match secrets.as_slice() {
            [] => None,
            some => Some(Secrets::new(some).map_err(|why| ConfigError::about_key("mail.signing_secrets", why))?),
        };
        let password = settings.password().map(|password| Password::of(password.expose_secret())).transpose()?;
        Ok((secrets.is_some() || password.is_some()).then_some(Self { secrets, password }))
    }

    /// Refuses what brings nothing to be believed by, before its body is read.
    pub fn has_any(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.contains_key(SIGNATURE) && self.secrets.is_some() {
            return Ok(());
        }
        self.knows(headers).then_some(()).ok_or(Refusal::Unproven)
    }

    /// Believes a signature of now by one of the secrets, or the password. A signature that is wrong is not mended by a password.
    pub fn believe(&self, headers: &HeaderMap, body: &[u8], now: TimeMs) -> Result<(), Refusal> {
        let mut signatures = headers.get_all(SIGNATURE).iter();
        match (signatures.next(), signatures.next(), &self.secrets) {
            (Some(signature), None, Some(secrets)) => {
                let signature = signature.to_str().map_err(|_| Refusal::Unproven)?;
                Ok(payments::verify(signature, body, secrets, now, TOLERANCE)?)
            }
            (None, ..) => self.knows(headers).then_some(()).ok_or(Refusal::Unproven),
            _ => Err(Refusal::Unproven),
        }
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(given), None, Some(password)) = (given.next(), given.next(), &self.password) else { return false };
        let basic = given.to_str().ok().and_then(|given| given.split_once(' '));
        let Some((scheme, encoded)) = basic else { return false };
        let Ok(decoded) = STANDARD.decode(encoded.trim()) else { return false };
        let Some((user, word)) = std::str::from_utf8(&decoded).ok().and_then(|pair| pair.split_once(':')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("basic") && user == USER && password.is(word)
    }
}

impl Password {
    fn of(word: &str) -> Result<Self, ConfigError> {
        let sound = (PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_graphic());
        let why = format!("has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} letters");
        let refused = || ConfigError::about_key("mail.password", &why);
        if !sound {
            return Err(refused());
        }
        Ok(Self(Hmac::new_from_slice(word.as_bytes()).map_err(|_| refused())?))
    }

    /// Whether the other one makes the same of a text.
    fn is(&self, other: &str) -> bool {
        const TEXT: &[u8] = b"mail evidence";
        let Ok(other) = Hmac::<Sha256>::new_from_slice(other.as_bytes()) else { return false };
        let made = other.chain_update(TEXT).finalize().into_bytes();
        self.0.clone().chain_update(TEXT).verify_slice(&made).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: &str = "0123456789abcdef0123456789abcdef";

    fn proof() -> Proof {
        Proof { secrets: None, password: Some(Password::of(WORD).ok().unwrap()) }
    }

    fn headers(lines: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_password_of_its_user_is_believed() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let good = basic(&format!("mail:{WORD}"));
        assert!(proof().knows(&headers(std::slice::from_ref(&good))));
        assert!(proof().knows(&headers(&[good.replace("Basic", "bAsIc")])));
        for bad in [
            basic(&format!("mail:{WORD}x")),
            basic(&format!("mail:{}", &WORD[1..])),
            basic(&format!("Mail:{WORD}")),
            basic(&format!(":{WORD}")),
            basic(WORD),
            basic("mail:"),
            good.replace("Basic", "Bearer"),
            format!("Basic mail:{WORD}"),
            "Basic".to_owned(),
            "Basic \u{7f}".replace('\u{7f}', "!"),
        ] {
            assert!(!proof().knows(&headers(std::slice::from_ref(&bad))), "{bad}");
        }
        assert!(!proof().knows(&headers(&[good.clone(), good])), "two are none");
        assert!(!proof().knows(&headers(&[])));
    }

    #[test]
    fn a_password_that_could_be_guessed_is_refused_and_not_shown() {
        for bad in [
            "short",
            &WORD[1..],
            &"a".repeat(256),
            "0123456789abcdef 123456789abcdef",
            "ü123456789abcdef0123456789abcdef",
        ] {
            let error = Password::of(bad).err().unwrap().to_string();
            assert!(error.contains("mail.password") && !error.contains(bad), "{error}");
        }
    }
}
