//! Settings that can't be right are refused before a port is opened, with exit code 64 and the key's name.

use tempfile::TempDir;

use crate::process::{SECRET, program, write_settings};

/// Exit code and words of `--check` with these settings.
fn check(settings: &str) -> (i32, String) {
    let directory = TempDir::new().unwrap();
    let file = write_settings(&directory, settings);
    let output = program().arg("--check").arg("--config").arg(file).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn good_settings_pass_without_a_book_or_stripe() {
    assert_eq!(check(""), (0, "the settings are good\n".to_owned()));
    let live = "stripe.mode = \"live\"\nstripe.api_key = \"rk_live_1\"\nstripe.success_url = \"https://a.example/\"\n\
                stripe.cancel_url = \"https://a.example/\"\nstripe.return_url = \"https://a.example/\"";
    assert_eq!(check(live).0, 0, "{}", check(live).1);
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (settings, words) in [
        ("stripe.webhook_secrets = []", "stripe.webhook_secrets"),
        ("stripe.webhook_secrets = \"\"", "stripe.webhook_secrets"),
        ("stripe.webhook_secrets = [\"\"]", "stripe.webhook_secrets"),
        ("stripe.webhook_secrets = [\"whsec_short\"]", "stripe.webhook_secrets"),
        ("stripe.api_key = \"sk_live_1\"", "api_key is of live mode"),
        ("stripe.mode = \"live\"\nstripe.api_key = \"sk_test_1\"", "live mode"),
        ("stripe.refetch = true", "stripe.refetch"),
        ("stripe.plans = \"absent.toml\"", "absent.toml"),
        ("limits.body_bytes_max = 1048577", "limits.body_bytes_max"),
        ("limits.in_flight_max = 0", "limits.in_flight_max"),
        ("worker.concurrency = 0", "worker.concurrency"),
        ("worker.speed = 1", "unknown key `worker.speed`"),
        ("mail.signing_secrets = [\"whsec_short\"]", "mail.signing_secrets"),
        ("mail.password = \"whsec_short\"", "mail.password"),
        ("mail.passwort = \"\"", "unknown key `mail.passwort`"),
    ] {
        let (code, said) = check(settings);
        assert_eq!(code, 64, "{settings}: {said}");
        assert!(said.contains(words), "{settings}: {said}");
        assert!(!said.contains("whsec_short") && !said.contains("sk_live_1") && !said.contains("sk_test_1"), "{said}");
    }
    let short = format!("stripe.webhook_secrets = [\"{SECRET}\", \"{}\"]", &SECRET[..31]);
    assert_eq!(check(&short).0, 64, "one short secret among good ones");
}

#[test]
fn it_does_not_start_on_wrong_settings_either() {
    let directory = TempDir::new().unwrap();
    let settings = "stripe.webhook_secrets = []";
    let file = write_settings(&directory, settings);
    let output = program().arg("--config").arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
