//! The operators' command, run as an operator runs it.

pub mod operator;

use metering::Status;
use serde_json::json;

use crate::stack::{Call, Stack, wait_until};
use operator::Operator;

#[tokio::test]
async fn an_account_is_made_filled_spent_and_shown_in_burn_order() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let made =
        operator.asks(&["account", "create", "--name", "Ada", "--status", "active", "--email", "ada@example.com"]);
    let account = made.text("account");
    let late = operator.asks(&[
        "lot",
        "grant",
        "--account",
        &account,
        "--credits",
        "10",
        "--expires-in",
        "30d",
        "--product",
        "team",
    ]);
    let soon = operator.asks(&["lot", "grant", "--account", &account, "--credits", "2", "--expires-in", "7d"]);
    operator.asks(&["budget", "set", "--account", &account, "--limit", "40"]);
    let key = operator.asks(&["key", "issue", "--account", &account]);
    assert_eq!(key.text("account"), account);
    stack.wait_carried().await;
    for _ in 0..3 {
        assert_eq!(stack.send(&key.text("key"), Call::chat()).await.status, 200);
    }
    let shown = || operator.asks(&["account", "show", "--account", &account]).json;
    wait_until("the book has the three debits", async || shown()["lots"][1]["remaining"] == 9).await;

    let shown = shown();
    assert_eq!(shown["lots"][0]["lot"], soon.json["lot"], "earliest expiry first");
    assert_eq!((&shown["lots"][0]["state"], &shown["lots"][0]["remaining"]), (&json!("exhausted"), &json!(0)));
    assert_eq!((&shown["lots"][1]["lot"], &shown["lots"][1]["product"]), (&late.json["lot"], &json!("team")));
    let parts =
        ["status", "remaining", "book_remaining", "drift", "overdraft", "undelivered"].map(|part| shown[part].clone());
    assert_eq!(parts, [json!("active"), json!(9), json!(9), json!(0), json!(0), json!(0)]);
    assert_eq!((&shown["budget"]["limit"], &shown["budget"]["used"]), (&json!(40), &json!(3)));
    let entries = operator.asks(&["entries", "--account", &account]).json;
    assert_eq!(entries["entries"][0]["kind"], "debit");
    stack.audit().await;
}

#[tokio::test]
async fn verify_is_silent_while_traffic_flows_and_finds_what_was_spoilt() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(1_000).await;
    let load = async {
        for _ in 0..40 {
            assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
        }
    };
    let verify = async {
        for _ in 0..5 {
            let verified = operator.tries_in_background(&["verify"]).await;
            assert_eq!((verified.exit, &verified.json["drift"]), (0, &json!(0)), "{verified:?}");
        }
    };
    tokio::join!(load, verify);
    stack.audit().await;

    stack.book.execute("UPDATE lots SET remaining = remaining + 5").await.unwrap();
    let verified = operator.tries(&["verify"]);
    assert_eq!((verified.exit, &verified.json["drift"]), (2, &json!(5)), "{verified:?}");
    let found = verified.json["differences"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["in"], &found[1]["in"]), (2, &json!("book"), &json!("live")), "{verified:?}");
    let account = ada.account.to_string();
    let shown = operator.asks(&["account", "show", "--account", &account]);
    assert_eq!((&shown.json["drift"], shown.json["differences"].as_array().unwrap().len()), (&json!(5), 1));
    let other = operator.asks(&["account", "create", "--name", "Bob"]);
    assert_eq!(operator.tries(&["verify", "--account", &other.text("account")]).exit, 0, "another account is fine");
    stack.book.execute("UPDATE lots SET remaining = remaining - 5").await.unwrap();
    assert_eq!(operator.tries(&["verify", "--account", &account]).exit, 0);
}

