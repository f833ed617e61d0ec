//! Postgres is away: calls go on as far as the exposure caps allow, changes are refused, and then the book catches up.

use std::time::{Duration, Instant};

use metering::Status;

use crate::stack::{Call, Plan, Stack, by, wait_until};

#[tokio::test]
async fn calls_go_on_changes_are_refused_and_then_the_book_catches_up() {
    let plan = Plan { gateways: 2, syncs: 2, own_postgres: true, ..Plan::default() };
    let mut stack = Stack::with(plan).await;
    let ada = stack.customer(100_000).await;
    let now = stack.now().await;
    let load = stack.load(&ada, 6);
    load.wait_served(40).await;
    stack.postgres.as_mut().unwrap().kill();
    let away = Instant::now();
    let refused = stack.book.ledger.set_status(ada.account, Status::Suspended, &by(now)).await.unwrap_err();
    assert!(refused.is_passing(), "it may be tried again: {refused}");
    let served = load.served();
    while away.elapsed() < Duration::from_secs(5) {
        load.wait_served(20).await; // with pauses far below any lease or cap
    }
    assert!(load.served() - served >= 100, "calls went on");
    for sync in &stack.syncs {
        let age = async || sync.program.metric("tollgate_sync_backlog_age_ms").await;
        wait_until("how far the book is behind is shown", async || age().await > 1000).await;
    }
    stack.postgres.as_mut().unwrap().start_again().await;
    load.wait_served(40).await;
    let tally = load.stop().await;
    tally.assert_only(&["200"]);
    stack.audit_calls(&tally).await;
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200, "the refused change did not happen");
    stack.set_status(ada.account, Status::Suspended).await;
    wait_until("a change arrives again", async || stack.send(&ada.key, Call::chat()).await.status == 403).await;
    stack.audit().await;
}

#[tokio::test]
async fn no_more_is_drawn_than_the_installation_allows_to_be_at_risk() {
    for cap in ["exposure.events = 50", "exposure.credits = 50", "exposure.age_ms = 1500"] {
        let plan = Plan { own_postgres: true, sync_settings: cap, ..Plan::default() };
        let mut stack = Stack::with(plan).await;
        let ada = stack.customer(100_000).await;
        assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
        stack.audit().await; // nothing is at risk now
        stack.postgres.as_mut().unwrap().kill();
        let mut served = 0;
        let refused = loop {
            let answer = stack.send(&ada.key, Call::chat()).await;
            if answer.status != 200 {
                break answer;
            }
            served += 1;
        };
        assert_eq!(refused.problem(), "503 meter_unavailable", "{cap}");
        assert_eq!(
            (&refused.json()["reason"], refused.number("retry-after")),
            (&"exposure_cap".into(), Some(1)),
            "{cap}"
        );
        assert!(cap.contains("age") || served == 50, "{cap}: {served} were at risk");
        let exposed = async || stack.syncs[0].program.metric("tollgate_sync_exposure_percent").await;
        wait_until("that the cap is reached is shown", async || exposed().await >= 100).await;
        assert_eq!(stack.send(&ada.key, Call::get("/v1/usage")).await.status, 200, "{cap}");
        stack.postgres.as_mut().unwrap().start_again().await;
        wait_until("calls are served again", async || stack.send(&ada.key, Call::chat()).await.status == 200).await;
        assert_eq!(stack.audit().await.standing(), served + 2, "{cap}");
    }
}
