//! The keys that tokens may be signed with, read from a JWKS (RFC 7517). What does not fit the one algorithm is left out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::sessions::Algorithm;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// More keys than any issuer has; a longer list is somebody's mistake.
const KEYS_MAX: usize = 64;

/// Keys, with the number of the reading they came from.
pub struct KeySet {
    keys: Vec<Key>,
    pub reading: u64,
    /// As it was read; empty for a secret.
    pub text: Vec<u8>,
}

struct Key {
    name: Option<String>,
    key: DecodingKey,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeySetFault {
    #[error("it is no JWKS: an object with a list of `keys`")]
    NoKeySet,
    #[error("it has more than {KEYS_MAX} keys")]
    TooMany,
    #[error("it has no key of the algorithm that is set")]
    NoneFits,
}

#[derive(Deserialize)]
struct Written {
    keys: Vec<serde_json::Value>,
}

/// The members that the three kinds of public keys have.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl KeySet {
    pub fn secret(secret: &[u8]) -> Self {
        Self { keys: vec![Key { name: None, key: DecodingKey::from_secret(secret) }], reading: 0, text: Vec::new() }
    }

    pub fn parse(text: &[u8], algorithm: Algorithm, reading: u64) -> Result<Self, KeySetFault> {
        let written: Written = serde_json::from_slice(text).map_err(|_| KeySetFault::NoKeySet)?;
        if written.keys.len() > KEYS_MAX {
            return Err(KeySetFault::TooMany);
        }
        // Keys for other purposes stand in the same set, of kinds not known here.
        let jwks = written.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Key> =
            jwks.filter_map(|jwk| Some(Key { key: public_key(&jwk, algorithm)?, name: jwk.kid })).collect();
        if keys.is_empty() { Err(KeySetFault::NoneFits) } else { Ok(Self { keys, reading, text: text.to_vec() }) }
    }

    /// The key a token names; or, when it names none, the only one.
    pub fn find(&self, name: Option<&str>) -> Option<&DecodingKey> {
        match (name, self.keys.as_slice()) {
            (Some(name), keys) => keys.iter().find(|key| key.name.as_deref() == Some(name)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
        .map(|key| &key.key)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

fn public_key(jwk: &Jwk, algorithm: Algorithm) -> Option<DecodingKey> {
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let coordinate = |text: &Option<String>| bytes(text).filter(|bytes| bytes.len() == 32);
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let is = |alg: &[&str]| jwk.alg.as_deref().is_none_or(|own| alg.contains(&own));
    match (algorithm, jwk.kty.as_str(), jwk.crv.as_deref()) {
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) if is(&["EdDSA", "Ed25519"]) => {
            Some(DecodingKey::from_ed_der(&coordinate(&jwk.x)?))
        }
        (Algorithm::Es256, "EC", Some("P-256")) if is(&["ES256"]) => {
            let point = [&[4][..], &coordinate(&jwk.x)?, &coordinate(&jwk.y)?].concat();
            Some(DecodingKey::from_ec_der(&point))
        }
        (Algorithm::Rs256, "RSA", None) if is(&["RS256"]) => {
            let (n, e) = (bytes(&jwk.n)?, bytes(&jwk.e)?);
            // ring takes 2 048 to 8 192 bits; a shorter key can be broken, a longer one only costs time.
            let sizes = (256..=1_024).contains(&n.len()) && (1..=4).contains(&e.len()) && n[0] != 0;
            sizes.then(|| DecodingKey::from_rsa_raw_components(&n, &e))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(keys: &serde_json::Value, algorithm: Algorithm) -> Result<usize, KeySetFault> {
        let text = json!({ "keys": keys }).to_string();
        KeySet::parse(text.as_bytes(), algorithm, 1).map(|set| set.len())
    }

    #[test]
    fn only_keys_of_the_algorithm_that_is_set_are_taken() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let n = URL_SAFE_NO_PAD.encode([0x80; 256]);
        let keys = json!([
            { "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x },
            { "kty": "OKP", "crv": "Ed25519", "kid": "b", "x": x, "alg": "EdDSA", "use": "sig" },
            { "kty": "OKP", "crv": "Ed25519", "kid": "enc", "x": x, "use": "enc" },
            { "kty": "OKP", "crv": "X25519", "kid": "other", "x": x },
            { "kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "AAAA" },
            { "kty": "EC", "crv": "P-256", "kid": "c", "x": x, "y": x },
            { "kty": "EC", "crv": "P-256", "kid": "half", "x": x },
            { "kty": "EC", "crv": "P-384", "kid": "other", "x": x, "y": x },
            { "kty": "RSA", "kid": "d", "n": n, "e": "AQAB" },
            { "kty": "RSA", "kid": "weak", "n": x, "e": "AQAB" },
            { "kty": "RSA", "kid": "other", "n": n, "e": "AQAB", "alg": "RSA-OAEP" },
            { "kty": "oct", "kid": "secret", "k": x },
            "nonsense",
        ]);
        assert_eq!(parse(&keys, Algorithm::EdDsa), Ok(2));
        assert_eq!(parse(&keys, Algorithm::Es256), Ok(1));
        assert_eq!(parse(&keys, Algorithm::Rs256), Ok(1));
        assert_eq!(parse(&keys, Algorithm::Hs256), Err(KeySetFault::NoneFits), "a set holds no secret");
        assert_eq!(parse(&json!(vec![json!({}); 65]), Algorithm::EdDsa), Err(KeySetFault::TooMany));
        for text in ["", "[]", "{}", "{\"keys\":1}"] {
            assert_eq!(
                KeySet::parse(text.as_bytes(), Algorithm::EdDsa, 1).err(),
                Some(KeySetFault::NoKeySet),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_is_an_index_and_no_name_means_the_only_key() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let key = |kid: &str| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
        let set = |keys| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), Algorithm::EdDsa, 1).unwrap();
        let (one, two) = (set(json!([key("a")])), set(json!([key("a"), key("b")])));
        assert!(one.find(Some("a")).is_some() && one.find(None).is_some() && one.find(Some("b")).is_none());
        assert!(two.find(Some("b")).is_some() && two.find(None).is_none() && two.find(Some("../a")).is_none());
        assert!(KeySet::secret(&[1; 32]).find(Some("a")).is_none(), "a secret has no name");
    }
}