#[tokio::test]
async fn a_status_a_revoked_key_and_an_ended_lot_reach_callers() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(30).await;
    let account = ada.account.to_string();
    operator.asks(&["account", "status", "--account", &account, "--status", "payment_failed"]);
    stack.wait_carried().await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.problem(), "402 payment_failed");
    operator.asks(&["account", "status", "--account", &account, "--status", "approved"]);
    let lots = operator.asks(&["account", "show", "--account", &account]).json["lots"].clone();
    let lot = lots[0]["lot"].as_str().unwrap().to_owned();
    operator.asks(&["lot", "reduce", "--lot", &lot, "--credits", "10"]);
    stack.wait_carried().await;
    assert_eq!(stack.remaining(&ada).await, 20);
    operator.asks(&["lot", "expire", "--lot", &lot]);
    stack.wait_carried().await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.problem(), "402 credits_exhausted");
    let key = ada.key_id.to_string();
    let first = operator.asks(&["key", "revoke", "--key", &key]).json;
    assert_eq!(operator.asks(&["key", "revoke", "--key", &key]).json, first, "revoking again says when it was");
    let listed = operator.asks(&["key", "list", "--account", &account]).json;
    assert_eq!(listed["keys"][0]["revoked_at"], first["revoked_at"]);
    stack.wait_carried().await;
    wait_until("the gateway refuses the key", async || {
        stack.send(&ada.key, Call::chat()).await.problem() == "401 invalid_api_key"
    })
    .await;
    stack.audit().await;
}

#[tokio::test]
async fn what_is_refused_says_why_with_a_code_and_an_exit_code() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let trial = stack.customer_with(Status::Trial, 5).await.account.to_string();
    let nobody = "acct_00000000000000000000000000000000";
    let cases: [(&[&str], u8, &str); 8] = [
        (&["budget", "set", "--account", &trial, "--limit", "40"], 1, "budget_not_eligible"),
        (&["account", "show", "--account", nobody], 1, "account_not_found"),
        (&["verify", "--account", nobody], 1, "account_not_found"),
        (&["lot", "grant", "--account", &trial, "--credits", "0", "--expires-in", "1d"], 1, "invalid"),
        (
            &["lot", "grant", "--account", &trial, "--credits", "1", "--expires-at", "2020-01-01T00:00:00Z"],
            1,
            "invalid",
        ),
        (&["lot", "expire", "--lot", "lot_99"], 1, "lot_not_found"),
        (&["key", "revoke", "--key", "key_00000000000000000000000000000000"], 1, "key_not_found"),
        (&["migrate", "--shards", "5"], 1, "shard_count_differs"),
    ];
    for (arguments, exit, code) in cases {
        let refused = operator.tries(arguments);
        assert_eq!((refused.exit, &refused.json["error"]["code"]), (exit, &json!(code)), "{arguments:?}: {refused:?}");
    }
    for usage in [
        &["lot", "grant", "--account", &trial, "--credits", "-1", "--expires-in", "1d"][..],
        &["lot", "grant", "--account", &trial, "--credits", "9007199254740992", "--expires-in", "1d"],
        &["lot", "grant", "--account", &trial, "--credits", "1"],
        &[
            "lot",
            "grant",
            "--account",
            &trial,
            "--credits",
            "1",
            "--expires-in",
            "1d",
            "--expires-at",
            "2030-01-01T00:00:00Z",
        ],
        &["account", "create", "--name", "Ada", "--status", "rich"],
        &["account", "show", "--account", "ada"],
        &["nonsense"],
    ] {
        assert_eq!(operator.tries(usage).exit, 64, "{usage:?}");
    }
    assert_eq!(stack.book.number("SELECT count(*) FROM lots").await, 1, "nothing refused left anything behind");
}

#[tokio::test]
async fn every_change_is_in_the_audit_with_who_and_why() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let made = operator.asks(&["account", "create", "--name", "Ada", "--actor", "olga", "--reason", "a gift"]);
    let account = made.text("account");
    operator.asks(&["account", "status", "--account", &account, "--status", "suspended"]);
    let told = "SELECT string_agg(concat_ws(' ', actor, action, before ->> 'status', after ->> 'status', reason), '; ' ORDER BY audit_id) FROM audit";
    let expected = "olga account_created trial a gift; operator status_set trial suspended no reason given";
    assert_eq!(stack.book.text(told).await, expected);
}

