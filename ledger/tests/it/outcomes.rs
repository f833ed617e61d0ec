//! Debits with a deadline in the book: confirmed, moved on, given back, in whatever order the words come.

use metering::{AccountId, Body, Credits, Ended, LotId, OpId, RequestOutcome, Status, TimeMs};

use crate::actors::entry::{entry, spoilt};
use crate::actors::{NOON, Operator, Stream, credits, op, period_end, shard_of};

const OUTCOME: RequestOutcome =
    RequestOutcome { upstream_status: None, answer_bytes: 0, duration_ms: 1_834, ended: Ended::CallerLeft };
const DEADLINE: TimeMs = NOON.plus_ms(60_000);

impl Stream {
    fn draws_until(&mut self, account: AccountId, op: OpId, lot: LotId, hold_until: TimeMs) {
        let seq = self.next_seq(account);
        self.push(Body::Debit {
            account,
            seq,
            op,
            credits: credits(10),
            split: vec![metering::Draw { lot, credits: credits(10) }],
            period_end: period_end(self.at),
            remaining_after: Credits::ZERO,
            budget_used_after: Credits::ZERO,
            key: None,
            route: "v1.messages".parse().unwrap(),
            hold_until: Some(hold_until),
            idempotency: None,
        });
    }

    fn confirms(&mut self, account: AccountId, debit_op: OpId) {
        self.push(Body::Confirm { account, debit_op, credits: credits(10), outcome: OUTCOME });
    }
}

struct Story {
    operator: Operator,
    account: AccountId,
    lot: LotId,
    stream: Stream,
}

impl Story {
    async fn begins() -> Self {
        let operator = Operator::arrives().await;
        let account = operator.account(Status::Active).await;
        let lot = operator.grants(account, 100, 30).await;
        let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
        stream.applies_pending(&operator.db, &[]).await;
        stream.drains(&operator.db).await;
        Self { operator, account, lot, stream }
    }

    async fn due(&self, at: TimeMs) -> Vec<OpId> {
        let due = self.operator.db.ledger.due_holds(self.stream.fence, at, None, 10).await.unwrap();
        due.into_iter().map(|due| due.op).collect()
    }

    /// What the book says of each of the first debits.
    async fn outcomes(&self, most: u128) -> Vec<Option<Option<RequestOutcome>>> {
        let mut found = Vec::new();
        for number in 1..=most {
            let outcome = self.operator.db.ledger.outcome(self.account, op(number)).await.unwrap();
            found.push(outcome.map(|outcome| outcome.confirmed));
        }
        found
    }
}

#[tokio::test]
async fn a_confirmed_debit_is_never_due_whether_it_came_in_one_batch_or_in_two() {
    let mut story = Story::begins().await;
    for number in 1..=3 {
        story.stream.draws_until(story.account, op(number), story.lot, DEADLINE);
    }
    story.stream.confirms(story.account, op(1));
    let recorded = story.stream.drains(&story.operator.db).await;
    assert_eq!((recorded.confirmed, recorded.credits_confirmed, recorded.credits_debited), (1, 10, 30));
    story.stream.confirms(story.account, op(2));
    story.stream.confirms(story.account, op(2)); // its mark went meanwhile
    let recorded = story.stream.drains(&story.operator.db).await;
    assert_eq!((recorded.confirmed, recorded.confirmed_in_vain, recorded.credits_confirmed), (1, 1, 20));
    assert_eq!(story.due(DEADLINE).await, [op(3)]);
    assert_eq!(story.outcomes(3).await, [Some(Some(OUTCOME)), Some(Some(OUTCOME)), None]);
    assert_eq!(story.operator.remaining(story.lot).await, 70);
    story.operator.finds_no_difference(&[story.account]).await;
}

#[tokio::test]
async fn a_deadline_moves_on_and_never_back() {
    let mut story = Story::begins().await;
    let later = |ms| DEADLINE.plus_ms(ms);
    for number in 1..=2 {
        story.stream.draws_until(story.account, op(number), story.lot, DEADLINE);
    }
    let extend = |story: &mut Story, number, hold_until| {
        story.stream.push(Body::Extend { account: story.account, debit_op: op(number), hold_until });
    };
    extend(&mut story, 1, later(5));
    extend(&mut story, 1, later(3));
    story.stream.drains(&story.operator.db).await;
    assert_eq!((story.due(later(4)).await, story.due(later(5)).await), (vec![op(2)], vec![op(2), op(1)]));
    extend(&mut story, 2, later(9));
    extend(&mut story, 2, later(7));
    extend(&mut story, 1, later(4));
    story.stream.drains(&story.operator.db).await;
    assert_eq!((story.due(later(8)).await, story.due(later(9)).await), (vec![op(1)], vec![op(1), op(2)]));
    extend(&mut story, 1, later(20));
    story.stream.confirms(story.account, op(1));
    extend(&mut story, 1, later(30));
    extend(&mut story, 77, later(30)); // lost with the tail of Redis
    story.stream.drains(&story.operator.db).await;
    assert_eq!(story.due(later(40)).await, [op(2)]);
}

