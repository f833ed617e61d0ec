//! Writes under a key: done once, answered again, and never done again because nobody knows how they ended.

use ledger::Write;
use metering::TimeMs;
use serde_json::json;

use crate::actors::{DAY, NOON, Operator};

const ADA: &str = "acct_1/ada";

async fn begins(operator: &Operator, who: &str, key: &str, asked: u8, at: TimeMs) -> Write {
    operator.db.ledger.begin_write(who, key, &[asked; 32], at).await.unwrap()
}

#[tokio::test]
async fn a_write_is_new_once_then_in_flight_and_then_answered_as_it_was() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    assert_eq!(begins(&operator, ADA, "k", 1, NOON).await, Write::New);
    assert_eq!(begins(&operator, ADA, "k", 1, NOON).await, Write::InFlight);
    assert_eq!(begins(&operator, ADA, "k", 2, NOON).await, Write::Other);
    let answer = json!({ "status": 201, "body": { "key": "key_1" } });
    ledger.finish_write(ADA, "k", &answer, NOON).await.unwrap();
    ledger.finish_write(ADA, "k", &json!("another"), NOON).await.unwrap();
    assert_eq!(begins(&operator, ADA, "k", 1, NOON).await, Write::Done { answer });
    assert_eq!(begins(&operator, ADA, "k", 2, NOON).await, Write::Other);
    ledger.release_write(ADA, "k").await.unwrap();
    assert_ne!(begins(&operator, ADA, "k", 1, NOON).await, Write::New, "what was done is not let go of");
}

#[tokio::test]
async fn a_key_is_its_owner_s_for_a_day() {
    let operator = Operator::arrives().await;
    assert_eq!(begins(&operator, ADA, "k", 1, NOON).await, Write::New);
    assert_eq!(begins(&operator, "acct_1/bob", "k", 2, NOON).await, Write::New);
    operator.db.ledger.finish_write(ADA, "k", &json!(1), NOON).await.unwrap();
    let a_day_later = NOON.plus_ms(DAY);
    assert_eq!(begins(&operator, ADA, "k", 1, a_day_later).await, Write::Done { answer: json!(1) });
    assert_eq!(begins(&operator, ADA, "k", 3, a_day_later.plus_ms(1)).await, Write::New);
    assert_eq!(operator.db.number("SELECT count(*) FROM console_writes").await, 1, "old ones go with new ones");
    let other = json!("of the write before");
    operator.db.ledger.finish_write(ADA, "k", &other, a_day_later.plus_ms(2)).await.unwrap();
    assert_eq!(begins(&operator, ADA, "k", 3, a_day_later.plus_ms(3)).await, Write::Done { answer: other });
}

#[tokio::test]
async fn what_was_refused_and_let_go_of_may_be_asked_for_again() {
    let operator = Operator::arrives().await;
    assert_eq!(begins(&operator, ADA, "k", 1, NOON).await, Write::New);
    operator.db.ledger.release_write(ADA, "k").await.unwrap();
    assert_eq!(begins(&operator, ADA, "k", 2, NOON).await, Write::New);
}

#[tokio::test]
async fn of_many_at_once_one_has_it() {
    let operator = Operator::arrives().await;
    let asked = (0..20).map(|_| begins(&operator, ADA, "k", 1, NOON));
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Write::New).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Write::InFlight).count(), 19);
}

#[tokio::test]
async fn what_is_too_long_is_refused_in_words() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    for key in [String::new(), "k".repeat(256)] {
        assert_eq!(ledger.begin_write(ADA, &key, &[1; 32], NOON).await.unwrap_err().code(), "invalid");
    }
    begins(&operator, ADA, "k", 1, NOON).await;
    let long = json!("x".repeat(70_000));
    assert_eq!(ledger.finish_write(ADA, "k", &long, NOON).await.unwrap_err().code(), "invalid");
}
