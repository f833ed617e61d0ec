//! Settings that can't be right are refused before a port is opened, with exit code 64 and the key's name.

use metering::testing::free_port;
use tempfile::TempDir;

use crate::house::{SECRET, console, settings};

/// Exit code and words of `--check` with these settings laid over good ones.
fn check(over: &str) -> (i32, String) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("console.toml");
    let stores = "postgres.url = \"postgres://127.0.0.1:1/nowhere\"\nredis.url = \"redis://127.0.0.1:1\"\n";
    std::fs::write(&file, settings(&format!("127.0.0.1:{}", free_port()), stores, "", over)).unwrap();
    let output = console().arg("--check").arg("--config").arg(file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn good_settings_pass_without_a_store_or_stripe() {
    assert_eq!(check(""), (0, "the settings are good\n".to_owned()));
    assert_eq!(check("dev.login = true").0, 0, "on loopback, with a shared secret");
}

#[test]
fn signing_in_as_anybody_is_for_ones_own_machine_only() {
    for listen in ["0.0.0.0:8091", "192.0.2.1:8091", "[::]:8091"] {
        let (code, said) = check(&format!("dev.login = true\nlisten = \"{listen}\""));
        assert_eq!(code, 64, "{listen}: {said}");
        assert!(said.contains("dev.login") && said.contains("loopback"), "{said}");
    }
    let keys = r#"sessions.algorithm = "ES256"
sessions.secret = ""
sessions.jwks_url = "http://127.0.0.1:1/keys"
dev.login = true"#;
    let (code, said) = check(keys);
    assert_eq!((code, said.contains("dev.login")), (64, true), "with keys that this process does not hold: {said}");
    assert_eq!(check("listen = \"0.0.0.0:8091\"").0, 0, "without it, any address is good");
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (settings, words) in [
        (
            "sessions.algorithm = \"\"\nsessions.secret = \"\"\nsessions.issuer = \"\"\nsessions.audience = \"\"",
            "sessions.algorithm",
        ),
        ("sessions.secret = \"short\"", "sessions.secret"),
        ("public_url = \"http://127.0.0.1:1/billing\"", "public_url"),
        ("brand.support_url = \"javascript:alert(1)\"", "brand.support_url"),
        ("brand.chat_url = \"//evil.example\"", "brand.chat_url"),
        ("brand.name = \"\"", "brand.name"),
        ("stripe.mode = \"live\"\nstripe.api_key = \"sk_test_1\"", "live mode"),
        ("stripe.plans = \"absent.toml\"", "absent.toml"),
        ("limits.body_bytes_max = 0", "limits.body_bytes_max"),
        ("limits.live_ms = 0", "limits.live_ms"),
        ("limits.speed = 1", "unknown key `limits.speed`"),
    ] {
        let (code, said) = check(settings);
        assert_eq!(code, 64, "{settings}: {said}");
        assert!(said.contains(words), "{settings}: {said}");
        assert!(!said.contains(SECRET) && !said.contains("sk_test_1"), "{said}");
    }
}
