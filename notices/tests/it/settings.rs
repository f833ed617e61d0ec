//! Settings that can't be used end the program before anything is opened; a book that is away is waited for.

use std::process::Output;

use metering::testing::free_port;
use tempfile::TempDir;

use crate::program::{Notices, program, text};
use crate::{House, Mailbox, wait_until};

fn checked(settings: &str) -> (Option<i32>, String) {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("notices.toml");
    std::fs::write(&file, text("postgres://127.0.0.1/none", 2525, settings)).unwrap();
    let Output { status, stderr, .. } = program().arg("--config").arg(&file).arg("--check").output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn good_settings_are_said_to_be_good() {
    assert_eq!(checked(""), (Some(0), "the settings are good\n".to_owned()));
    assert_eq!(checked("letter.from = \"billing@console.example\"\n").0, Some(0));
    assert_eq!(checked("letter.reply_to = \"Support <help@console.example>\"\n").0, Some(0));
}

#[test]
fn settings_that_can_not_be_used_are_named_and_end_with_64() {
    for (settings, told) in [
        ("letter.from = \"nobody\"\n", "letter.from"),
        ("letter.from = \"a@x\\r\\nBcc: b@x\"\n", "letter.from"),
        ("letter.from = \"jürgen@console.example\"\n", "letter.from"),
        ("letter.reply_to = \"a b@x\"\n", "letter.reply_to"),
        ("letter.brand = \"\"\n", "letter.brand"),
        ("smtp.host = \"mail.example\"\n", "smtp.tls"),
        ("smtp.tls = \"tls\"\nsmtp.ca_file = \"/absent.pem\"\n", "/absent.pem"),
        ("smtp.user = \"ada\"\n", "smtp.user"),
        ("smtp.user = \"ada\"\nsmtp.password_file = \"/absent\"\n", "/absent"),
        ("worker.lease_ms = 2000\n", "worker.lease_ms"),
        ("worker.concurency = 3\n", "unknown key `worker.concurency`"),
        ("notices.low_balance = \"yes\"\n", "notices.low_balance"),
    ] {
        let (code, said) = checked(settings);
        assert_eq!(code, Some(64), "{settings}: {said}");
        assert!(said.contains(told), "{settings}: {said}");
    }
}

#[tokio::test]
async fn a_book_that_is_not_there_yet_is_waited_for_and_one_of_another_release_is_final() {
    let mailbox = Mailbox::start(&[]);
    let away = Notices::start(&format!("postgres://127.0.0.1:{}/none", free_port()), mailbox.port(), "");
    wait_until("it listens", async || away.admin("/healthz").await.is_some()).await;
    let readiness = away.readiness().await;
    assert_eq!((&readiness["ready"], &readiness["says"]), (&false.into(), &"the book is not there".into()));
    let house = House::new().await;
    house.db.execute("UPDATE _sqlx_migrations SET version = version + 1000 WHERE version = 26").await.unwrap();
    let mut other = Notices::start(&house.db.url, mailbox.port(), "");
    assert!(!other.ended().await.success());
    assert!(other.log().contains("made by another release"), "{}", other.log());
}
