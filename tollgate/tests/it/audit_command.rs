//! `tollgate audit`: one table of where every credit went, and whether callers were told the truth.

use serde_json::{Value, json};

use crate::cli::operator::Operator;
use crate::stack::{Answer, Call, Customer, Stack};

/// What callers were told, as the command reads it.
fn receipt(answer: &Answer) -> String {
    let broken = if answer.whole { "" } else { " broken" };
    format!("{} {} {}{broken}\n", answer.op(), answer.status, answer.number("credits-cost").unwrap_or(0))
}

/// Served, given back, refused, broken midway; and the file of it.
async fn day(stack: &Stack, ada: &Customer) -> Vec<String> {
    let mut receipts = Vec::new();
    for call in [
        Call::chat(),
        Call::batch(20),
        Call::stream(),
        Call::chat().fault("status=503"),
        Call::stream().fault("cut"),
        Call::batch(90),
        Call::get("/v1/usage"),
    ] {
        receipts.push(receipt(&stack.send(&ada.key, call).await));
    }
    receipts
}

fn file(stack: &Stack, receipts: &[String]) -> String {
    let path = stack.directory.path().join("receipts");
    std::fs::write(&path, receipts.concat()).unwrap();
    path.display().to_string()
}

fn counts(receipts: &Value) -> Vec<&Value> {
    ["paid", "free", "lost", "returned", "other_amount", "charged"]
        .iter()
        .map(|kind| &receipts[kind]["answers"])
        .collect()
}

#[tokio::test]
async fn every_credit_went_somewhere_and_every_caller_was_told_so() {
    let stack = Stack::start().await;
    let (operator, ada) = (Operator::of(&stack), stack.customer(100).await);
    let receipts = day(&stack, &ada).await;
    let said = operator.asks(&["audit", "--receipts", &file(&stack, &receipts)]).json;
    let sums = ["granted", "drawn", "given_back", "expired", "clawed_back", "left", "left_live", "drift"];
    let sums = sums.map(|name| said[name].as_u64().unwrap());
    assert_eq!(sums, [100, 24, 2, 0, 0, 78, 78, 0], "{said}");
    let told = &said["receipts"];
    assert_eq!(counts(told), [3, 3, 0, 0, 0, 0], "{said}");
    assert_eq!(told["broken_off"]["free"]["answers"], 1, "{said}");
    assert_eq!(told["debits_without_receipt"], json!({ "debits": 0, "credits": 0 }), "{said}");

    let told = &operator.asks(&["audit", "--receipts", &file(&stack, &receipts[1..])]).json["receipts"];
    assert_eq!(told["debits_without_receipt"], json!({ "debits": 1, "credits": 1 }), "no harm: a connection broke");
    stack.audit().await;
}

#[tokio::test]
async fn a_receipt_that_the_book_does_not_bear_out_is_named() {
    let stack = Stack::start().await;
    let (operator, ada) = (Operator::of(&stack), stack.customer(100).await);
    let receipts = day(&stack, &ada).await;
    let changed = |place: usize, from: &str, to: &str| {
        let mut receipts = receipts.clone();
        assert!(receipts[place].contains(from), "{receipts:?}");
        receipts[place] = receipts[place].replace(from, to);
        let said = operator.tries(&["audit", "--receipts", &file(&stack, &receipts)]);
        assert_eq!(said.exit, 2, "{said:?}");
        counts(&said.json["receipts"]).into_iter().map(|count| count.as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(changed(1, " 200 20", " 200 21"), [2, 3, 0, 0, 1, 0]);
    assert_eq!(changed(1, " 200 20", " 200 0"), [2, 3, 0, 0, 0, 1]);
    assert_eq!(changed(3, " 503 0", " 503 1"), [3, 2, 0, 1, 0, 0]);
    assert_eq!(changed(6, " 200 0", " 200 1"), [3, 2, 1, 0, 0, 0], "a free call has no debit that could be lost");
    let twice = [&receipts[..], &receipts[..1]].concat();
    let said = operator.tries(&["audit", "--receipts", &file(&stack, &twice)]);
    assert_eq!((said.exit, &said.json["error"]["code"]), (64, &json!("invalid")), "{said:?}");
    stack.audit().await;
}

#[tokio::test]
async fn a_book_that_does_not_add_up_is_refused_by_the_audit() {
    let stack = Stack::start().await;
    let (operator, ada) = (Operator::of(&stack), stack.customer(100).await);
    day(&stack, &ada).await;
    operator.asks(&["audit"]);
    stack.book.execute("UPDATE lots SET remaining = remaining - 1").await.unwrap();
    let said = operator.tries(&["audit", "--wait", "1s"]);
    assert_eq!((said.exit, &said.json["drift"], &said.json["left"]), (2, &json!(1), &json!(77)), "{said:?}");
    let broken = said.json["broken"].to_string();
    assert!(broken.contains("granted 100 is not drawn 24 − given back 2"), "{broken}");
    stack.book.execute("UPDATE lots SET remaining = remaining + 1").await.unwrap();
    operator.asks(&["audit"]);
}
