//! The line to the mail server: closed to others where it leaves the machine, and with a password that nobody else sees.

use ledger::mails::MailState;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::payer::story;
use crate::{House, Mailbox, Notices};

/// A certificate for this machine that no public authority has signed.
struct Papers {
    directory: TempDir,
}

impl Papers {
    fn new(name: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(directory.path().join("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
        Self { directory }
    }

    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    fn mailbox(&self) -> Mailbox {
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        Mailbox::start(&[
            "--certificate",
            &certificate,
            "--key",
            &key,
            "--smtps",
            "127.0.0.1:0",
            "--user",
            "ada:s3cret-word",
        ])
    }

    fn settings(&self, tls: &str) -> String {
        let authority = self.path("certificate.pem");
        format!(
            "smtp.host = \"localhost\"\nsmtp.tls = \"{tls}\"\nsmtp.ca_file = \"{authority}\"\nsmtp.user = \"ada\"\nsmtp.password = \"s3cret-word\"\n"
        )
    }
}

#[tokio::test]
async fn mails_go_over_tls_from_the_first_byte_or_after_starttls() {
    let papers = Papers::new("localhost");
    let (house, mailbox) = (House::new().await, papers.mailbox());
    for (number, (tls, port)) in [("tls", mailbox.closed_port()), ("starttls", mailbox.port())].into_iter().enumerate()
    {
        let ada = house.low(&format!("p{number}@example.com")).await;
        let notices = Notices::start(&house.db.url, port, &papers.settings(tls));
        house.is(ada, MailState::Sent).await;
        assert!(!notices.log().contains("s3cret"), "{}", notices.log());
    }
    let mails = mailbox.holds(2).await;
    assert!(mails.iter().all(|mail| mail["encrypted"] == true), "{mails:?}");
}

#[tokio::test]
async fn a_server_that_can_not_prove_who_it_is_gets_no_mail_and_no_password() {
    let (house, papers, others) = (House::new().await, Papers::new("localhost"), Papers::new("mail.example"));
    let (mailbox, elsewhere) = (papers.mailbox(), others.mailbox());
    let mut unknown = papers.settings("tls");
    unknown = unknown.replace(&papers.path("certificate.pem"), &others.path("certificate.pem"));
    let cases = [
        (mailbox.closed_port(), unknown, "an authority that nobody named"),
        (elsewhere.closed_port(), others.settings("tls"), "another name"),
        (elsewhere.port(), others.settings("starttls"), "another name after STARTTLS"),
    ];
    for (number, (port, settings, what)) in cases.into_iter().enumerate() {
        let ada = house.low(&format!("p{number}@example.com")).await;
        let settings = settings + "worker.attempts_max = 2\n";
        let _notices = Notices::start(&house.db.url, port, &settings);
        let mail = house.is(ada, MailState::Failed).await;
        assert_eq!(story(&mail), ["queued", "put_off no_answer", "failed gave_up"], "{what}: {mail:?}");
        assert!(mail.evidence[1].detail.as_deref().unwrap().contains("certificate"), "{what}: {mail:?}");
    }
    assert!(mailbox.mails().await.is_empty() && elsewhere.mails().await.is_empty());
}

#[tokio::test]
async fn a_server_without_starttls_is_not_spoken_to_openly() {
    let (house, papers, open) = (House::new().await, Papers::new("localhost"), Mailbox::start(&[]));
    let ada = house.low("ada@example.com").await;
    let settings = papers.settings("starttls") + "worker.attempts_max = 1\n";
    let _notices = Notices::start(&house.db.url, open.port(), &settings);
    let mail = house.is(ada, MailState::Failed).await;
    assert!(mail.evidence[1].detail.as_deref().unwrap().contains("STARTTLS is not supported"), "{mail:?}");
    assert!(open.mails().await.is_empty());
}

#[tokio::test]
async fn a_wrong_password_is_told_and_mended_without_losing_a_mail() {
    let (house, papers) = (House::new().await, Papers::new("localhost"));
    let mailbox = papers.mailbox();
    let ada = house.low("ada@example.com").await;
    let wrong = papers.settings("tls").replace("s3cret-word", "wr0ng-word");
    let mut notices = Notices::start(&house.db.url, mailbox.closed_port(), &wrong);
    crate::wait_until("it was tried", async || story(&house.mail(ada).await).len() >= 2).await;
    assert_eq!(house.mail(ada).await.evidence[1].code.as_deref(), Some("server_refuses"));
    assert!(house.mail(ada).await.evidence[1].detail.as_deref().unwrap().starts_with("535"));
    notices.signal("TERM");
    notices.ended().await;
    assert!(!notices.log().contains("wr0ng"), "{}", notices.log());
    let file = papers.path("password");
    std::fs::write(&file, "s3cret-word\n").unwrap();
    let good =
        papers.settings("tls").replace("smtp.password = \"s3cret-word\"", &format!("smtp.password_file = \"{file}\""));
    let _notices = Notices::start(&house.db.url, mailbox.closed_port(), &good);
    house.is(ada, MailState::Sent).await;
    mailbox.holds(1).await;
}
