//! A Redis with users and TLS, and how each program finds it.

use std::sync::LazyLock;

use metering::live::Place;
use metering::testing::{RedisServer, RedisTls};
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// Made for this run, for `localhost`.
static TLS: LazyLock<RedisTls> = LazyLock::new(|| {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    RedisTls { certificate: cert.pem(), key: signing_key.serialize_pem(), callers: None }
});

pub fn tls() -> RedisTls {
    TLS.clone()
}

/// The lines of a settings file that name Redis, for a program that runs under `user` where there are users.
pub fn redis_settings(redis: &RedisServer, user: &str) -> String {
    if !redis.is_guarded() {
        return format!("redis.url = \"{}\"\n", redis.url());
    }
    let authority = redis.directory().join("authority.pem");
    std::fs::write(&authority, &TLS.certificate).unwrap();
    format!("redis.url = \"{}\"\nredis.ca_file = \"{}\"\n", redis.url_of(user), authority.display())
}

pub fn place_of(redis: &RedisServer, user: &str) -> Place {
    if !redis.is_guarded() {
        return Place::new(&redis.url());
    }
    Place::new(&redis.url_of(user)).with_ca(Some(TLS.certificate.clone().into_bytes()))
}
