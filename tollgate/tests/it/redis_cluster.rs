//! Live balances on a Redis Cluster: slots move and nodes die under load, and nobody loses a credit by it.

use std::time::{Duration, Instant};

use metering::testing::{holder, move_slot};
use metering::{ApiKey, ShardCount};

use crate::stack::{Call, Customer, Plan, Stack, Tally, wait_until};

const MOMENT: usize = 60;
/// What a moved slot may cost its own callers.
const OUTAGE_MAX: Duration = Duration::from_secs(2);

/// Gateways are patient with a slow machine; what a cluster refuses they do not wait for any longer.
async fn cluster() -> Stack {
    Stack::with(Plan { nodes: 3, syncs: 2, ..Plan::default() }).await
}

/// The hash tag of the customer's shard.
fn tag(customer: &Customer) -> String {
    customer.account.shard(ShardCount::new(4).unwrap()).to_string()
}

/// The hash tag of the shard of the customer's key.
fn tag_of_key(customer: &Customer) -> String {
    ApiKey::parse(&customer.key).unwrap().digest().shard(ShardCount::new(4).unwrap()).to_string()
}

/// Two customers whose shards are held by two nodes.
async fn customers_apart(stack: &Stack) -> (Customer, Customer) {
    let ada = stack.customer(100_000).await;
    loop {
        let zoe = stack.customer(100_000).await;
        if holder(&stack.nodes(), &tag(&ada)) != holder(&stack.nodes(), &tag(&zoe)) {
            return (ada, zoe);
        }
    }
}

/// The longest time in which nobody was served.
fn longest_outage(tally: &Tally) -> Duration {
    let mut served: Vec<Instant> = tally.replies.iter().filter(|reply| reply.what == "200").map(|it| it.at).collect();
    served.sort_unstable();
    served.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

/// Each served call of both has its one debit, nobody else has paid.
async fn audit_both(stack: &Stack, mut ada: Tally, zoe: Tally) {
    ada.replies.extend(zoe.replies);
    stack.audit_calls(&ada).await;
}

#[tokio::test]
async fn a_guarded_cluster_serves_as_one_redis_does() {
    let stack = Stack::with(Plan { nodes: 3, syncs: 2, guarded: true, ..Plan::default() }).await;
    let (ada, zoe) = customers_apart(&stack).await;
    let (loads, moment) = ([stack.load(&ada, 2), stack.load(&zoe, 2)], MOMENT);
    for load in &loads {
        load.wait_served(moment).await;
    }
    let [ada_load, zoe_load] = loads;
    let (of_ada, of_zoe) = (ada_load.stop().await, zoe_load.stop().await);
    of_ada.assert_only(&["200"]);
    of_zoe.assert_only(&["200"]);
    audit_both(&stack, of_ada, of_zoe).await;
    stack.revoke(ada.key_id).await;
    wait_until("the change is heard wherever it was published", async || {
        stack.send(&ada.key, Call::get("/v1/usage")).await.status == 401
    })
    .await;
}

#[tokio::test]
async fn slots_moved_under_load_cost_nobody_a_credit_and_others_nothing() {
    let stack = cluster().await;
    let (ada, zoe) = customers_apart(&stack).await;
    let (ada_load, zoe_load) = (stack.load(&ada, 2), stack.load(&zoe, 2));
    for _ in 0..4 {
        ada_load.wait_served(MOMENT).await;
        let before = holder(&stack.nodes(), &tag(&ada));
        move_slot(&stack.nodes(), &tag(&ada));
        assert_ne!(holder(&stack.nodes(), &tag(&ada)), before);
    }
    ada_load.wait_served(MOMENT).await;
    let (of_ada, of_zoe) = (ada_load.stop().await, zoe_load.stop().await);
    of_ada.assert_only(&["200", "503 meter_unavailable"]);
    of_ada.assert_retry_after();
    of_zoe.assert_only(&["200"]);
    let outage = longest_outage(&of_ada);
    eprintln!(
        "the longest outage of a moved slot: {outage:?}; {:?}, beside it {:?}",
        of_ada.by_answer(),
        of_zoe.by_answer()
    );
    assert!(outage < OUTAGE_MAX, "{outage:?}");
    audit_both(&stack, of_ada, of_zoe).await;
    assert_eq!(stack.rebuilds().await, 0, "what was moved is whole");
}

#[tokio::test]
async fn keys_whose_slots_were_moved_are_found_and_revoked() {
    let stack = cluster().await;
    let ada = stack.customer(1000).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    for shard in ["k000", "k001", "k002", "k003"] {
        // A shard without keys has nothing to move but what says so.
        move_slot(&stack.nodes(), shard);
    }
    let other = stack.customer(1000).await;
    wait_until("a key of a moved slot is found", async || stack.send(&other.key, Call::chat()).await.status == 200)
        .await;
    for customer in [&ada, &other] {
        stack.revoke(customer.key_id).await;
        wait_until("its revocation is heard", async || {
            stack.send(&customer.key, Call::get("/v1/usage")).await.status == 401
        })
        .await;
    }
    stack.audit().await;
}

#[tokio::test]
async fn a_node_that_dies_and_comes_back_stops_its_own_shards_only() {
    let mut stack = cluster().await;
    let (ada, zoe) = customers_apart(&stack).await;
    // The one that the settings name must die: the others have to be found without it.
    while holder(&stack.nodes(), &tag(&ada)) != 0 {
        move_slot(&stack.nodes(), &tag(&ada));
    }
    for tag in [tag(&zoe), tag_of_key(&zoe)] {
        if holder(&stack.nodes(), &tag) == 0 {
            move_slot(&stack.nodes(), &tag);
        }
    }
    wait_until("both are served", async || {
        stack.send(&ada.key, Call::chat()).await.status == 200 && stack.send(&zoe.key, Call::chat()).await.status == 200
    })
    .await;
    let before = stack.audit().await.standing();
    let (ada_load, zoe_load) = (stack.load(&ada, 2), stack.load(&zoe, 2));
    ada_load.wait_served(MOMENT).await;
    stack.redis.kill();
    zoe_load.wait_served(2 * MOMENT).await;
    stack.redis.start_again();
    ada_load.wait_served(MOMENT).await;
    let (of_ada, of_zoe) = (ada_load.stop().await, zoe_load.stop().await);
    of_ada.assert_only(&["200", "503 meter_unavailable"]);
    of_zoe.assert_only(&["200"]);
    assert!(of_ada.count("503 meter_unavailable") > 0);
    let totals = stack.audit().await;
    assert_eq!(totals.standing() - before, of_ada.served() + of_zoe.served());
    assert_eq!(stack.rebuilds().await, 0);
}
