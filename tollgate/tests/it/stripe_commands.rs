//! The operators' commands around Stripe, run as an operator runs them: a real book, a real webhook, and a pretend Stripe.

mod reconcile;

use ledger::stripe::DeliveryState;
use metering::Status;
use serde_json::{Value, json};

use crate::cli::operator::{Operator, Said};
use crate::stack::{Plan, Stack, wait_until};

/// What the pack of the demo plans grants.
const PACK: u64 = 2_500;

/// Nobody calls; they buy.
async fn shop() -> Stack {
    Stack::with(Plan { gateways: 0, webhooks: 1, ..Plan::default() }).await
}

async fn newcomer(stack: &Stack) -> String {
    stack.newcomer().await.account.to_string()
}

/// Opens a checkout; answers its session.
fn opens(operator: &Operator, account: &str, plan: &str) -> String {
    operator.asks(&["checkout", "create", "--account", account, "--plan", plan]).text("session")
}

/// Buys at Stripe what was opened, and waits until every delivery about it has come to its end.
async fn buys(stack: &Stack, operator: &Operator, account: &str, plan: &str) {
    let session = opens(operator, account, plan);
    stack.stripe().order(&format!("sessions/{session}/pay"), &json!({})).await;
    stack.wait_told().await;
}

/// Settings that name a plans file of this text.
fn plans(stack: &Stack, name: &str, text: &str) -> String {
    let path = stack.directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    format!("stripe.plans = \"{}\"", path.display())
}

fn plan(code: &str, product: &str, price: &str, money: &str) -> String {
    format!(
        "[[plan]]\ncode = \"{code}\"\nname = \"{code}\"\nproduct = \"prod_{product}\"\nprice = \"{price}\"\n\
         kind = \"recurring\"\n{money}\nallowance = 10\nexpiry = \"period_end\"\norder = 1\n"
    )
}

/// The reason of each plan; `ready` where there is none.
fn reasons(said: &Said) -> Vec<(&str, &str)> {
    let plans = said.json["plans"].as_array().unwrap().iter();
    plans.map(|plan| (plan["plan"].as_str().unwrap(), plan["reason"].as_str().unwrap_or("ready"))).collect()
}

fn list<'a>(said: &'a Said, what: &str) -> &'a Vec<Value> {
    said.json[what].as_array().unwrap_or_else(|| panic!("no {what} in {said:?}"))
}

#[tokio::test]
async fn plans_are_held_against_stripe_and_what_is_missing_or_differs_is_named() {
    let stack = shop().await;
    let good = plan("good", "tollgate_team", "price_tollgate_team", "amount = 9900\ncurrency = \"usd\"");
    let all = [
        plan("dearer", "tollgate_starter", "price_tollgate_starter", "amount = 1901\ncurrency = \"usd\""),
        plan("absent", "tollgate_team", "price_absent", "amount = 9900\ncurrency = \"usd\""),
        plan("priceless", "tollgate_team", "", "amount = 9900\ncurrency = \"usd\""),
        plan("single", "tollgate_pack", "price_tollgate_pack", "amount = 2500\ncurrency = \"usd\""),
        good.clone(),
    ];
    let operator = Operator::selling(&stack, &plans(&stack, "plans.toml", &all.concat()));
    stack.wait_told().await;
    stack.book.execute("DELETE FROM stripe_offers").await.unwrap(); // as if no delivery had told of prices
    let before = operator.asks(&["plans", "list"]);
    assert_eq!((&before.json["ready"], &before.json["plans"][2]["at_stripe"]), (&json!(4), &Value::Null), "{before:?}");
    let wanted = [
        ("absent", "price_missing"),
        ("dearer", "amount_differs"),
        ("good", "ready"),
        ("priceless", "plan_unpriced"),
        ("single", "kind_differs"),
    ];
    let synced = operator.tries(&["plans", "sync"]);
    assert_eq!((synced.exit, reasons(&synced)), (2, wanted.to_vec()), "{synced:?}");
    assert_eq!(synced.json["plans"][1]["at_stripe"]["amount"], 1900, "what Stripe says instead is told");
    assert_eq!(synced.json["plans"][0]["at_stripe"], Value::Null);
    let listed = operator.asks(&["plans", "list"]);
    assert_eq!(reasons(&listed), wanted, "the book remembers");
    assert_eq!(listed.json["plans"][2]["allowance"], 10);
    let only_good = Operator::selling(&stack, &plans(&stack, "good.toml", &good));
    assert_eq!(reasons(&only_good.asks(&["plans", "sync"])), [("good", "ready")]);
    let missing = Operator::selling(&stack, "stripe.plans = \"absent.toml\"");
    missing.is_refused(&["plans", "list"], 64, "config");
    missing.is_refused(&["--check"], 64, "config");
}

