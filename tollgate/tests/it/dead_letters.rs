//! An event that can't be applied, from the corruption to the decision, as callers and operators meet it.

use metering::ShardCount;
use metering::live::Fence;
use metering::testing::append_by_hand;
use serde_json::json;

use crate::cli::operator::Operator;
use crate::stack::{Call, Customer, Stack, wait_until};

/// The first event of a customer that is none: `\x1b` must not reach an operator's terminal.
fn poison(stack: &Stack, customer: &Customer) {
    let shard = customer.account.shard(ShardCount::new(4).unwrap());
    let fence = Fence { shard, incarnation: 1, certification: 0 };
    let account = customer.account.hex();
    append_by_hand(&stack.redis, &fence, 1, &["debit", &format!("op;{account};\x1b[2J")]);
}

#[tokio::test]
async fn an_operator_finds_a_poisoned_event_and_gives_it_up_and_no_caller_noticed() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let (ada, bob) = (stack.customer(100).await, stack.customer(100).await);
    assert_eq!(operator.asks(&["dead-letters", "list"]).json, json!({ "letters": [], "open": 0, "cut": false }));
    poison(&stack, &bob);
    for customer in [&ada, &bob, &bob, &bob] {
        assert_eq!(stack.send(&customer.key, Call::chat()).await.status, 200);
    }
    let list = || operator.asks(&["dead-letters", "list"]).json;
    wait_until("the event and the three after it are parked", async || list()["open"] == 4).await;

    let account = bob.account.to_string();
    let letters = list()["letters"].as_array().unwrap().clone();
    assert!(letters.iter().all(|letter| letter["account"] == account.as_str()), "{letters:?}");
    assert_eq!(letters.iter().filter(|letter| letter["follows"] == true).count(), 3);
    let first = letters[0]["letter"].as_str().unwrap();
    let shown = operator.asks(&["dead-letters", "show", first]).json;
    let bytes = format!("op;{};\x1b[2J", bob.account.hex());
    assert_eq!(shown["fields"], json!([["debit", format!("0x{}", metering::hex(bytes.as_bytes()))]]), "{shown}");
    assert_eq!((&shown["kind"], &shown["state"]), (&json!("undecodable"), &json!("open")));

    let found = operator.tries(&["verify"]);
    assert_eq!(found.exit, 2);
    assert_eq!(found.json["parked"], json!({ &account: { "events": 4, "credits": 3 } }));
    assert_eq!((&found.json["drift"], &found.json["differences"]), (&json!(0), &json!([])), "parked is no drift");
    assert_eq!(operator.tries(&["verify", "--book-only", "--account", &account]).exit, 2);
    assert_eq!(operator.asks(&["verify", "--account", &ada.account.to_string()]).json["drift"], 0);
    let why = operator.asks(&["account", "show", "--account", &account]).text("reason");
    assert!(why.contains("4 events are parked"), "{why}");

    let still = operator.tries(&["dead-letters", "retry", first]);
    assert_eq!((still.exit, &still.json["error"]["code"]), (1, &json!("dead_letter_refused")));
    let silent = operator.tries(&["dead-letters", "discard", first]);
    assert_eq!((silent.exit, &silent.json["error"]["code"]), (1, &json!("reason_missing")));
    let nobodys = operator.tries(&["dead-letters", "show", "s000/9-9"]);
    assert_eq!((nobodys.exit, &nobodys.json["error"]["code"]), (1, &json!("dead_letter_not_found")));
    assert_eq!(operator.tries(&["dead-letters", "discard", "s000-9"]).exit, 64);

    let done = operator.asks(&["--actor", "olga", "--reason", "bytes of nobody", "dead-letters", "discard", first]);
    assert_eq!((&done.json["applied"], &done.json["account"]), (&json!(3), &json!(account)));
    assert_eq!(operator.asks(&["verify"]).json["parked"], json!({}));
    assert_eq!(operator.asks(&["dead-letters", "list", "--all", "--account", &account]).json["open"], 0);
    let again = operator.tries(&["--reason", "once more", "dead-letters", "discard", first]);
    assert_eq!(again.json["error"]["code"], "dead_letter_resolved");
    let audits = "SELECT count(*) FROM audit WHERE action = 'dead_letters_discarded' AND actor = 'olga' AND reason = 'bytes of nobody'";
    assert_eq!(stack.book.number(audits).await, 1);
    assert_eq!(stack.send(&bob.key, Call::chat()).await.status, 200);
    assert_eq!(stack.remaining(&bob).await, 96);
    wait_until("every request is in the book", async || {
        stack.book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await == 5
    })
    .await;
    operator.asks(&["verify"]);
}

#[tokio::test]
async fn a_decision_whose_owner_is_away_is_noted_and_carried_out_when_there_is_one() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let bob = stack.customer(100).await;
    poison(&stack, &bob);
    let list = || operator.asks(&["dead-letters", "list"]).json;
    wait_until("the event is parked", async || list()["open"] == 1).await;
    stack.syncs[0].program.signal("STOP");
    let account = bob.account.to_string();
    let waits =
        operator.tries(&["--reason", "corrupted", "dead-letters", "discard", "--account", &account, "--wait", "1s"]);
    assert_eq!((waits.exit, &waits.json["error"]["code"]), (69, &json!("dead_letter_waits")));
    stack.syncs[0].program.signal("CONT");
    wait_until("it is carried out", async || list()["open"] == 0).await;
    wait_until("nothing differs", async || operator.tries(&["verify"]).exit == 0).await;
    assert_eq!(stack.send(&bob.key, Call::chat()).await.status, 200);
}
