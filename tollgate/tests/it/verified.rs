//! What was spoilt by hand is found and named while traffic flows; a rebuild mends live state and hides nothing of the book.

use metering::{AccountId, ShardCount};
use serde_json::{Value, json};

use crate::cli::operator::{Operator, Said};
use crate::stack::{Call, Customer, Stack, wait_until};

/// The hash of an account in Redis.
fn hash(account: AccountId) -> String {
    let shard = account.shard(ShardCount::new(4).unwrap());
    format!("tg:{{{shard}}}:1:a:{}", account.hex())
}

/// Takes a credit out of the first lot of an account in Redis, behind everybody's back, in one step.
fn spoil_live(stack: &Stack, account: AccountId) {
    let spoilt = metering::testing::spoil_head(&hash(account), None);
    stack.redis.command(&spoilt.each_ref().map(String::as_str));
}

async fn verified(operator: &Operator) -> Said {
    operator.tries_in_background(&["verify"]).await
}

fn differences(said: &Said) -> Vec<Value> {
    said.json["differences"].as_array().unwrap_or_else(|| panic!("{said:?}")).clone()
}

async fn lot_of(stack: &Stack, customer: &Customer) -> String {
    let entries = stack.book.ledger.entries(customer.account, None, 1_000).await.unwrap();
    entries.last().unwrap().split[0].lot.to_string()
}

#[tokio::test]
async fn a_lot_spoilt_in_redis_and_one_in_postgres_are_found_the_first_is_mended_and_the_second_not_hidden() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let (ada, bob) = (stack.customer(100_000).await, stack.customer(100_000).await);
    let (ada_lot, bob_lot) = (lot_of(&stack, &ada).await, lot_of(&stack, &bob).await);
    let loads = [stack.load(&ada, 3), stack.load(&bob, 3)];
    for load in &loads {
        load.wait_served(20).await;
    }
    let whole = verified(&operator).await;
    assert_eq!((whole.exit, &whole.json["drift"]), (0, &json!(0)), "{whole:?}");

    spoil_live(&stack, ada.account);
    let spoil = format!("UPDATE lots SET remaining = remaining - 5 WHERE account_id = '{}'", uuid_of(&bob));
    stack.book.execute(&spoil).await.unwrap();
    let both = verified(&operator).await;
    assert_eq!((both.exit, &both.json["drift"]), (2, &json!(6)), "{both:?}");
    let found = differences(&both);
    let in_live = |customer: &Customer| {
        found.iter().find(|it| it["in"] == "live" && it["account"] == customer.account.to_string()).cloned()
    };
    let (of_ada, of_bob) = (in_live(&ada).unwrap(), in_live(&bob).unwrap());
    assert_eq!((&of_ada["difference"]["kind"], &of_ada["difference"]["lot"]), (&json!("lot"), &json!(ada_lot)));
    assert_eq!(&of_bob["difference"]["lot"], &json!(bob_lot));
    let in_book: Vec<&Value> = found.iter().filter(|it| it["in"] == "book").collect();
    assert_eq!((in_book.len(), &in_book[0]["difference"]["lot"]), (1, &json!(bob_lot)), "{both:?}");

    let ada_id = ada.account.to_string();
    let said = operator.tries(&["rebuild", "--account", &ada_id, "--actor", "olga", "--reason", "drift of 1"]);
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(said.json["differences_before"][0]["lot"], json!(ada_lot), "{said:?}");
    assert_eq!(said.json["differences_after"], json!([]), "{said:?}");
    assert!(said.json["changed"].as_array().unwrap().iter().any(|it| it["field"] == json!(ada_lot)), "{said:?}");
    assert_eq!(operator.tries(&["verify", "--account", &ada_id]).exit, 0, "mended");
    let audited = "SELECT concat_ws(' ', actor, action, reason, before -> 'differences' -> 0 ->> 'kind') FROM audit \
                   WHERE action = 'rebuild_asked'";
    assert_eq!(stack.book.text(audited).await, "olga rebuild_asked drift of 1 lot");

    let bob_id = bob.account.to_string();
    let refused = operator.tries(&["rebuild", "--account", &bob_id]);
    assert_eq!((refused.exit, &refused.json["error"]["code"]), (2, &json!("book_differs")), "{refused:?}");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains(&bob_id) && message.contains(&bob_lot), "{message}");
    let asked = "SELECT count(*) FROM outbox WHERE kind = 'rebuild_asked'";
    assert_eq!(stack.book.number(asked).await, 1, "only Ada's");
    assert_eq!(operator.tries(&["verify", "--account", &bob_id]).exit, 2, "still to be seen");

    for load in loads {
        load.stop().await.assert_only(&["200"]);
    }
    let mend = format!("UPDATE lots SET remaining = remaining + 5 WHERE account_id = '{}'", uuid_of(&bob));
    stack.book.execute(&mend).await.unwrap();
    stack.audit().await;
}

fn uuid_of(customer: &Customer) -> String {
    customer.account.as_uuid().to_string()
}

#[tokio::test]
async fn an_account_that_can_not_be_read_is_named_and_keeps_nobody_from_being_served_or_verified() {
    let stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let (ada, bob) = (stack.customer(100).await, stack.customer(100_000).await);
    let load = stack.load(&bob, 4);
    load.wait_served(10).await;
    stack.redis.command(&["HSET", &hash(ada.account), "m", "nonsense"]);
    let whole = verified(&operator).await;
    assert_eq!((whole.exit, &whole.json["accounts"]), (2, &json!(2)), "{whole:?}");
    let found = differences(&whole);
    assert_eq!((found.len(), &found[0]["account"]), (1, &json!(ada.account.to_string())), "{whole:?}");
    assert_eq!(found[0]["difference"]["kind"], json!("unreadable"));
    load.wait_served(50).await;
    load.stop().await.assert_only(&["200"]);
    let mended = operator.tries(&["rebuild", "--account", &ada.account.to_string()]);
    assert_eq!((mended.exit, &mended.json["differences_after"]), (0, &json!([])), "{mended:?}");
    wait_until("she is served again", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
    stack.audit().await;
}

#[tokio::test]
async fn a_rebuild_waits_only_so_long_for_an_owner_and_names_what_is_not_there() {
    let mut stack = Stack::start().await;
    let operator = Operator::of(&stack);
    let ada = stack.customer(100).await.account.to_string();
    let nobody = operator.tries(&["rebuild", "--account", "acct_00000000000000000000000000000000"]);
    assert_eq!((nobody.exit, &nobody.json["error"]["code"]), (1, &json!("account_not_found")), "{nobody:?}");
    stack.syncs[0].program.kill();
    let pending = operator.tries(&["rebuild", "--account", &ada, "--wait", "1s"]);
    assert_eq!((pending.exit, &pending.json["error"]["code"]), (69, &json!("rebuild_pending")), "{pending:?}");
    stack.syncs[0].program.start_again();
    stack.wait_carried().await;
    stack.audit().await;
}
