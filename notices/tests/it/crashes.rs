//! Killed anywhere: before the text is handed over a mail arrives all the same, once; from then on it is never sent twice.

use ledger::mails::{EventKind, MailState};
use serde_json::json;

use crate::payer::{count, story};
use crate::{House, Mailbox, Notices, wait_until};

#[tokio::test]
async fn killed_before_the_window_another_one_sends_it_once() {
    for place in ["worker.claimed", "send.opened", "send.offered"] {
        let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
        let ada = house.low("ada@example.com").await;
        Notices::start_to_die_at(&house.db.url, mailbox.port(), place).died().await;
        assert_eq!(house.mail(ada).await.state, MailState::Queued, "{place}");
        let _second = Notices::start(&house.db.url, mailbox.port(), "");
        let mail = house.is(ada, MailState::Sent).await;
        assert_eq!((count(&mail, EventKind::Sent), mail.attempts), (1, 2), "{place}");
        mailbox.holds(1).await;
    }
}

#[tokio::test]
async fn killed_in_the_window_it_is_unknown_and_nobody_sends_it_again_by_itself() {
    for (place, arrived) in [("send.begun", 0), ("send.answered", 1)] {
        let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
        let ada = house.low("ada@example.com").await;
        Notices::start_to_die_at(&house.db.url, mailbox.port(), place).died().await;
        assert_eq!(house.mail(ada).await.state, MailState::Sending, "{place}");
        let second = Notices::start(&house.db.url, mailbox.port(), "");
        second.wait_ready().await;
        house.lets_handovers_lapse().await;
        let mail = house.is(ada, MailState::Unknown).await;
        assert_eq!(story(&mail), ["queued", "unknown worker_gone"], "{place}");
        house.has(ada, 5).await;
        wait_until("others are sent meanwhile", async || {
            let eve = house.low("eve@example.com").await;
            house.is(eve, MailState::Sent).await;
            true
        })
        .await;
        let to_ada = async || mailbox.mails().await.iter().filter(|mail| mail["to"][0] == "ada@example.com").count();
        assert_eq!((house.mail(ada).await.state, to_ada().await), (MailState::Unknown, arrived), "{place}");
        assert_eq!(second.metric("tollgate_notices_lapsed_total").await, 1);
        house.book().resend_mail(mail.mail, &house.by().await).await.unwrap();
        house.is(ada, MailState::Sent).await;
        let ids: Vec<_> = mailbox.mails().await.into_iter().filter(|mail| mail["to"][0] == "ada@example.com").collect();
        assert_eq!(ids.len(), arrived + 1);
        assert!(ids.iter().all(|one| one["message_id"] == ids[0]["message_id"]), "under one Message-ID");
    }
}

#[tokio::test]
async fn killed_after_the_window_it_is_sent_and_stays_so() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    let ada = house.low("ada@example.com").await;
    Notices::start_to_die_at(&house.db.url, mailbox.port(), "send.told").died().await;
    assert_eq!(house.mail(ada).await.state, MailState::Sent);
    let second = Notices::start(&house.db.url, mailbox.port(), "");
    let eve = house.low("eve@example.com").await;
    house.is(eve, MailState::Sent).await;
    mailbox.holds(2).await;
    drop(second);
}

#[tokio::test]
async fn kill_9_while_the_server_thinks_leaves_unknown() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(json!({ "at": "end", "wait_ms": 60_000, "times": 1 })).await;
    let ada = house.low("ada@example.com").await;
    let mut first = Notices::start(&house.db.url, mailbox.port(), "");
    house.is(ada, MailState::Sending).await;
    mailbox.holds(1).await;
    first.signal("KILL");
    first.ended().await;
    let _second = Notices::start(&house.db.url, mailbox.port(), "");
    house.lets_handovers_lapse().await;
    house.is(ada, MailState::Unknown).await;
    let eve = house.low("eve@example.com").await;
    house.is(eve, MailState::Sent).await;
    mailbox.holds(2).await;
}

#[tokio::test]
async fn a_server_that_goes_away_within_the_text_leaves_unknown_at_once() {
    for (lose, arrived) in [(true, 0), (false, 1)] {
        let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
        mailbox.order(json!({ "at": "end", "hang_up": true, "lose": lose, "times": 1 })).await;
        let ada = house.low("ada@example.com").await;
        let _notices = Notices::start(&house.db.url, mailbox.port(), "");
        let mail = house.is(ada, MailState::Unknown).await;
        assert_eq!(story(&mail), ["queued", "unknown no_answer"]);
        let eve = house.low("eve@example.com").await;
        house.is(eve, MailState::Sent).await;
        mailbox.holds(arrived + 1).await;
    }
}

#[tokio::test]
async fn told_to_stop_it_waits_for_the_servers_word_and_takes_up_nothing_new() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(json!({ "at": "end", "wait_ms": 2_000, "times": 1 })).await;
    let ada = house.low("ada@example.com").await;
    let mut notices = Notices::start(&house.db.url, mailbox.port(), "");
    house.is(ada, MailState::Sending).await;
    notices.signal("TERM");
    wait_until("it has heard", async || notices.log().contains("told to stop")).await;
    let eve = house.low("eve@example.com").await;
    assert!(notices.ended().await.success());
    assert_eq!((house.mail(ada).await.state, house.mail(eve).await.state), (MailState::Sent, MailState::Queued));
    mailbox.holds(1).await;
}

#[tokio::test]
async fn a_worker_whose_turn_is_over_hands_nothing_over_any_more() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(json!({ "at": "rcpt", "wait_ms": 1_500, "times": 1 })).await;
    let ada = house.low("ada@example.com").await;
    let notices = Notices::start(&house.db.url, mailbox.port(), "");
    wait_until("it has the mail and speaks with the server", async || house.mail(ada).await.attempts == 1).await;
    // As whoever takes the mail up next does; that one is in no hurry here.
    let taken = "UPDATE mails SET turn = turn + 1, next_try_at = clock_timestamp() + interval '1 hour'";
    house.db.execute(taken).await.unwrap();
    wait_until("it lets go", async || notices.log().contains("is let_go: somebody else has it")).await;
    assert!(mailbox.mails().await.is_empty());
    assert_eq!(story(&house.mail(ada).await), ["queued"]);
}
