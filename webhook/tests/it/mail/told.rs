//! What is proven: kept once, in each of its forms.

use ledger::mails::MailState;
use serde_json::json;

use super::{fact, sent, settings, start, tell, tell_openly, wrapped};
use crate::process::Webhook;
use crate::signed::sign_now;

#[tokio::test]
async fn a_fact_is_kept_once_before_it_is_answered_and_its_repeats_change_nothing() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let delivered = fact("e1", &mail, "delivered");
    for _ in 0..3 {
        let answer = tell(&webhook, &delivered).await;
        assert_eq!((answer.status, &answer.json), (200, &json!({ "received": true })));
    }
    let mut other = delivered.clone();
    other["kind"] = "complained".into();
    assert_eq!(tell(&webhook, &other).await.status, 200, "the first word under an id stands");
    let mail = book.ledger.mail(mail.mail).await.unwrap();
    assert_eq!((mail.state, mail.evidence.len()), (MailState::Delivered, 3));
    let event = &mail.evidence[2];
    assert_eq!((event.provider.as_deref(), event.detail.as_deref()), (Some("generic"), Some("as they say")));
    let known = "tollgate_webhook_deliveries_total{result=\"known\",type=\"mail.delivered\"}";
    assert_eq!(webhook.metric(known).await, 2);
    assert!(!webhook.log().contains("ada@example.com"), "{}", webhook.log());
}

#[tokio::test]
async fn the_same_fact_by_twenty_at_once_is_kept_once() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let bounced = fact("e1", &mail, "bounced");
    let signed = sign_now(super::SECRET, bounced.to_string().as_bytes());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{}/webhooks/mail", webhook.port());
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let request = client.post(&url).header("mail-signature", &signed.headers[0]).body(signed.body.clone());
        answers.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    assert_eq!(answers.join_all().await, [200; 20]);
    assert_eq!(book.number("SELECT count(*) FROM mail_events WHERE provider_event = 'e1'").await, 1);
    assert_eq!(book.number("SELECT count(*) FROM audit WHERE action = 'address_suppressed'").await, 1);
}

#[tokio::test]
async fn a_bounce_that_comes_before_the_delivery_stands_and_its_address_is_on_the_list() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "gone@example.com").await;
    for (id, kind) in [("e1", "delayed"), ("e2", "bounced"), ("e3", "delivered")] {
        assert_eq!(tell(&webhook, &fact(id, &mail, kind)).await.status, 200);
    }
    let mail = book.ledger.mail(mail.mail).await.unwrap();
    assert_eq!((mail.state, mail.evidence.len()), (MailState::Bounced, 5));
    let list = book.ledger.suppressions(None, 9).await.unwrap();
    assert_eq!((list.len(), list[0].address.as_str(), list[0].actor.as_str()), (1, "gone@example.com", "generic"));
}

#[tokio::test]
async fn amazon_names_our_mail_by_the_id_that_its_server_answered() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let id = format!("0100018c1a2b3c4d-{:06}", mail.mail);
    let complaint = json!({
        "notificationType": "Complaint", "mail": { "messageId": id }, "complaint": {
            "timestamp": "2026-11-26T03:59:01.000Z", "complainedRecipients": [{ "emailAddress": "ada@example.com" }],
            "complaintFeedbackType": "abuse" } });
    for _ in 0..2 {
        assert_eq!(tell_openly(&webhook, &wrapped("22b80b92", &complaint)).await.status, 200);
    }
    let mail = book.ledger.mail(mail.mail).await.unwrap();
    assert_eq!((mail.state, mail.evidence.len()), (MailState::Complained, 3));
    assert_eq!(mail.evidence[2].code.as_deref(), Some("abuse"));
    assert_eq!(book.ledger.suppressions(None, 9).await.unwrap().len(), 1);
    let confirm = json!({
        "Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": super::TOPIC, "Token": "x",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=x" });
    assert_eq!(tell_openly(&webhook, &confirm.to_string()).await.status, 200);
    assert!(webhook.log().contains("open its link to say yes: https://sns.eu-west-1"), "{}", webhook.log());
}

#[tokio::test]
async fn a_mail_server_passes_its_bounce_on_as_it_is() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "gone@example.com").await;
    let bounce = format!(
        "From: MAILER-DAEMON@mail.example\r\nMessage-Id: <b1@mail.example>\r\nDate: Thu, 26 Nov 2026 03:59:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\n\r\nSorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n\
         Final-Recipient: rfc822; gone@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{}@console.example>\r\n\r\n--b--\r\n",
        mail.message_id
    );
    for _ in 0..2 {
        assert_eq!(tell_openly(&webhook, &bounce).await.status, 200);
    }
    let mail = book.ledger.mail(mail.mail).await.unwrap();
    assert_eq!((mail.state, mail.evidence.len()), (MailState::Bounced, 3));
    let event = &mail.evidence[2];
    assert_eq!((event.provider.as_deref(), event.detail.as_deref()), (Some("dsn"), Some("550 no")));
    assert_eq!(book.ledger.suppressions(None, 9).await.unwrap()[0].address, "gone@example.com");
}

#[tokio::test]
async fn what_is_about_none_of_our_mails_is_kept_and_silences_nobody() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let mut stray = fact("e1", &mail, "bounced");
    stray["message_id"] = "<newsletter@console.example>".into();
    assert_eq!(tell(&webhook, &stray).await.status, 200);
    assert_eq!(book.ledger.mail(mail.mail).await.unwrap().state, MailState::Sent);
    assert!(book.ledger.suppressions(None, 9).await.unwrap().is_empty());
    assert_eq!(book.ledger.stray_mail_events(None, 9).await.unwrap().len(), 1);
    assert_eq!(webhook.metric("tollgate_webhook_deliveries_total{result=\"stray\",type=\"mail.bounced\"}").await, 1);
    let mut opened = fact("e2", &mail, "opened");
    opened["url"] = "https://x".into();
    assert_eq!(tell(&webhook, &opened).await.status, 200, "kinds that nobody acts on");
    assert_eq!(book.number("SELECT count(*) FROM mail_events WHERE provider_event = 'e2'").await, 0);
}

#[tokio::test]
async fn a_webhook_that_dies_while_it_keeps_a_fact_is_told_again_and_keeps_it_once() {
    for place in ["mail.read", "mail.recorded"] {
        let book = ledger::testing::database().await;
        let mail = sent(&book, "ada@example.com").await;
        let mut first = Webhook::start_to_die_at(&book.url, &settings(), place);
        first.wait_ready().await;
        let bounced = fact("e1", &mail, "bounced");
        let signed = sign_now(super::SECRET, bounced.to_string().as_bytes());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{}/webhooks/mail", first.port());
        let asked =
            client.post(url).header("mail-signature", &signed.headers[0]).body(signed.body.clone()).send().await;
        assert!(asked.is_err(), "{place}: nobody was answered");
        first.ended().await;
        let second = Webhook::start_on(&book.url, &settings());
        second.wait_ready().await;
        assert_eq!(tell(&second, &bounced).await.status, 200);
        assert_eq!(book.number("SELECT count(*) FROM mail_events WHERE what = 'bounced'").await, 1, "{place}");
        assert_eq!(book.number("SELECT count(*) FROM mail_suppressions").await, 1);
    }
}