#[tokio::test]
async fn without_a_key_of_stripe_plans_are_listed_and_nothing_is_asked() {
    let stack = Stack::with(Plan { gateways: 0, ..Plan::default() }).await;
    let (operator, ada) = (Operator::of(&stack), newcomer(&stack).await);
    let listed = operator.asks(&["plans", "list"]);
    let none = "checkout_not_configured";
    let wanted = [("starter", none), ("team", none), ("pack", none), ("scale", "plan_unpriced")];
    assert_eq!((&listed.json["ready"], reasons(&listed)), (&json!(0), wanted.to_vec()));
    for asked in [
        &["plans", "sync"][..],
        &["checkout", "create", "--account", &ada, "--plan", "team"],
        &["portal", "create", "--account", &ada],
        &["stripe", "reconcile"],
    ] {
        operator.is_refused(asked, 1, "stripe_not_configured");
    }
}

#[tokio::test]
async fn a_checkout_repeated_under_its_key_is_the_same_session_and_one_row() {
    let stack = shop().await;
    let (operator, ada) = (Operator::selling(&stack, ""), newcomer(&stack).await);
    let ask = |plan: &str, key: &str| {
        let base = ["checkout", "create", "--account", &ada, "--plan", plan, "--idempotency-key", key];
        operator.asks(&[&base[..], &["--success-url", "http://127.0.0.1:1/ok?s={CHECKOUT_SESSION_ID}"]].concat())
    };
    let (first, again, other) = (ask("pack", "click-1"), ask("pack", "click-1"), ask("pack", "click-2"));
    assert_eq!(first.json, again.json);
    assert!(first.text("url").starts_with("http"), "{first:?}");
    assert_ne!(first.json["session"], other.json["session"], "another key is another checkout");
    let rows = stack.book.number("SELECT count(*) FROM stripe_checkouts").await;
    let opened = stack.book.number("SELECT count(*) FROM audit WHERE action = 'checkout_opened'").await;
    assert_eq!((rows, opened), (2, 2));
    let create = |account: &str, more: &[&str]| {
        let arguments = [&["checkout", "create", "--account", account], more].concat();
        operator.tries(&arguments)
    };
    for (account, more, exit, code) in [
        ("acct_00000000000000000000000000000001", &["--plan", "pack"][..], 1, "account_not_found"),
        (&ada, &["--plan", "gold"], 1, "plan_unknown"),
        (&ada, &["--plan", "scale"], 1, "plan_unpriced"),
        (&ada, &["--plan", "pack", "--idempotency-key", "a b"], 1, "idempotency_key_unsound"),
    ] {
        let said = create(account, more);
        assert_eq!((said.exit, said.json["error"]["code"].as_str()), (exit, Some(code)), "{more:?}: {said:?}");
    }
    assert_eq!(create(&ada, &["--plan", "pack", "--success-url", "javascript:1"]).exit, 64);
    assert_eq!(stack.book.number("SELECT count(*) FROM stripe_checkouts").await, 2, "nothing refused left anything");
    operator.asks(&["account", "status", "--account", &ada, "--status", "suspended"]);
    operator.is_refused(&["checkout", "create", "--account", &ada, "--plan", "pack"], 1, "account_suspended");
}

#[tokio::test]
async fn while_stripe_is_away_nothing_is_opened_or_written_and_all_of_it_may_be_repeated() {
    let stack = shop().await;
    let (operator, ada) = (Operator::selling(&stack, "stripe.timeout_ms = 1000"), newcomer(&stack).await);
    stack.wait_told().await;
    let written = async || {
        let tables = ["stripe_checkouts", "stripe_customers", "stripe_offers", "stripe_reconciled"];
        let counts = tables.map(|table| format!("(SELECT count(*) FROM {table})")).join(" + ");
        stack.book.number(&format!("SELECT {counts}")).await
    };
    let prices_told = written().await;
    let checkout = ["checkout", "create", "--account", &ada, "--plan", "team", "--idempotency-key", "click-1"];
    for answer in ["503", "429", "hang"] {
        stack.stripe().order("outage", &json!({ "answer": answer })).await;
        for asked in [&checkout[..], &["plans", "sync"], &["stripe", "reconcile", "--repair"]] {
            operator.is_refused(asked, 69, "stripe_unavailable");
        }
        assert_eq!(written().await, prices_told, "{answer}");
    }
    stack.stripe().order("outage", &json!({ "answer": "answer_lost", "path": "/v1/checkout" })).await;
    let lost = operator.is_refused(&checkout, 69, "stripe_unavailable");
    assert!(lost.json["error"]["message"].to_string().contains("--idempotency-key click-1"), "{lost:?}");
    assert_eq!(stack.book.number("SELECT count(*) FROM stripe_checkouts").await, 0);
    stack.stripe().clear("outage").await;
    let opened = operator.asks(&checkout);
    assert_eq!(opened.json["session"], operator.asks(&checkout).json["session"]);
    assert_eq!(stack.book.number("SELECT count(*) FROM stripe_checkouts").await, 1);
    assert_eq!(stack.book.number("SELECT count(*) FROM stripe_customers").await, 1);
}

