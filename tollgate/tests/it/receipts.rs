//! Receipts, explanations and balances of earlier instants, as an operator asks for them.

use std::time::Duration;

use metering::Status;
use serde_json::json;

use crate::cli::operator::Operator;
use crate::stack::{Call, Stack, wait_until};

const DAY_MS: u64 = 86_400_000;

#[tokio::test]
async fn every_served_call_has_a_receipt_an_explanation_and_a_balance_of_its_instant() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer_with(Status::Active, 0).await;
    let late = stack.grant(ada.account, 30, 30 * DAY_MS).await;
    let soon = stack.grant(ada.account, 2, DAY_MS).await;
    stack.set_budget(ada.account, 20).await;
    stack.wait_carried().await;
    stack.send(&ada.key, Call::chat()).await;
    let answer = stack.send(&ada.key, Call::batch(5)).await;
    let id = answer.header("credits-receipt").unwrap().to_owned();
    wait_until("the book has it", async || operator.tries(&["receipt", &id]).exit == 0).await;
    let said = operator.asks(&["receipt", &id]);
    let receipt = &said.json["receipts"][0];
    let lots = json!([
        { "lot": soon, "drawn": 1, "before": 1, "after": 0 }, { "lot": late, "drawn": 4, "before": 30, "after": 26 },
    ]);
    assert_eq!(
        (&receipt["lots"], &receipt["state"], &receipt["credits"]),
        (&lots, &json!("drawn"), &json!(5)),
        "{said:?}"
    );
    assert_eq!((&receipt["key_id"], &receipt["by"]), (&json!(ada.key_id.to_string()), &json!("key")));
    let budget = &receipt["budget"];
    assert_eq!((&budget["used_before"], &budget["used_after"], &budget["limit"]), (&json!(1), &json!(6), &json!(20)));
    let event = receipt["event"].as_str().unwrap();
    assert!(event.starts_with("s00") && event.contains("/1-"), "{event}");

    let explained = operator.asks(&["explain", &id]);
    let decision = &explained.json["decisions"][0];
    assert_eq!((&decision["decision"], &decision["balance_before"]), (&json!("drawn"), &json!(31)), "{explained:?}");
    let checks = decision["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().filter_map(|check| check["check"].as_str()).collect();
    assert_eq!(names, ["status", "key", "idempotency_key", "caps", "rate", "budget", "lots", "exposure"]);
    assert!(checks.iter().all(|check| check["borne_out"] != json!(false)), "{explained:?}");
    assert!(checks[6]["told"].as_str().unwrap().contains(&format!("1 of {soon}")), "{explained:?}");

    let (account, at) = (ada.account.to_string(), receipt["at"].as_str().unwrap().to_owned());
    let then = operator.asks(&["balance", &account, "--at", &at, "--entries", "1"]);
    assert_eq!(then.json["remaining"], receipt["remaining_after"], "{then:?}");
    assert_eq!((&then.json["budget"]["used"], &then.json["entries"][0]["op"]), (&json!(6), &json!(id)), "{then:?}");
    let future = operator.tries(&["balance", &account, "--at", "2999-01-01T00:00:00Z"]);
    assert_eq!((future.exit, &future.json["error"]["code"]), (1, &json!("invalid")));
    stack.audit().await;
}

#[tokio::test]
async fn a_receipt_that_the_book_does_not_have_yet_is_on_its_way_and_one_of_nobody_is_unknown() {
    let mut stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(30).await;
    let unknown = operator.tries(&["receipt", "01a207da-9ea2-723b-819e-39d3c2378e21"]);
    assert_eq!((unknown.exit, &unknown.json["error"]["code"]), (1, &json!("receipt_unknown")), "{unknown:?}");
    assert_eq!(operator.tries(&["explain", "01a207da-9ea2-723b-819e-39d3c2378e21"]).exit, 1);
    assert_eq!(operator.tries(&["receipt", "nonsense"]).exit, 64);
    stack.syncs[0].program.kill();
    let answer = stack.send(&ada.key, Call::chat()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.op().to_owned();
    let waiting = operator.tries(&["receipt", &id]);
    assert_eq!((waiting.exit, &waiting.json["error"]["code"]), (1, &json!("receipt_on_its_way")), "{waiting:?}");
    let explained = operator.asks(&["explain", &id]);
    assert_eq!(explained.json["account"], json!(ada.account.to_string()), "{explained:?}");
    stack.syncs[0].program.start_again();
    wait_until("the book has it", async || operator.tries(&["receipt", &id]).exit == 0).await;
    stack.audit().await;
}

#[tokio::test]
async fn a_call_that_was_given_back_says_so_by_its_own_id() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(30).await;
    let answer = stack.send(&ada.key, Call::chat().fault("status=500")).await;
    let id = answer.op().to_owned();
    let state = || operator.tries(&["receipt", &id]).json["receipts"][0]["state"].clone();
    wait_until("it was given back", async || state() == json!("given_back")).await;
    let receipt = operator.asks(&["receipt", &id]).json["receipts"][0].clone();
    let closed = receipt["closed_by"][0].clone();
    assert_eq!((&closed["kind"], &closed["credits"]), (&json!("give_back"), &json!(1)), "{receipt}");
    let by_give_back = operator.asks(&["receipt", closed["op"].as_str().unwrap()]);
    assert_eq!(by_give_back.json["receipts"][0]["request_id"], json!(id), "{by_give_back:?}");
    stack.audit().await;
}

#[tokio::test]
async fn a_receipt_tells_how_the_request_ended_once_that_was_confirmed_wherever_it_is_shown() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(30).await;
    let id = stack.send(&ada.key, Call::chat().on("sure")).await.op().to_owned();
    wait_until("the book has it", async || operator.tries(&["receipt", &id]).exit == 0).await;
    let outcome = || operator.asks(&["receipt", &id]).json["receipts"][0]["outcome"].clone();
    wait_until("it is confirmed", async || !outcome().is_null()).await;
    let outcome = outcome();
    assert_eq!((&outcome["ended"], &outcome["upstream_status"]), (&json!("complete"), &json!(200)), "{outcome}");
    let explained = operator.asks(&["explain", &id]);
    assert_eq!(explained.json["decisions"][0]["receipt"]["outcome"], outcome, "{explained:?}");
    stack.audit().await;
}

#[tokio::test]
async fn accounts_that_were_found_true_say_when_and_up_to_which_event() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(30).await;
    let account = ada.account.to_string();
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    let seq = || operator.asks(&["account", "show", "--account", &account]).json["verified"]["seq"].clone();
    wait_until("the sample came by", async || {
        tokio::time::sleep(Duration::from_millis(200)).await; // each look is a program
        seq().as_u64().is_some_and(|seq| seq >= 3)
    })
    .await;
    wait_until("a whole round is over", async || {
        stack.syncs[0].program.metric("tollgate_sync_verified_round_at_seconds").await > 1_700_000_000
    })
    .await;
}
