//! The book put back to an older state, as a failover to a Postgres that is behind does: what it has forgotten is read again.

use crate::stack::{Call, Plan, SHORT_LEASES, Stack, wait_until};

fn books() -> Plan {
    Plan { gateways: 2, syncs: 2, own_postgres: true, sync_settings: SHORT_LEASES, ..Plan::default() }
}

/// Keeps the book as it is now, for later.
async fn keep(stack: &mut Stack) {
    let postgres = stack.postgres.as_mut().unwrap();
    postgres.kill();
    postgres.keep_a_copy();
    postgres.start_again().await;
}

/// Puts the kept book in the place of the one that is there.
async fn put_back(stack: &mut Stack) {
    let postgres = stack.postgres.as_mut().unwrap();
    postgres.kill();
    postgres.put_the_copy_back();
    postgres.start_again().await;
}

#[tokio::test]
async fn what_the_book_has_forgotten_is_read_again_from_the_stream() {
    let mut stack = Stack::with(books()).await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, 6);
    load.wait_served(40).await;
    keep(&mut stack).await;
    load.wait_served(200).await;
    wait_until("most of it is in the book", async || {
        stack.book.ledger.entries(ada.account, None, 200).await.unwrap().len() == 200
    })
    .await;
    put_back(&mut stack).await;
    load.wait_served(40).await;
    let tally = load.stop().await;
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0, "live state is as good as it was");
}

#[tokio::test]
async fn a_book_that_has_forgotten_its_owners_gives_no_epoch_out_twice() {
    let mut stack = Stack::with(books()).await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, 6);
    load.wait_served(40).await;
    keep(&mut stack).await;
    for _ in 0..3 {
        stack.syncs[0].program.start_again(); // each time its shards go to another owner and back
        stack.wait_shared().await;
    }
    load.wait_served(100).await;
    put_back(&mut stack).await;
    load.wait_served(40).await;
    let tally = load.stop().await;
    stack.audit_calls(&tally).await;
    assert_eq!(stack.rebuilds().await, 0);
    let noticed = "SELECT count(*) FROM incidents WHERE kind = 'book_put_back'";
    assert!(stack.book.number(noticed).await > 0, "operators are told");
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
}

/// Lets go of all events but the last one of each shard, as time does.
const FORGET: &str =
    "for _, stream in ipairs(redis.call('KEYS', '*:events')) do redis.call('XTRIM', stream, 'MAXLEN', 1) end";

#[tokio::test]
async fn a_book_older_than_the_stream_remembers_is_not_believed() {
    let mut stack = Stack::with(books()).await;
    let ada = stack.customer(100_000).await;
    for _ in 0..5 {
        assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    }
    let totals = stack.audit().await;
    keep(&mut stack).await;
    for _ in 0..40 {
        assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    }
    assert_eq!(stack.audit().await.standing(), totals.standing() + 40);
    stack.redis.command(&["EVAL", FORGET, "0"]);
    put_back(&mut stack).await;
    let stands = async || {
        let mut broken = 0;
        for sync in &stack.syncs {
            broken += sync.program.metric("tollgate_sync_shard_broken").await;
        }
        broken > 0
    };
    wait_until("the shard stands until somebody looks", stands).await;
    assert_eq!(stack.rebuilds().await, 0, "nothing is built from a book that has forgotten what was drawn");
    let said = async || stack.syncs.iter().any(|sync| sync.program.log().contains("older than the stream remembers"));
    wait_until("the log says what to do", said).await;
}
