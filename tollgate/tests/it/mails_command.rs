//! Mails and suppressed addresses, as an operator at a terminal sees and changes them.

use metering::AccountId;
use serde_json::json;

use crate::cli::operator::Operator;
use crate::stack::Stack;

/// A mail about an account in some state, as a worker leaves it.
async fn mail(stack: &Stack, account: AccountId, state: &str, held: Option<&str>) -> String {
    let held = held.map_or("NULL".to_owned(), |held| format!("'{held}'"));
    let sql = format!(
        "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at, state, held_reason) \
         SELECT '{}', 'ann@example.org', 'low_balance', '{{}}', 'story:' || gen_random_uuid(), clock_timestamp(), '{state}', {held}",
        account.as_uuid()
    );
    stack.book.execute(&sql).await.unwrap();
    stack.book.text("SELECT max(mail_id)::text FROM mails").await
}

#[tokio::test]
async fn an_operator_reads_what_became_of_mails_and_has_one_sent_again_with_a_reason() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(5).await.account;
    let (held, unknown) =
        (mail(&stack, ada, "held_back", Some("no_address")).await, mail(&stack, ada, "unknown", None).await);
    let account = ada.to_string();
    let listed = |more: &[&str]| {
        let asked = [&["mails", "list", "--account", &account][..], more].concat();
        let said = operator.asks(&asked).json;
        let numbers = said["mails"].as_array().unwrap().iter().map(|mail| mail["mail"].to_string());
        (numbers.collect::<Vec<_>>(), said["cut"] == true)
    };
    assert_eq!(listed(&[]), (vec![unknown.clone(), held.clone()], false), "latest first");
    assert_eq!(listed(&["--limit", "1"]), (vec![unknown.clone()], true));
    assert_eq!(listed(&["--after", &unknown]), (vec![held.clone()], false));
    assert_eq!(listed(&["--state", "held_back"]), (vec![held.clone()], false));
    assert_eq!(operator.tries(&["mails", "list", "--state", "lost"]).exit, 64);
    operator.is_refused(
        &["mails", "list", "--account", "acct_00000000000000000000000000000000"],
        1,
        "account_not_found",
    );
    operator.is_refused(&["mails", "show", "99"], 1, "mail_not_found");

    let shown = operator.asks(&["mails", "show", &held]).json;
    assert_eq!((&shown["state"], &shown["held_reason"]), (&json!("held_back"), &json!("no_address")));
    assert_eq!(shown["evidence"][0]["what"], "queued");
    operator.is_refused(&["mails", "resend", &unknown], 1, "reason_missing");
    let why = ["--actor", "olga", "--reason", "it did not arrive"];
    let again = operator.asks(&[&["mails", "resend", &unknown][..], &why].concat());
    assert_eq!(again.json, json!({ "mail": unknown.parse::<u64>().unwrap(), "state": "queued" }));
    operator.is_refused(&[&["mails", "resend", &unknown][..], &why].concat(), 1, "mail_under_way");
    let shown = operator.asks(&["mails", "show", &unknown]).json;
    let last = shown["evidence"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["what"], &last["actor"], &last["detail"]),
        (&json!("resent"), &json!("olga"), &json!("it did not arrive"))
    );
    let audited = "SELECT concat_ws(' ', actor, before ->> 'state', after ->> 'state', reason) FROM audit WHERE action = 'mail_resent'";
    assert_eq!(stack.book.text(audited).await, "olga unknown queued it did not arrive");
}

#[tokio::test]
async fn an_address_is_suppressed_listed_and_released_with_a_reason() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let why = ["--actor", "olga", "--reason", "asked by phone"];
    let asks = |asked: &[&str]| operator.asks(&[asked, &why].concat()).json;
    operator.is_refused(&["suppressions", "add", "bob@example.org"], 1, "reason_missing");
    operator.is_refused(&[&["suppressions", "add", "bob"][..], &why].concat(), 1, "address_invalid");
    for address in ["Bob@Example.org", "ann@example.org", "bob@example.org"] {
        assert_eq!(asks(&["suppressions", "add", address])["suppressed"], true);
    }
    let listed = |more: &[&str]| {
        let said = operator.asks(&[&["suppressions", "list"][..], more].concat()).json;
        said["suppressions"].as_array().unwrap().iter().map(|one| one["address"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["ann@example.org", "bob@example.org"], "once each, in lower case");
    assert_eq!(listed(&["--limit", "1"]), ["ann@example.org"]);
    assert_eq!(listed(&["--after", "Ann@example.org"]), ["bob@example.org"]);
    operator.is_refused(&["suppressions", "release", "bob@example.org"], 1, "reason_missing");
    assert_eq!(
        asks(&["suppressions", "release", "BOB@example.org"]),
        json!({ "address": "bob@example.org", "suppressed": false })
    );
    operator.is_refused(
        &[&["suppressions", "remove", "bob@example.org"][..], &why].concat(),
        1,
        "suppression_not_found",
    );
    assert_eq!(listed(&[]), ["ann@example.org"]);
    let told = "SELECT string_agg(concat_ws(' ', actor, action, subject, reason), '; ' ORDER BY audit_id) FROM audit WHERE subject LIKE 'bob%'";
    let expected = "olga address_suppressed bob@example.org asked by phone; olga address_unsuppressed bob@example.org asked by phone";
    assert_eq!(stack.book.text(told).await, expected);
}