#[tokio::test]
async fn an_account_can_be_looked_at_while_redis_is_away() {
    let stack = Stack::start().await;
    let ada = stack.customer(30).await.account.to_string();
    let operator = Operator::without_redis(&stack);
    let shown = operator.asks(&["account", "show", "--account", &ada]).json;
    let parts = ["remaining", "book_remaining", "drift"].map(|part| shown[part].clone());
    assert_eq!(parts, [json!(null), json!(30), json!(null)]);
    assert_eq!(shown["reason"], "the live balance can't be reached");
    let verified = operator.tries(&["verify"]);
    assert_eq!((verified.exit, &verified.json["error"]["code"]), (69, &json!("live_unavailable")));
    assert_eq!(operator.tries(&["verify", "--book-only"]).exit, 0);
}

#[tokio::test]
async fn wrong_settings_are_refused_before_anything_is_done() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    assert_eq!(operator.tries(&["--check"]).exit, 0);
    let wrong = Operator::with_settings(&stack, "[redis]\nurll = \"x\"\n");
    let refused = wrong.tries(&["--check"]);
    assert_eq!((refused.exit, &refused.json["error"]["code"]), (64, &json!("config")));
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains(":2: unknown key `redis.urll`"), "{message}");
}

#[tokio::test]
async fn names_need_not_be_unique_and_are_found_in_any_case() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let first = operator.asks(&["account", "create", "--name", "Ada"]).text("account");
    let second = operator.asks(&["account", "create", "--name", "ada", "--status", "active"]).text("account");
    let found = operator.asks(&["account", "find", "--name", "ADA"]).json;
    let ids: Vec<&str> =
        found["accounts"].as_array().unwrap().iter().filter_map(|found| found["account"].as_str()).collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(operator.asks(&["account", "find", "--name", "nobody"]).json["accounts"], json!([]));
}

#[tokio::test]
async fn a_key_is_held_to_a_policy_loosened_and_rotated_while_callers_go_on() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let account = operator.asks(&["account", "create", "--name", "Ada", "--status", "active"]).text("account");
    operator.asks(&["lot", "grant", "--account", &account, "--credits", "10", "--expires-in", "7d"]);
    let issued =
        operator.asks(&["key", "issue", "--account", &account, "--rate", "day=1/1d", "--address", "127.0.0.1"]);
    let (key, key_id) = (issued.text("key"), issued.text("key_id"));
    stack.wait_carried().await;
    let chat = async |key: &str| stack.send(key, Call::chat()).await.status;
    assert_eq!((chat(&key).await, chat(&key).await), (200, 429));
    let rotated = operator.asks(&["key", "rotate", "--key", &key_id, "--grace", "1h"]);
    let new = rotated.text("key");
    wait_until("the new key is known", async || chat(&new).await == 429).await;
    assert_eq!(chat(&key).await, 429, "both count as one");
    operator.asks(&["key", "set", "--key", &rotated.text("key_id"), "--rate", "hour=5/1h"]);
    wait_until("the new key may do more", async || chat(&new).await == 200).await;
    operator.asks(&["key", "rotate", "--key", &rotated.text("key_id"), "--grace", "1s"]);
    wait_until("the grace is over", async || chat(&new).await == 401).await;
    let listed = || operator.asks(&["key", "list", "--account", &account]).json;
    let shown = || listed()["keys"].as_array().unwrap().iter().find(|key| key["policy"]["caps"].is_object()).cloned();
    assert_eq!(shown(), None);
    let newest = operator.asks(&["key", "issue", "--account", &account, "--cap-day", "2", "--cap-month", "9"]);
    assert_eq!(shown().unwrap()["policy"]["caps"], serde_json::json!({ "day": 2, "month": 9 }));
    let (capped, capped_id) = (newest.text("key"), newest.text("key_id"));
    wait_until("its cap holds", async || chat(&capped).await == 402).await;
    assert_eq!(stack.send(&capped, Call::chat()).await.json()["cap"], "day");
    operator.asks(&["key", "set", "--key", &capped_id, "--cap-day", "0", "--cap-month", "9"]);
    wait_until("only the month counts", async || chat(&capped).await == 200).await;
    assert_eq!(shown().unwrap()["policy"]["caps"], serde_json::json!({ "month": 9 }));
    wait_until("the book knows when the key was used", async || listed()["keys"][0]["last_used_at"].is_string()).await;
    let wrong = operator.tries(&["key", "issue", "--account", &account, "--rate", "day=0/1d"]);
    assert_eq!(wrong.exit, 64, "{wrong:?}");
    stack.audit().await;
}
