//! Answers of Redis that are lost or late, and calls that come after their time: nobody pays for what was not served, and nothing is done twice.

use std::time::Duration;

use metering::live::scripts::Script;

use crate::stack::{AS_SHIPPED, Call, Customer, Fault, Plan, Stack, wait_until};

/// Longer than a gateway waits for an answer.
const LATE: Duration = Duration::from_millis(700);
/// Every way in which the outcome of a call stays unknown.
const FAULTS: [Fault; 3] = [Fault::AnswerLost, Fault::AnswerLate(LATE), Fault::CallLate(LATE)];
const LOT: u64 = 1_000;

async fn wired() -> (Stack, Customer) {
    let settings = "lease.duration_ms = 30000\nsweep.hold_grace_ms = 0";
    let plan = Plan { wire: true, gateway_settings: AS_SHIPPED, sync_settings: settings, ..Plan::default() };
    let stack = Stack::with(plan).await;
    let ada = stack.customer(LOT).await;
    assert_eq!(stack.send(&ada.key, Call::chat().on("gone")).await.status, 502, "her key is known");
    (stack, ada)
}

impl Stack {
    async fn entries(&self, kind: &str) -> i64 {
        self.book.number(&format!("SELECT count(*) FROM entries WHERE kind = '{kind}'")).await
    }

    /// The next call of a script is befallen by a fault, and one request is made that needs it; answers what the caller sees.
    async fn befallen(&self, ada: &Customer, script: Script, fault: Fault, call: Call) -> String {
        let struck = self.wire.as_ref().unwrap().struck();
        self.next_calls(ada.account, script, fault, 1);
        let answer = self.send(&ada.key, call).await;
        wait_until("the fault strikes", async || self.wire.as_ref().unwrap().struck() > struck).await;
        if answer.json()["code"].is_string() { answer.problem() } else { answer.status.to_string() }
    }
}

#[tokio::test]
async fn a_debit_whose_answer_is_lost_or_late_is_undone() {
    let (stack, ada) = wired().await;
    let sent = stack.upstream.count().await;
    for (round, fault) in (1..).zip([Fault::AnswerLost, Fault::AnswerLate(LATE)].repeat(2)) {
        let answered = stack.befallen(&ada, Script::Debit, fault, Call::chat()).await;
        assert_eq!(answered, "503 meter_unavailable", "{fault:?}");
        let totals = stack.audit().await;
        // And the one that found nobody behind its route.
        assert_eq!((totals.debits, totals.give_backs), (1 + round, 1 + round), "{fault:?}: drawn, and undone");
        assert_eq!(stack.remaining(&ada).await, LOT, "{fault:?}");
    }
    assert_eq!(stack.upstream.count().await, sent, "nothing unpaid went on");
    assert_eq!(stack.send(&ada.key, Call::chat()).await.status, 200);
    assert_eq!((stack.audit().await.standing(), stack.remaining(&ada).await), (1, LOT - 1));
}

#[tokio::test]
async fn a_debit_that_arrives_after_its_undo_draws_nothing() {
    let (stack, ada) = wired().await;
    for by in [LATE, Duration::from_secs(3)] {
        let answered = stack.befallen(&ada, Script::Debit, Fault::CallLate(by), Call::chat()).await;
        assert_eq!(answered, "503 meter_unavailable");
        tokio::time::sleep(by).await; // it arrives
        let totals = stack.audit().await;
        assert_eq!((totals.debits, totals.give_backs), (1, 1), "only the one before: the late one was refused");
        assert_eq!(stack.remaining(&ada).await, LOT);
    }
    assert_eq!(stack.book.number("SELECT count(*) FROM undos WHERE state = 'settled'").await, 2, "nothing was to undo");
}

#[tokio::test]
async fn a_give_back_whose_outcome_is_unknown_happens_once() {
    let (stack, ada) = wired().await;
    for (round, fault) in (1..).zip(FAULTS) {
        let failing = Call::chat().on("hasty").fault("status=500");
        assert_eq!(stack.befallen(&ada, Script::GiveBack, fault, failing).await, "500", "{fault:?}");
        let totals = stack.audit().await;
        assert_eq!((totals.debits, totals.give_backs), (1 + round, 1 + round), "{fault:?}");
        assert_eq!(stack.remaining(&ada).await, LOT, "{fault:?}");
    }
}

#[tokio::test]
async fn a_hold_whose_settlement_is_unknown_is_settled_once() {
    let (stack, ada) = wired().await;
    assert_eq!(stack.send(&ada.key, Call::chat().on("held")).await.status, 200);
    wait_until("it is settled", async || stack.entries("settle").await == 1).await;
    let price = LOT - stack.remaining(&ada).await;
    for (round, fault) in (2..).zip(FAULTS) {
        assert_eq!(stack.befallen(&ada, Script::Settle, fault, Call::chat().on("held")).await, "200", "{fault:?}");
        wait_until("it is settled", async || stack.entries("settle").await == round).await;
        stack.audit().await;
        assert_eq!(stack.remaining(&ada).await, LOT - price * u64::try_from(round).unwrap(), "{fault:?}");
    }
    assert_eq!(stack.entries("settle").await, 4);
}

#[tokio::test]
async fn a_confirmation_whose_outcome_is_unknown_is_recorded_once() {
    let (stack, ada) = wired().await;
    for (round, fault) in (1..).zip(FAULTS) {
        assert_eq!(stack.befallen(&ada, Script::Confirm, fault, Call::chat().on("sure")).await, "200", "{fault:?}");
        wait_until("it is confirmed", async || {
            stack.book.number("SELECT count(*) FROM outcomes WHERE ended = 'complete'").await == round
        })
        .await;
        assert_eq!(stack.audit().await.standing(), usize::try_from(round).unwrap(), "{fault:?}");
        assert_eq!(stack.remaining(&ada).await, LOT - u64::try_from(round).unwrap());
    }
    assert_eq!(stack.book.number("SELECT count(*) FROM outcomes").await, 3);
    assert_eq!(stack.book.number("SELECT count(*) FROM holds").await, 0);
}
