//! Every kind of mail arrives whole, in text and in HTML, whoever it is about.

use ledger::mails::{MailKind, MailState};

use crate::{House, Mailbox, Notices};

#[tokio::test]
async fn each_kind_says_its_own_thing_in_both_parts() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let ada = house.account("Ada & Söhne\r\nBcc: eve@example.com", Some("ada@example.com")).await;
    let said = [
        ("trial_started", "{}", "The trial has begun", "draw from one shared pool"),
        ("plan_active", r#"{"from":"pending","to":"active"}"#, "The plan is active", "draw from one shared pool"),
        ("plan_active", r#"{"from":"payment_failed"}"#, "the plan is active again", "pass again"),
        ("payment_failed", "{}", "A payment failed", "no credits are drawn"),
        ("plan_ended", "{}", "The plan has ended", "no credits are drawn"),
        (
            "credits_granted",
            r#"{"credits":1000,"product":"Team <b>","expires_at":1795665540000}"#,
            "1 000 credits granted",
            "2026-11-26 03:59 UTC",
        ),
        ("credits_granted", r#"{"credits":1,"product":"","expires_at":1795665540000}"#, "1 credit granted", "1 credit"),
        ("trial_ending", r#"{"trial_end":1795665540000}"#, "The trial ends on 2026-11-26", "2026-11-26 03:59 UTC"),
        ("action_required", r#"{"invoice":"in_1"}"#, "A payment waits for you", "customer portal"),
        (
            "low_balance",
            r#"{"remaining":0,"original":5,"percent":20,"as_of":1795665540000,"ahead":[]}"#,
            "0 of 5 credits left",
            "Nothing is left",
        ),
    ];
    for (kind, detail, ..) in said {
        house.queues(ada, kind, detail).await;
    }
    let _notices = Notices::start(&house.db.url, mailbox.port(), "worker.concurrency = 1\n");
    let mails = mailbox.holds(said.len()).await;
    for (mail, (kind, _, subject, words)) in mails.iter().zip(said) {
        let (title, text, html) = (&mail["subject"], mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        assert!(title.as_str().unwrap().contains(subject), "{kind}: {title}");
        let one_line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line(text).contains(words), "{kind}: {text}");
        assert!(html.contains(words) && !html.contains("<b>"), "{kind}: {html}");
        assert!(
            text.contains("Ada & Söhne Bcc: eve@example.com") && html.contains("Ada &#38; Söhne"),
            "{kind}: {html}"
        );
        assert_eq!(mail["to"].as_array().unwrap().len(), 1, "{kind}");
    }
    assert_eq!(
        said.map(|(kind, ..)| kind).into_iter().collect::<std::collections::BTreeSet<_>>().len(),
        MailKind::ALL.len()
    );
}

#[tokio::test]
async fn values_that_can_not_be_read_are_a_failure_that_says_so_and_stop_nothing_else() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let ada = house.account("Ada", Some("ada@example.com")).await;
    house.queues(ada, "credits_granted", r#"{"credits":"many"}"#).await;
    house.queues(ada, "plan_ended", "{}").await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "");
    house.is(ada, MailState::Sent).await;
    let mails = house.mails(ada).await;
    let failed = mails.iter().find(|mail| mail.kind == MailKind::CreditsGranted).unwrap();
    assert_eq!((failed.state, failed.evidence[1].code.as_deref()), (MailState::Failed, Some("unreadable")));
    mailbox.holds(1).await;
}
