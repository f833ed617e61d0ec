//! Addresses that do not take mails: recorded, put on the list, and left out the next time.

use ledger::mails::{MailState, NoticeSettings, SuppressionReason};
use serde_json::json;

use crate::mailbox::refusal;
use crate::payer::story;
use crate::{House, Mailbox, Notices};

#[tokio::test]
async fn an_address_that_does_not_exist_bounces_and_the_next_mail_is_not_sent_to_it() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(refusal("rcpt", "550 5.1.1 <gone@example.com>: no such user", Some(1))).await;
    let ada = house.low("gone@example.com").await;
    let notices = Notices::start(&house.db.url, mailbox.port(), "");
    let mail = house.is(ada, MailState::Bounced).await;
    assert_eq!(story(&mail), ["queued", "bounced no_such_address"]);
    house.queues(ada, "plan_ended", "{}").await;
    let next = house.is(ada, MailState::Suppressed).await;
    assert_eq!(story(&next), ["queued", "suppressed bounced"]);
    assert_eq!(
        next.evidence[1].detail.as_deref(),
        Some("nothing is sent to this address any more: bounced told by mail server")
    );
    assert!(mailbox.mails().await.is_empty());
    house.book().unsuppress("GONE@example.com", &house.by().await).await.unwrap();
    house.book().resend_mail(next.mail, &house.by().await).await.unwrap();
    house.is(ada, MailState::Sent).await;
    mailbox.holds(1).await;
    assert!(!notices.log().contains("gone@"), "{}", notices.log());
}

#[tokio::test]
async fn a_refusal_that_is_not_about_the_address_puts_it_on_no_list() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(refusal("rcpt", "554 5.7.1 relaying denied", Some(1))).await;
    let ada = house.low("ada@example.com").await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "");
    assert_eq!(story(&house.is(ada, MailState::Bounced).await), ["queued", "bounced address_refused"]);
    assert!(house.book().suppressions(None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_several_addresses_each_has_its_own_fate() {
    let (house, mailbox) = (House::new().await, Mailbox::start(&[]));
    mailbox.order(json!({ "at": "rcpt", "reply": "550 5.1.1 no", "to": "gone@example.com" })).await;
    mailbox.order(json!({ "at": "rcpt", "reply": "452 4.2.2 full", "to": "full@example.com" })).await;
    let listed = ("eve@example.com", SuppressionReason::Operator);
    house.book().suppress(listed.0, listed.1, &house.by().await).await.unwrap();
    let ada = house.account("Ada", None).await;
    let recipients = ["gone", "full", "eve", "ada", "bob"].map(|name| format!("{name}@example.com")).into();
    house.chooses(ada, &NoticeSettings { recipients, ..NoticeSettings::default() }).await;
    house.has(ada, 10).await;
    let _notices = Notices::start(&house.db.url, mailbox.port(), "");
    let mail = house.is(ada, MailState::Bounced).await;
    assert_eq!(mail.addresses, ["ada@example.com", "bob@example.com"]);
    let got = mailbox.holds(1).await;
    assert_eq!(got[0]["to"], json!(["ada@example.com", "bob@example.com"]));
    let facts: Vec<String> = mail
        .evidence
        .iter()
        .map(|event| format!("{} {}", event.what, event.address.as_deref().unwrap_or("-").replace("@example.com", "")))
        .collect();
    let put_off = ["put_off full"; 3];
    let (first, last) = (["queued -", "bounced gone"], ["suppressed gone", "suppressed eve", "failed full", "sent -"]);
    let mut wanted: Vec<&str> = first.into_iter().chain(put_off).chain(last).collect();
    let mut sorted = facts.clone();
    wanted.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(sorted, wanted, "three tries together, then without the one that is full: {facts:?}");
}
