//! What comes due without anybody asking: holds that nobody settled, marks of an `Idempotency-Key` a day old.

use ledger::DueHold;
use metering::{
    AccountId, Body, Credits, Fingerprint, Idempotency, IdempotencyKey, IdempotencyMark, LotId, OpId, Split, Status,
    TimeMs,
};

use crate::actors::{DAY, NOON, Operator, Stream, credits, op, period_end, shard_of};

fn under(key: &str) -> Idempotency {
    Idempotency {
        key: IdempotencyKey::of(&[key.as_bytes()]),
        fingerprint: Fingerprint::of(&[b"a request"]),
        in_use_until: NOON.plus_ms(60_000),
    }
}

impl Stream {
    fn draws(&mut self, account: AccountId, op: OpId, lot: LotId, hold_until: Option<TimeMs>, key: Option<&str>) {
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
            hold_until,
            idempotency: key.map(under),
        });
    }

    fn settles(&mut self, account: AccountId, debit_op: OpId) {
        let seq = self.next_seq(account);
        self.push(Body::GiveBack {
            account,
            seq,
            op: op(900 + u128::from(seq)),
            debit_op,
            returned: Split::new(),
            lapsed: Split::new(),
            kept: Some(credits(10)),
            period_end: period_end(NOON),
            remaining_after: Credits::ZERO,
            budget_used_after: Credits::ZERO,
            key: None,
            debited_at: NOON,
        });
    }
}

async fn account_with_credits(operator: &Operator) -> (AccountId, LotId, Stream) {
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    (account, lot, stream)
}

#[tokio::test]
async fn a_hold_is_due_from_its_instant_on_unless_it_was_settled_or_somebody_asked_to_undo_it() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    let until = NOON.plus_ms(60_000);
    for number in 1..=4 {
        stream.draws(account, op(number), lot, Some(until), (number == 1).then_some("k"));
    }
    stream.draws(account, op(5), lot, None, None); // no hold
    stream.settles(account, op(2));
    stream.drains(&operator.db).await;
    stream.settles(account, op(3)); // not in the batch of its hold
    stream.is_asked_to_undo(account, op(4), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    let due = async |at| operator.db.ledger.due_holds(stream.fence, at, None, 10).await.unwrap();
    assert_eq!(due(until.minus_ms(1)).await, []);
    let hold = DueHold { account, op: op(1), drawn_at: NOON, until, idempotency: Some(under("k").key) };
    assert_eq!(due(until).await, [hold]);
}

#[tokio::test]
async fn behind_a_page_of_due_holds_comes_the_next_whatever_became_of_those_before() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    let (first, second) = (NOON.plus_ms(1_000), NOON.plus_ms(2_000));
    for (number, until) in [(3, second), (1, first), (4, second), (2, first)] {
        stream.draws(account, op(number), lot, Some(until), None);
    }
    stream.drains(&operator.db).await;
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = operator.db.ledger.due_holds(stream.fence, second, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        pages.push(page.iter().map(|due| due.op).collect::<Vec<_>>());
    }
    assert_eq!(pages, [[op(1), op(2)], [op(3), op(4)]], "of one instant by their ops");
}

#[tokio::test]
async fn a_released_hold_is_given_back_however_late_the_owner_comes() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    stream.draws(account, op(1), lot, Some(NOON.plus_ms(60_000)), None);
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(lot).await, 90);
    stream.at = NOON.plus_ms(9 * DAY);
    let due = operator.db.ledger.due_holds(stream.fence, stream.at, None, 10).await.unwrap();
    stream.is_asked_to_undo(account, op(1), due[0].drawn_at); // as ledger-sync asks
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.due_holds(stream.fence, stream.at, None, 10).await.unwrap(), []);
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(lot).await, 100);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn an_install_brings_marks_of_the_last_day_but_not_of_what_was_given_back() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    stream.draws(account, op(1), lot, None, Some("kept"));
    stream.draws(account, op(2), lot, None, Some("back"));
    stream.draws(account, op(3), lot, None, Some("undone"));
    stream.drains(&operator.db).await;
    stream.gives_back(account, op(2), &[(lot, 10)], &[], period_end(NOON));
    stream.is_asked_to_undo(account, op(3), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    let image = async |at| operator.db.ledger.prepare_install_one(stream.fence, account, at).await.unwrap().unwrap();
    let mark = IdempotencyMark { under: under("kept"), op: op(1), at: NOON };
    assert_eq!(image(NOON.plus_ms(DAY - 1)).await.idempotency, [mark]);
    assert_eq!(image(NOON.plus_ms(DAY)).await.idempotency, []);
}

#[tokio::test]
async fn old_marks_are_forgotten_and_one_that_was_left_again_stays() {
    let operator = Operator::arrives().await;
    let (account, lot, mut stream) = account_with_credits(&operator).await;
    stream.draws(account, op(1), lot, None, Some("old"));
    stream.draws(account, op(2), lot, None, Some("again"));
    stream.drains(&operator.db).await;
    let (ledger, tomorrow) = (&operator.db.ledger, NOON.plus_ms(DAY));
    assert_eq!(ledger.old_idempotency_marks(stream.fence, tomorrow.minus_ms(1), 10).await.unwrap(), []);
    let mut old = ledger.old_idempotency_marks(stream.fence, tomorrow, 10).await.unwrap();
    old.sort();
    let mut both = vec![(account, under("old").key), (account, under("again").key)];
    both.sort();
    assert_eq!(old, both);
    stream.at = tomorrow;
    stream.draws(account, op(3), lot, None, Some("again"));
    stream.drains(&operator.db).await;
    ledger.forget_idempotency_marks(stream.fence, tomorrow, &old).await.unwrap();
    assert_eq!(operator.db.number("SELECT count(*) FROM idempotency_marks").await, 1);
}