#[tokio::test]
async fn what_nobody_confirmed_in_time_is_given_back_and_a_late_confirmation_changes_nothing() {
    let mut story = Story::begins().await;
    for number in 1..=3 {
        story.stream.draws_until(story.account, op(number), story.lot, DEADLINE);
    }
    story.stream.drains(&story.operator.db).await;
    story.stream.is_asked_to_undo(story.account, op(1), NOON.plus_ms(2_000)); // before its deadline, by its gateway
    story.stream.at = DEADLINE;
    story.stream.is_asked_to_undo(story.account, op(2), NOON); // as the owner asks
    story.stream.gives_back(story.account, op(3), &[(story.lot, 10)], &[], period_end(NOON));
    let recorded = story.stream.drains(&story.operator.db).await;
    assert_eq!(recorded.unconfirmed, 1);
    for number in 1..=3 {
        story.stream.confirms(story.account, op(number));
    }
    story.stream.applies_pending(&story.operator.db, &[]).await;
    let recorded = story.stream.drains(&story.operator.db).await;
    assert_eq!((recorded.confirmed, recorded.confirmed_in_vain), (0, 3));
    assert_eq!(story.outcomes(3).await, [None, Some(None), None]);
    assert_eq!(story.operator.remaining(story.lot).await, 100);
    story.operator.finds_no_difference(&[story.account]).await;
}

#[tokio::test]
async fn what_was_confirmed_is_not_given_back_in_an_incarnation_that_knows_nothing_of_it() {
    let mut story = Story::begins().await;
    for number in 1..=2 {
        story.stream.draws_until(story.account, op(number), story.lot, DEADLINE);
    }
    story.stream.confirms(story.account, op(1));
    story.stream.drains(&story.operator.db).await;
    story.stream.begins_anew(&story.operator.db).await;
    story.stream.confirms(story.account, op(2)); // drawn by the incarnation before
    story.stream.is_asked_to_undo(story.account, op(1), NOON.plus_ms(2_000));
    story.stream.is_asked_to_undo(story.account, op(2), NOON.plus_ms(2_000));
    story.stream.confirms(story.account, op(9)); // its debit was lost
    let recorded = story.stream.drains(&story.operator.db).await;
    assert_eq!((recorded.confirmed, recorded.confirmed_in_vain), (1, 1));
    story.stream.applies_pending(&story.operator.db, &[]).await;
    story.stream.drains(&story.operator.db).await;
    assert_eq!(story.operator.remaining(story.lot).await, 80);
    assert_eq!(story.outcomes(2).await, [Some(Some(OUTCOME)); 2]);
    story.operator.finds_no_difference(&[story.account]).await;
}

#[tokio::test]
async fn a_hold_that_is_settled_late_has_no_outcome_of_a_debit_that_nobody_confirmed() {
    let mut story = Story::begins().await;
    story.stream.draws_until(story.account, op(1), story.lot, DEADLINE);
    story.stream.drains(&story.operator.db).await;
    story.stream.at = DEADLINE;
    let (account, seq) = (story.account, story.stream.next_seq(story.account));
    let undo = Body::Undo {
        account,
        seq,
        op: op(50),
        debit_op: op(1),
        not_after: NOON.plus_ms(2_000),
        kept: Some(credits(4)),
    };
    story.stream.push(undo); // a settlement whose hold was not at hand
    assert_eq!(story.stream.drains(&story.operator.db).await.unconfirmed, 0);
    assert_eq!(story.outcomes(1).await, [None]);
}

#[tokio::test]
async fn how_the_request_of_a_marked_account_ends_does_not_wait_for_an_operator() {
    let mut story = Story::begins().await;
    for number in 1..=2 {
        story.stream.draws_until(story.account, op(number), story.lot, DEADLINE);
    }
    story.stream.drains(&story.operator.db).await;
    story.stream.draws_until(story.account, op(3), story.lot, DEADLINE);
    story.stream.push(Body::Extend { account: story.account, debit_op: op(1), hold_until: DEADLINE.plus_ms(9) });
    story.stream.confirms(story.account, op(2));
    let mut entries: Vec<metering::StreamEntry> = story.stream.events.iter().map(entry).collect();
    entries[0] = spoilt(&story.stream.events[0], "s", Some("4711:10"));
    let batch = ledger::ReadBatch { fence: story.stream.fence, from: story.stream.from, entries };
    let recorded = story.operator.db.ledger.record_or_park(&batch).await.unwrap();
    assert_eq!((recorded.parked.len(), recorded.confirmed), (1, 1), "only the debit that can't be applied is parked");
    assert_eq!(recorded.credits_unexposed(), 20, "what is parked and what is confirmed is no longer at risk");
    assert_eq!(story.due(DEADLINE).await, [], "one is confirmed, and one goes on");
    assert_eq!(story.due(DEADLINE.plus_ms(9)).await, [op(1)]);
}
