//! A Redis that is guarded: each program has a name of its own and may do what it must, and is spoken to by TLS.

use std::time::{Duration, Instant};

use metering::Status;
use metering::live::Place;
use metering::testing::{RedisServer, RedisSetup, RedisTls, free_port};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::house::{GatewayProcess, House, Upstream, bearer, binary, until};

/// What a gateway may not do, by its own hand: each would let it past the fence, at what is not its own, or at everybody's.
const FORBIDDEN: [&[&str]; 18] = [
    &["SCRIPT", "LOAD", "return 1"],
    &["SCRIPT", "FLUSH"],
    &["EVAL", "return 1", "0"],
    &["FUNCTION", "LOAD", "#!lua name=x"],
    &["FLUSHALL"],
    &["FLUSHDB"],
    &["KEYS", "*"],
    &["SCAN", "0"],
    &["CONFIG", "GET", "*"],
    &["ACL", "LIST"],
    &["INFO"],
    &["XTRIM", "tg:{s000}:1:events", "MAXLEN", "0"],
    &["PUBLISH", "tg:key_changes", "x"],
    &["DEL", "another:program"],
    &["MIGRATE", "127.0.0.1", "1", "tg:install", "0", "1"],
    &["REPLICAOF", "NO", "ONE"],
    &["CLUSTER", "RESET"],
    &["SHUTDOWN", "NOSAVE"],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_under_its_own_user_serves_and_can_load_no_script() {
    let redis = RedisServer::start_with(RedisSetup { users: true, ..RedisSetup::default() });
    let (owner, gateway) = (Place::new(&redis.url_of("ledger-sync")), redis.url_of("gateway"));
    let mut house = House::start_on(redis, owner, &gateway, "").await;
    let ada = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&ada, "").await.status, 200);
    assert_eq!(house.message(&ada, "status=500").await.status, 500, "which is given back");
    house.until_remaining(&ada, 9).await;
    assert_eq!(house.get("/v1/credits", &ada).await.status, 200);
    // A change of the key is heard: the channel is the gateway's to listen to.
    let mut revoked = ada.key_image.clone();
    revoked.state = metering::KeyState::Revoked;
    house.stage.put_key(revoked).await;
    until("the gateway hears changes", || house.gateway.log().contains("changes of API keys are heard")).await;
    let started = Instant::now();
    while house.get("/v1/artifacts/7", &ada).await.status != 401 {
        assert!(started.elapsed() < Duration::from_secs(5), "{}", house.gateway.log());
    }
    for command in FORBIDDEN {
        let refused = house.redis.try_command(&Place::new(&gateway), command).unwrap_err();
        assert!(refused.to_uppercase().contains("NOPERM"), "{command:?}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_not_shown_and_free_routes_go_on() {
    let redis = RedisServer::start_with(RedisSetup { users: true, ..RedisSetup::default() });
    let upstream = Upstream::start().await;
    let wrong = redis.url_of("gateway").replace("gateway:", "gateway:mistaken");
    let gateway = GatewayProcess::start(&wrong, &upstream.url(), "log.level = \"debug\"");
    until("the refusal is known", || gateway.log().contains("Redis can't be reached")).await;
    assert_eq!(gateway.send("GET", "/open", &[], "").await.status, 200);
    let key = metering::ApiKey::generate(metering::KeyMode::Test, [1; 32]);
    let answer = gateway.send("POST", "/v1/messages", &[("Authorization", &bearer(&key))], "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "meter_unavailable"));
    assert!(!gateway.log().contains("mistaken"), "{}", gateway.log());
}

/// A certificate of its own making, for `localhost`, and its key.
fn self_signed() -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_is_spoken_to_by_tls_that_both_sides_verify() {
    let ((certificate, key), (own, own_key)) = (self_signed(), self_signed());
    let tls = RedisTls { certificate: certificate.clone(), key, callers: Some(own.clone()) };
    let redis = RedisServer::start_with(RedisSetup { users: true, tls: Some(tls), ..RedisSetup::default() });
    let files = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca, shown, shown_key) = (write("ca.pem", &certificate), write("own.pem", &own), write("own.key", &own_key));
    let believing = format!("redis.ca_file = \"{ca}\"\n");
    let showing = format!("redis.certificate_file = \"{shown}\"\nredis.key_file = \"{shown_key}\"\n");

    let place = |user: &str| Place::new(&redis.url_of(user)).with_ca(Some(certificate.clone().into_bytes()));
    let (owner, url) = (place("ledger-sync").with_identity(own.into_bytes(), &own_key), redis.url_of("gateway"));
    let mut house = House::start_on(redis, owner, &url, &format!("{believing}{showing}")).await;
    let ada = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&ada, "").await.status, 200);
    house.until_remaining(&ada, 9).await;

    // The public authorities vouch for no such Redis; and Redis takes no caller whom nobody vouches for.
    for settings in [&showing, &believing] {
        let stranger = GatewayProcess::start(&url, &house.upstream.url(), settings);
        until("it is not reached", || stranger.log().contains("Redis can't be reached")).await;
        assert_eq!(stranger.admin("/readyz").await.unwrap().status, 503);
    }
}

#[test]
fn a_redis_that_could_be_overheard_or_is_not_verified_is_refused_at_the_start() {
    let absent = free_port();
    for (settings, reason) in [
        ("url = \"redis://gateway:hidden@redis.test:6379\"", "plaintext"),
        ("url = \"rediss://gateway:hidden@redis.test:6379/#insecure\"", "ca_file"),
        ("url = \"redis://gateway:hidden@127.0.0.1:x\"", "URL"),
        ("url = \"rediss://gateway:hidden@redis.test\"\nca_file = \"absent.pem\"", "absent.pem"),
        ("url = \"rediss://gateway:hidden@redis.test\"\nca_file = \"gateway.toml\"", "certificate"),
        ("certificate_file = \"gateway.toml\"", "key_file"),
    ] {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("gateway.toml");
        std::fs::write(&file, format!("listen = \"127.0.0.1:{absent}\"\n[redis]\n{settings}\n")).unwrap();
        let output = binary().arg("--check").arg("--config").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{settings}: {said}");
        assert!(said.contains(reason) && !said.contains("hidden"), "{settings}: {said}");
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("gateway.toml");
    std::fs::write(&file, "[redis]\nurl = \"redis://redis.test\"\nplaintext = true\n").unwrap();
    assert!(binary().arg("--check").arg("--config").arg(&file).output().unwrap().status.success());
}
