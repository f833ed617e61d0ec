//! A shard that is being built anew says how far it is, and who asks is served before those who don't.

use metering::{AccountId, ShardCount};
use uuid::Uuid;

use crate::stack::{Call, Stack, wait_until};

/// Enough for an install to take a while.
const OTHERS: u128 = 30_000;

/// Accounts whose ids come before everybody else's, so that an install in order writes them first.
async fn move_in(stack: &Stack) {
    let count = ShardCount::new(4).unwrap();
    let numbers: Vec<u128> = (1..=OTHERS).collect();
    for page in numbers.chunks(5_000) {
        let row = |number: &u128| {
            let account = AccountId::from_uuid(Uuid::from_u128(*number));
            let shard = account.shard(count).number;
            format!("('{}', 'One of many', {shard}, 'active', 1, now())", account.as_uuid())
        };
        let rows: Vec<String> = page.iter().map(row).collect();
        let sql = "INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at) VALUES ";
        stack.book.execute(&format!("{sql}{}", rows.join(", "))).await.unwrap();
    }
}

#[tokio::test]
async fn who_asks_is_served_before_the_last_account_is_there_and_readiness_says_how_far_it_is() {
    let stack = Stack::start().await;
    let ada = stack.customer(100).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    stack.audit().await;
    move_in(&stack).await;
    let sync = &stack.syncs[0].program;
    let before = sync.metric("tollgate_sync_accounts_installed_total").await;
    stack.redis.command(&["FLUSHALL"]);
    wait_until("it says how far it is", async || sync.readiness().await.1.contains("installing ")).await;
    wait_until("ada is served", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
    let installed = sync.metric("tollgate_sync_accounts_installed_total").await - before;
    assert!(installed < i64::try_from(OTHERS).unwrap(), "she had to wait for {installed} others");
    wait_until("all are there", async || sync.readiness().await.1.contains("\"says\":\"ready\"")).await;
    let installed = sync.metric("tollgate_sync_accounts_installed_total").await - before;
    assert!(installed > i64::try_from(OTHERS).unwrap(), "{installed}");
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
}
