//! What is not taken: forged, stale, with a wrong password, too large, nothing that can be read. None of it reaches the book.

use reqwest::Method;
use serde_json::json;

use super::{BASIC, PASSWORD, SECRET, fact, sent, settings, start, tell, tell_openly, wrapped};
use crate::process::Webhook;
use crate::signed::{now_s, sign, sign_now};

#[tokio::test]
async fn where_nothing_is_set_there_is_nothing() {
    let (webhook, _book) = Webhook::start().await;
    let answer = webhook.tell("{}", &[("authorization", BASIC)]).await;
    assert_eq!(answer.problem(), "404 no_route");
    assert_eq!(webhook.ask(Method::GET, "/webhooks/mail").await.problem(), "404 no_route");
}

#[tokio::test]
async fn what_nobody_has_proven_just_now_is_refused_with_a_code_and_never_kept() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let body = fact("e1", &mail, "bounced").to_string().into_bytes();
    let good = sign_now(SECRET, &body).headers[0].clone();
    let forged = sign_now("whsec_ffffffffffffffffffffffffffffffff", &body).headers[0].clone();
    let (old, early) = (sign(SECRET, &body, now_s() - 600), sign(SECRET, &body, now_s() + 600));
    let wrong_word = "Basic bWFpbDpmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=";
    let stripes = sign_now(crate::process::SECRET, &body).headers[0].clone();
    for (what, headers, told) in [
        ("forged", vec![("mail-signature", forged.as_str())], "400 signature_wrong"),
        (
            "forged beside the password",
            vec![("mail-signature", &forged), ("authorization", BASIC)],
            "400 signature_wrong",
        ),
        ("signed with Stripe's secret", vec![("mail-signature", &stripes)], "400 signature_wrong"),
        ("old", vec![("mail-signature", &old.headers[0])], "400 signature_too_old"),
        ("from the future", vec![("mail-signature", &early.headers[0])], "400 signature_too_new"),
        ("garbled", vec![("mail-signature", "v1=abc")], "400 header_malformed"),
        ("signed twice", vec![("mail-signature", &good), ("mail-signature", &good)], "401 unauthorized"),
        ("under Stripe's header", vec![("stripe-signature", &good)], "401 unauthorized"),
        ("a wrong password", vec![("authorization", wrong_word)], "401 unauthorized"),
        ("two passwords", vec![("authorization", BASIC), ("authorization", BASIC)], "401 unauthorized"),
        ("nothing", vec![], "401 unauthorized"),
    ] {
        assert_eq!(webhook.tell(body.clone(), &headers).await.problem(), told, "{what}");
    }
    let mut flipped = body.clone();
    flipped[20] ^= 1;
    assert_eq!(webhook.tell(flipped, &[("mail-signature", &good)]).await.problem(), "400 signature_wrong");
    assert_eq!(book.number("SELECT count(*) FROM mail_events WHERE provider IS NOT NULL").await, 0);
    assert!(book.ledger.suppressions(None, 9).await.unwrap().is_empty());
    assert_eq!(webhook.tell(body, &[("mail-signature", &good)]).await.status, 200);
    assert!(!webhook.log().contains(PASSWORD) && !webhook.log().contains(SECRET));
}

#[tokio::test]
async fn whoever_brings_nothing_is_asked_for_a_password() {
    let (webhook, _book) = start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{}/webhooks/mail", webhook.port());
    let answer = client.post(&url).body("{}").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["www-authenticate"].to_str().unwrap()),
        (401, "Basic realm=\"mail evidence\"")
    );
    assert_eq!(webhook.ask(Method::GET, "/webhooks/mail").await.problem(), "405 method_not_allowed");
}

#[tokio::test]
async fn what_is_proven_and_can_not_be_read_says_what_is_wrong_with_it() {
    let (webhook, book) = start().await;
    let mail = sent(&book, "ada@example.com").await;
    let without = |key: &str| {
        let mut fact = fact("e1", &mail, "bounced");
        fact[key] = json!(null);
        fact.to_string()
    };
    let mut long = fact("e1", &mail, "bounced");
    long["id"] = "e".repeat(256).into();
    let people: Vec<_> = (0..101).map(|number| json!({ "emailAddress": format!("p{number}@x") })).collect();
    let complaint = |people: &serde_json::Value| {
        let part = json!({ "timestamp": "2026-11-26T03:59:01Z", "complainedRecipients": people });
        json!({ "eventType": "Complaint", "mail": { "messageId": "m" }, "complaint": part })
    };
    let (crowd, nobody) = (complaint(&json!(people)), complaint(&json!(null)));
    let other_topic = wrapped("1", &nobody).replace(super::TOPIC, "arn:aws:sns:eu-west-1:123456789012:others");
    for (what, body) in [
        ("empty", String::new()),
        ("spaces", " \r\n ".to_owned()),
        ("no JSON", "{\"id\":".to_owned()),
        ("a list", "[]".to_owned()),
        ("a mail that tells nothing", "From: a@x\r\n\r\nHello\r\n".to_owned()),
        ("no id", without("id")),
        ("no message", without("message_id")),
        ("no time", without("at")),
        ("a long id", long.to_string()),
        ("a crowd", wrapped("1", &crowd)),
        ("nobody", wrapped("1", &nobody)),
        ("another topic", other_topic),
    ] {
        assert_eq!(tell_openly(&webhook, &body).await.problem(), "400 mail_malformed", "{what}");
    }
    assert_eq!(book.number("SELECT count(*) FROM mail_events WHERE provider IS NOT NULL").await, 0);
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let book = ledger::testing::database().await;
    let webhook = Webhook::start_on(&book.url, &(settings() + "limits.body_bytes_max = 2000\n"));
    webhook.wait_ready().await;
    let mail = sent(&book, "ada@example.com").await;
    let mut large = fact("e1", &mail, "bounced");
    large["detail"] = "x".repeat(2_000).into();
    assert_eq!(tell(&webhook, &large).await.problem(), "413 body_too_large");
    assert_eq!(tell(&webhook, &fact("e1", &mail, "bounced")).await.status, 200);
}

#[tokio::test]
async fn while_the_book_is_away_the_provider_is_told_to_come_again() {
    let book = ledger::testing::database().await;
    let wire = ledger::testing::Wire::to(&book.url).await;
    let webhook = Webhook::start_on(&wire.url, &settings());
    webhook.wait_ready().await;
    let mail = sent(&book, "ada@example.com").await;
    wire.cut();
    let answer = tell(&webhook, &fact("e1", &mail, "delivered")).await;
    assert_eq!((answer.problem().as_str(), answer.retry_after.as_deref()), ("503 book_unavailable", Some("5")));
    wire.mend();
    webhook.wait_ready().await;
    assert_eq!(tell(&webhook, &fact("e1", &mail, "delivered")).await.status, 200);
}