#[tokio::test]
async fn the_portal_opens_once_there_is_a_customer() {
    let stack = shop().await;
    let (operator, ada) = (Operator::selling(&stack, ""), newcomer(&stack).await);
    let portal = ["portal", "create", "--account", &ada];
    operator.is_refused(&portal, 1, "customer_missing");
    opens(&operator, &ada, "team");
    assert!(operator.asks(&portal).text("url").contains("/portal/"));
    let nobody = ["portal", "create", "--account", "acct_00000000000000000000000000000001"];
    operator.is_refused(&nobody, 1, "account_not_found");
    stack.stripe().order("outage", &json!({ "answer": "500" })).await;
    operator.is_refused(&portal, 69, "stripe_unavailable");
}

#[tokio::test]
async fn what_can_not_be_applied_is_listed_with_its_reason_and_resolved_with_one() {
    let stack = shop().await;
    let operator = Operator::selling(&stack, "");
    let charge = json!({
        "id": "ch_stray", "object": "charge", "amount": 1000, "amount_refunded": 1000, "currency": "usd",
        "customer": "cus_stray", "payment_intent": "pi_stray", "refunded": true, "livemode": false,
    });
    let sent = stack.stripe().order("events", &json!({ "type": "charge.refunded", "object": charge })).await;
    let event = sent["id"].as_str().unwrap();
    stack.wait_told().await;
    let listed = operator.asks(&["stripe", "parked", "list"]);
    let parked = &list(&listed, "events")[0];
    assert_eq!((&parked["event"], &parked["parked"]["code"]), (&json!(event), &json!("payment_unknown")), "{listed:?}");
    assert_eq!(listed.json["parked"], 1);

    let resolve = ["stripe", "parked", "resolve", event];
    operator.is_refused(&resolve, 1, "reason_missing");
    let because = ["--actor", "olga", "--reason", "a sale of the old shop"];
    operator.asks(&[&resolve[..], &because].concat());
    assert_eq!(operator.asks(&["stripe", "parked", "list"]).json["events"], json!([]));
    operator.is_refused(&[&resolve[..], &because].concat(), 1, "delivery_not_parked");
    operator.is_refused(&["stripe", "parked", "resolve", "evt_absent", "--reason", "x"], 1, "delivery_not_found");
    let shown = operator.asks(&["stripe", "events", "show", event]);
    let decided = &list(&shown, "changes")[0];
    assert_eq!((&shown.json["state"], &shown.json["body"]["data"]["object"]), (&json!("resolved"), &charge));
    let parts = ["actor", "action", "reason"].map(|part| decided[part].as_str().unwrap());
    assert_eq!(parts, ["olga", "delivery_resolved", "a sale of the old shop"]);
}

#[tokio::test]
async fn an_event_that_is_applied_again_changes_nothing() {
    let stack = shop().await;
    let (operator, ada) = (Operator::selling(&stack, ""), newcomer(&stack).await);
    buys(&stack, &operator, &ada, "team").await;
    let paid = ["stripe", "events", "list", "--type", "invoice.paid", "--account", &ada, "--state", "applied"];
    let listed = operator.asks(&paid);
    assert_eq!(list(&listed, "events").len(), 1, "{listed:?}");
    let event = list(&listed, "events")[0]["event"].as_str().unwrap().to_owned();
    let shown = || operator.asks(&["stripe", "events", "show", &event]);
    let first = shown();
    assert_eq!((&first.json["body"]["id"], &first.json["body"]["type"]), (&json!(event), &json!("invoice.paid")));
    let actions = |said: &Said| -> Vec<String> {
        list(said, "changes").iter().map(|change| change["action"].as_str().unwrap().to_owned()).collect()
    };
    let before = actions(&first);

    let replay = ["stripe", "events", "replay", &event];
    operator.is_refused(&replay, 1, "reason_missing");
    operator.asks(&[&replay[..], &["--reason", "to see"]].concat());
    wait_until("it was applied again", async || {
        stack.book.ledger.delivery(&event).await.unwrap().unwrap().state == DeliveryState::Applied
    })
    .await;
    assert_eq!(actions(&shown()), [&before[..], &["delivery_replayed".to_owned()]].concat());
    let payments = operator.asks(&["stripe", "payments", "list", "--account", &ada]);
    assert_eq!(list(&payments, "payments").len(), 1);
    assert_eq!(stack.book.number("SELECT count(*) FROM lots").await, 1);
    assert_eq!(
        stack.book.ledger.account_view(ada.parse().unwrap(), stack.now().await).await.unwrap().status,
        Status::Active
    );

    operator.is_refused(&["stripe", "events", "replay", "evt_absent", "--reason", "x"], 1, "delivery_not_found");
    operator.is_refused(&["stripe", "events", "show", "evt_absent"], 1, "delivery_not_found");
    let nobody = "acct_00000000000000000000000000000001";
    for asked in [["stripe", "events"], ["stripe", "parked"], ["stripe", "payments"]] {
        operator.is_refused(&[&asked[..], &["list", "--account", nobody]].concat(), 1, "account_not_found");
    }
    assert_eq!(operator.tries(&["stripe", "events", "list", "--state", "lost"]).exit, 64);
    let few = operator.asks(&["stripe", "events", "list", "--limit", "1"]);
    assert_eq!((list(&few, "events").len(), &few.json["cut"]), (1, &json!(true)));
    stack.audit().await;
}
