//! A Redis with users and TLS, and how each program finds it.

use metering::live::Place;
use metering::testing::{RedisServer, RedisTls};

/// A certificate for `localhost` and its key, and the authority that vouches for it; they are for tests only.
const CERTIFICATE: &str = include_str!("../../../../gateway/tests/it/house/tls/server.pem");
const KEY: &str = include_str!("../../../../gateway/tests/it/house/tls/server.key");
const AUTHORITY: &str = include_str!("../../../../gateway/tests/it/house/tls/ca.pem");

pub fn tls() -> RedisTls {
    RedisTls { certificate: CERTIFICATE.to_owned(), key: KEY.to_owned(), callers: None }
}

/// The lines of a settings file that name Redis, for a program that runs under `user` where there are users.
pub fn redis_settings(redis: &RedisServer, user: &str) -> String {
    if !redis.is_guarded() {
        return format!("redis.url = \"{}\"\n", redis.url());
    }
    let authority = redis.directory().join("authority.pem");
    std::fs::write(&authority, AUTHORITY).unwrap();
    format!("redis.url = \"{}\"\nredis.ca_file = \"{}\"\n", redis.url_of(user), authority.display())
}

pub fn place_of(redis: &RedisServer, user: &str) -> Place {
    if !redis.is_guarded() {
        return Place::new(&redis.url());
    }
    Place::new(&redis.url_of(user)).with_ca(Some(AUTHORITY.as_bytes().to_vec()))
}
