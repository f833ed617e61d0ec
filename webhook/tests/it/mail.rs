//! What became of mails, as a mail provider tells it: proven, kept once, and never about somebody else's mails.

mod refused;
mod told;

use std::time::Duration;

use ledger::mails::{Ended, EventKind, Fact, Handover, MailView};
use ledger::testing::TestDatabase;
use ledger::{By, Grant, NewAccount};
use metering::{BudgetAnchor, Credits, Status};
use serde_json::{Value, json};

use crate::process::{Answer, Webhook};
use crate::signed::{Signed, sign_now};

pub const SECRET: &str = "whsec_00112233445566778899aabbccddeeff";
pub const PASSWORD: &str = "0123456789abcdef0123456789abcdef";
pub const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mails";
/// `mail:` and the password.
const BASIC: &str = "Basic bWFpbDowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

pub fn settings() -> String {
    format!("mail.signing_secrets = [\"{SECRET}\"]\nmail.password = \"{PASSWORD}\"\nmail.sns_topic = \"{TOPIC}\"\n")
}

/// A webhook that takes evidence, and a book.
pub async fn start() -> (Webhook, TestDatabase) {
    let book = ledger::testing::database().await;
    let webhook = Webhook::start_on(&book.url, &settings());
    webhook.wait_ready().await;
    (webhook, book)
}

/// A mail to an address that a mail server took, under an id of its own.
pub async fn sent(book: &TestDatabase, address: &str) -> MailView {
    let at = book.ledger.book_now().await.unwrap();
    let by = By { actor: "olga".to_owned(), reason: "a test".to_owned(), at };
    let (email, status) = (Some(address.to_owned()), Status::Active);
    let new = NewAccount { name: "Ada".to_owned(), email, status, anchor: BudgetAnchor::FIRST };
    let account = book.ledger.create_account(&new, &by).await.unwrap();
    let (product, source, expires_at) = ("Team".to_owned(), None, at.plus_ms(60_000));
    let grant = Grant { credits: Credits::new(100).unwrap(), product, granted_at: at, expires_at, source };
    book.ledger.grant_lot(account, &grant, &by).await.unwrap();
    book.execute(&format!("UPDATE lots SET remaining = 0 WHERE account_id = '{}'", account.as_uuid())).await.unwrap();
    book.ledger.queue_low_balance_mails(&[account], at, None).await.unwrap();
    let mut claimed = book.ledger.claim_mails(1, Duration::from_mins(1), at).await.unwrap();
    let turn = claimed.remove(0).turn;
    let begun = book.ledger.begin_handover(turn, &[address.to_owned()], 9, at.plus_ms(60_000), at).await.unwrap();
    assert_eq!(begun, Handover::Begun);
    let ended = Ended::Sent { provider_id: Some(format!("0100018c1a2b3c4d-{:06}", turn.mail)) };
    book.ledger.end_turn(turn, &ended, &[Fact::new(EventKind::Sent, "accepted", "250 Ok")], at).await.unwrap();
    book.ledger.mail(turn.mail).await.unwrap()
}

/// A fact in our own form.
pub fn fact(id: &str, mail: &MailView, kind: &str) -> Value {
    json!({
        "id": id, "message_id": format!("<{}@console.example>", mail.message_id), "kind": kind, "address": mail.addresses[0],
        "at": "2026-11-26T03:59:00Z", "detail": "as they say",
    })
}

/// Signed now, as we ask it.
pub async fn tell(webhook: &Webhook, body: &Value) -> Answer {
    let Signed { body, headers } = sign_now(SECRET, body.to_string().as_bytes());
    webhook.tell(body, &[("mail-signature", &headers[0])]).await
}

/// By HTTP Basic.
pub async fn tell_openly(webhook: &Webhook, body: &str) -> Answer {
    webhook.tell(body, &[("authorization", BASIC)]).await
}

/// As Amazon SNS wraps it.
pub fn wrapped(number: &str, message: &Value) -> String {
    json!({
        "Type": "Notification", "MessageId": number, "TopicArn": TOPIC, "Message": message.to_string(),
        "Timestamp": "2026-11-26T04:00:00.000Z", "Signature": "EXAMPLE",
    })
    .to_string()
}
