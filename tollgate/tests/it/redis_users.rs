//! Each program under its own user of Redis, by TLS: everything works, nobody may do more, and no password is written down.

use metering::testing::PASSWORD_ENDS;

use crate::stack::{Plan, Stack, guarded::place_of, wait_until};

const CALLERS: usize = 6;

#[tokio::test]
async fn an_owner_under_its_own_user_certifies_drains_installs_and_rebuilds() {
    let mut stack = Stack::with(Plan { guarded: true, ..Plan::default() }).await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(100).await;
    stack.audit_calls(&load.stop().await).await;

    // Emptied, so that all of it is certified as new, installed, and what was before it is forgotten.
    stack.redis.start_again_empty();
    stack.syncs[0].wait_certified(8).await;
    wait_until("every shard is built anew", async || stack.rebuilds().await >= 8).await;
    assert_eq!(stack.rebuilds().await, 8, "each once");
    let load = stack.load(&ada, CALLERS);
    load.wait_served(100).await;
    let tally = load.stop().await;
    stack.audit().await;
    assert!(stack.served_without_debit(&tally).await.is_empty());
    for program in [&stack.gateways[0].program, &stack.syncs[0].program] {
        let log = program.log();
        assert!(!log.contains(PASSWORD_ENDS) && !log.contains("NOPERM"), "{log}");
    }
}

#[tokio::test]
async fn a_redis_with_users_that_is_restarted_goes_on_where_it_was() {
    let plan = Plan { guarded: true, appendfsync: "always", ..Plan::default() };
    let mut stack = Stack::with(plan).await;
    let ada = stack.customer(100_000).await;
    let load = stack.load(&ada, CALLERS);
    load.wait_served(100).await;
    // Redis replays what scripts wrote as the user `default`, and asks what that one may do.
    stack.redis.start_again();
    load.wait_served(100).await;
    stack.audit_calls(&load.stop().await).await;
    assert_eq!(stack.rebuilds().await, 0, "nothing was lost, so nothing had to be built anew");
    let refused = stack.redis.try_command(&place_of(&stack.redis, "default"), &["GET", "tg:install"]).unwrap_err();
    assert!(refused.to_lowercase().contains("auth"), "nobody is served as that user: {refused}");
}

#[tokio::test]
async fn the_owner_and_the_operators_command_may_do_their_work_only() {
    let stack = Stack::with(Plan { guarded: true, ..Plan::default() }).await;
    let everybody: [&[&str]; 6] = [
        &["FLUSHALL"],
        &["KEYS", "*"],
        &["CONFIG", "SET", "appendonly", "no"],
        &["ACL", "LIST"],
        &["SHUTDOWN", "NOSAVE"],
        &["SET", "another:program", "1"],
    ];
    let reader: [&[&str]; 4] = [
        &["SCRIPT", "LOAD", "return 1"],
        &["EVAL", "return 1", "0"],
        &["HSET", "tg:install", "shards", "1"],
        &["DEL", "tg:install"],
    ];
    let cases = [("ledger-sync", &everybody[..]), ("tollgate", &everybody[..]), ("tollgate", &reader[..])];
    for (user, commands) in cases {
        for command in commands {
            let refused = stack.redis.try_command(&place_of(&stack.redis, user), command).unwrap_err();
            assert!(refused.to_uppercase().contains("NOPERM"), "{user} {command:?}: {refused}");
        }
    }
}
