//! A mail server that is away, busy or contrary: one mail in the end, or a word why there is none.

use ledger::mails::{EventKind, MailState};
use metering::testing::free_port;
use serde_json::json;

use crate::mailbox::refusal;
use crate::payer::{count, story};
use crate::{House, Mailbox, Notices, wait_until};

#[tokio::test]
async fn a_server_that_is_away_for_a_while_gets_one_mail_in_the_end() {
    let (house, port) = (House::new().await, free_port());
    let ada = house.low("ada@example.com").await;
    let notices = Notices::start(&house.db.url, port, "");
    wait_until("it was tried some times", async || count(&house.mail(ada).await, EventKind::PutOff) >= 3).await;
    assert_eq!(
        (notices.readiness().await["ready"].clone(), notices.readiness().await["server_answers"].clone()),
        (true.into(), false.into())
    );
    let mailbox = Mailbox::start(&["--smtp", &format!("127.0.0.1:{port}")]);
    let mail = house.is(ada, MailState::Sent).await;
    mailbox.holds(1).await;
    assert_eq!(mail.evidence[1].code.as_deref(), Some("no_answer"));
    assert_eq!(count(&mail, EventKind::Sent), 1);
}

#[tokio::test]
async fn a_no_for_now_at_any_step_is_tried_again() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    for (at, reply) in [
        ("connect", "421 4.3.2 closed"),
        ("mail", "451 4.3.0 later"),
        ("rcpt", "450 4.7.1 greylisted"),
        ("data", "451 4.3.0 not now"),
        ("end", "452 4.3.1 full"),
    ] {
        mailbox.order(refusal(at, reply, Some(1))).await;
    }
    for at in ["connect", "mail", "rcpt", "data"] {
        mailbox.order(json!({ "at": at, "hang_up": true, "times": 1 })).await;
    }
    let ada = house.low("ada@example.com").await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "");
    let mail = house.is(ada, MailState::Sent).await;
    mailbox.holds(1).await;
    assert_eq!((count(&mail, EventKind::PutOff), count(&mail, EventKind::Sent), mail.attempts), (9, 1, 10));
    let told: Vec<&str> = mail.evidence.iter().filter_map(|event| event.detail.as_deref()).collect();
    for reply in ["421 4.3.2 closed", "450 4.7.1 greylisted", "452 4.3.1 full"] {
        assert!(told.contains(&reply), "{reply} in {told:?}");
    }
}

#[tokio::test]
async fn what_is_tried_often_enough_is_given_up_and_says_why() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(refusal("mail", "550 5.7.1 you are nobody here", None)).await;
    let ada = house.low("ada@example.com").await;
    let notices = Notices::start(&house.db.url, mailbox.port(), "worker.attempts_max = 3\n");
    let mail = house.is(ada, MailState::Failed).await;
    assert_eq!(story(&mail), ["queued", "put_off server_refuses", "put_off server_refuses", "failed gave_up"]);
    let words = mail.evidence[3].detail.as_deref().unwrap();
    assert_eq!(words, "tried 3 times in vain, the last time: 550 5.7.1 you are nobody here");
    mailbox.forgive().await;
    house.book().resend_mail(mail.mail, &house.by().await).await.unwrap();
    assert_eq!(story(&house.is(ada, MailState::Sent).await)[4..], ["resent", "sent accepted"]);
    mailbox.holds(1).await;
    assert_eq!(notices.metric("tollgate_notices_not_sent_total{reason=\"gave_up\"}").await, 1);
}

#[tokio::test]
async fn a_text_that_is_refused_for_good_is_not_offered_again() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    for (number, (at, reply)) in [("data", "554 5.5.1 no"), ("end", "552 5.3.4 too large")].into_iter().enumerate() {
        mailbox.order(refusal(at, reply, Some(1))).await;
        let ada = house.low(&format!("p{number}@example.com")).await;
        let _notices = Notices::start(&house.db.url, mailbox.port(), "");
        let mail = house.is(ada, MailState::Failed).await;
        assert_eq!(story(&mail), ["queued", "failed server_refuses"]);
        assert_eq!(mail.evidence[1].detail.as_deref(), Some(reply));
    }
    assert!(mailbox.mails().await.is_empty());
}

#[tokio::test]
async fn a_server_that_is_slow_is_not_waited_for_before_the_text_and_is_within_it() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(json!({ "at": "mail", "wait_ms": 2500, "times": 1 })).await;
    mailbox.order(json!({ "at": "end", "wait_ms": 3000, "times": 1 })).await;
    let ada = house.low("ada@example.com").await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "");
    let mail = house.is(ada, MailState::Sent).await;
    assert_eq!(story(&mail), ["queued", "put_off no_answer", "sent accepted"]);
    mailbox.holds(1).await;
}

#[tokio::test]
async fn more_mails_than_an_account_may_have_in_an_hour_wait() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let (ada, eve) =
        (house.account("Ada", Some("ada@example.com")).await, house.account("Eve", Some("e@example.com")).await);
    for _ in 0..5 {
        house.queues(ada, "plan_active", "{}").await;
    }
    house.queues(eve, "plan_active", "{}").await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "notices.per_hour_max = 2\n");
    house.is(eve, MailState::Sent).await;
    wait_until("three of them wait", async || {
        let mails = house.mails(ada).await;
        mails.iter().filter(|mail| mail.last_error.is_some() && mail.state == MailState::Queued).count() == 3
    })
    .await;
    mailbox.holds(3).await;
    let waiting = house.mails(ada).await.into_iter().find(|mail| mail.state == MailState::Queued).unwrap();
    let wait = waiting.next_try_at.unwrap().since(house.now().await);
    assert!((3_500_000..=3_600_000).contains(&wait), "{wait}");
    assert_eq!((story(&waiting), waiting.attempts), (vec!["queued".to_owned()], 0), "that is no failure");
    house.db.execute("UPDATE mails SET handed_over_at = handed_over_at - interval '1 hour'").await.unwrap();
    house.db.execute("UPDATE mails SET next_try_at = clock_timestamp() WHERE state = 'queued'").await.unwrap();
    mailbox.holds(5).await;
}
