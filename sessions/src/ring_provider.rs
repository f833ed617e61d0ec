//! The cryptography behind tokens: ring's, which TLS uses already. Tokens are verified here and never signed.

use config::sessions::Algorithm as Setting;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use signature::Verifier;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(refused()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

pub fn install() {
    // A second time it is there already, and it is the same.
    PROVIDER.install_default().ok();
}

pub fn algorithm(setting: Setting) -> Algorithm {
    match setting {
        Setting::EdDsa => Algorithm::EdDSA,
        Setting::Es256 => Algorithm::ES256,
        Setting::Rs256 => Algorithm::RS256,
        Setting::Hs256 => Algorithm::HS256,
    }
}

fn refused() -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

enum Key {
    Secret(hmac::Key),
    Point(UnparsedPublicKey<Vec<u8>>),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

struct RingVerifier {
    algorithm: Algorithm,
    key: Key,
}

/// A key is of one family, and an algorithm of another family can't use it: an RSA key is no secret for HS256.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the library's own form")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(refused());
    }
    let point = |kind: &'static dyn VerificationAlgorithm, bytes: &[u8]| {
        Key::Point(UnparsedPublicKey::new(kind, bytes.to_vec()))
    };
    let key = match (algorithm, key.kind()) {
        (Algorithm::HS256, DecodingKeyKind::SecretOrDer(bytes)) => {
            Key::Secret(hmac::Key::new(hmac::HMAC_SHA256, bytes))
        }
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(bytes)) => point(&ECDSA_P256_SHA256_FIXED, bytes),
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => point(&ED25519, bytes),
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Key::Rsa(RsaPublicKeyComponents { n: n.clone(), e: e.clone() })
        }
        _ => return Err(refused()),
    };
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key }))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match &self.key {
            Key::Secret(key) => hmac::verify(key, message, signature),
            Key::Point(key) => key.verify(message, signature),
            Key::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
        }
        .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
