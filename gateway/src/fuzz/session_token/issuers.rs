//! Those who sign honestly, one for each algorithm, and the verifiers that trust them.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use config::Service;
use config::gateway::Settings;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, rsa};
use serde_json::{Value, json};
use sessions::{KeySource, Sessions};

use super::part;

pub const ISSUER: &str = "id.test";
pub const AUDIENCE: &str = "gateway.test";
pub const NOW_SECONDS: u64 = 1_800_000_000;
/// The default of the settings.
pub const LEEWAY_SECONDS: u64 = 5;

const SECRET: &str = "a secret that only the honest know, and 32 bytes long";
/// Made for tests, and good for nothing else: ring makes no RSA keys.
const RSA_KEY: &[u8] = include_bytes!("../../../tests/it/house/rsa_key_of_tests.pk8");

pub struct Issuer {
    pub algorithm: &'static str,
    pub sessions: Sessions,
    /// All that it has signed, but for what a target signs itself.
    pub genuine: Vec<String>,
}

pub fn issuers() -> &'static [Issuer] {
    static ISSUERS: LazyLock<Vec<Issuer>> = LazyLock::new(|| {
        let secret = format!("secret = \"{SECRET}\"");
        let mut all = vec![issuer("HS256", &secret, None)];
        for (algorithm, key) in public_keys() {
            let file = std::env::temp_dir().join(format!("tollgate-fuzz-{}-{algorithm}.json", std::process::id()));
            std::fs::write(&file, json!({ "keys": [key] }).to_string()).expect("a file for the keys");
            all.push(issuer(algorithm, &format!("jwks_file = \"{}\"", file.display()), Some("a")));
            std::fs::remove_file(&file).ok();
        }
        all
    });
    &ISSUERS
}

fn issuer(algorithm: &'static str, keys: &str, kid: Option<&str>) -> Issuer {
    let text = format!(
        "[sessions]\nalgorithm = \"{algorithm}\"\nissuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\nentries_max = 64\n{keys}\n"
    );
    let file = std::env::temp_dir().join(format!("tollgate-fuzz-{}-{algorithm}.toml", std::process::id()));
    std::fs::write(&file, text).expect("a file for the settings");
    let rules = read(&file).sessions.rules().expect("good settings").expect("sessions are on");
    std::fs::remove_file(&file).ok();
    let keys = KeySource::open(&rules.keys, rules.algorithm, Arc::new(())).expect("the keys");
    let header = |kid: Option<&str>| match kid {
        Some(kid) => json!({ "typ": "JWT", "alg": algorithm, "kid": kid }),
        None => json!({ "alg": algorithm }),
    };
    let token = |header: &Value| sign(algorithm, header.to_string().as_bytes(), good_claims().as_bytes());
    // A secret has no name; of a set with one key the name may be left out.
    let genuine = vec![token(&header(kid)), token(&header(None))];
    Issuer { algorithm, sessions: Sessions::new(rules, keys, Arc::new(())), genuine }
}

fn read(file: &Path) -> Settings {
    config::load(Service::Gateway, Some(file)).expect("settings")
}

pub fn good_claims() -> String {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": NOW_SECONDS, "exp": NOW_SECONDS + 600,
        "account": "acct_00000000000000000000000000000002",
    })
    .to_string()
}

pub fn sign_with_ed25519(header: &[u8], claims: &[u8]) -> String {
    sign("EdDSA", header, claims)
}

/// Tokens whose "secret" is a public key, in the forms in which it is handed about.
pub fn sign_with_public_key(header: &[u8]) -> [String; 4] {
    let keys = &*KEYS;
    let rsa = rsa::PublicKeyComponents::<Vec<u8>>::from(keys.rsa.public());
    let text = part(keys.ed25519.public_key().as_ref());
    [keys.ed25519.public_key().as_ref(), keys.p256.public_key().as_ref(), &rsa.n, text.as_bytes()].map(|known| {
        let signed = format!("{}.{}", part(header), part(good_claims().as_bytes()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, known), signed.as_bytes());
        format!("{signed}.{}", part(tag.as_ref()))
    })
}

struct Keys {
    ed25519: Ed25519KeyPair,
    p256: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let p256 = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
    Keys {
        // The same at each run, so that a token that was kept stays what it was.
        ed25519: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key"),
        p256: EcdsaKeyPair::from_pkcs8(kind, p256.as_ref(), &random).expect("the same key"),
        rsa: RsaKeyPair::from_pkcs8(RSA_KEY).expect("the key of tests"),
    }
});

fn public_keys() -> [(&'static str, Value); 3] {
    let keys = &*KEYS;
    let (x, y) = keys.p256.public_key().as_ref()[1..].split_at(32);
    let rsa = rsa::PublicKeyComponents::<Vec<u8>>::from(keys.rsa.public());
    let ed25519 = part(keys.ed25519.public_key().as_ref());
    [
        ("EdDSA", json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": ed25519 })),
        ("ES256", json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": part(x), "y": part(y) })),
        ("RS256", json!({ "kty": "RSA", "kid": "a", "n": part(&rsa.n), "e": part(&rsa.e) })),
    ]
}

fn sign(algorithm: &str, header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let (message, random, keys) = (signed.as_bytes(), SystemRandom::new(), &*KEYS);
    let signature = match algorithm {
        "EdDSA" => keys.ed25519.sign(message).as_ref().to_vec(),
        "ES256" => keys.p256.sign(&random, message).expect("signed").as_ref().to_vec(),
        "RS256" => {
            let mut signature = vec![0; keys.rsa.public().modulus_len()];
            keys.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("signed");
            signature
        }
        _ => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message).as_ref().to_vec(),
    };
    format!("{signed}.{}", part(&signature))
}
