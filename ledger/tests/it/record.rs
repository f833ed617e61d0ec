//! Batches of events reach the book: each once, in order, lot by lot.

use metering::{AccountId, Body, Status, TimeMs};
use uuid::Uuid;

use crate::actors::{DAY, NOON, Stream, by, credits, op, period_end, settled, shard_of};

#[tokio::test]
async fn a_debit_and_its_give_back_move_lots_budget_and_cursor() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    let late = operator.grants(account, 50, 60).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits(account, op(1), &[(lot, 100), (late, 7)]);
    stream.debits(account, op(2), &[(late, 3)]);
    let recorded = stream.drains(&operator.db).await;
    assert_eq!((recorded.debits, recorded.credits_debited, recorded.delivered), (2, 110, 1));
    assert!(!recorded.outbox_appended && recorded.shortfalls.is_empty());
    let view = operator.sees(account).await;
    assert_eq!((view.remaining.get(), view.budget.used.get(), view.seq, view.undelivered), (40, 110, 5, 0));

    stream.gives_back(account, op(1), &[(lot, 90), (late, 7)], &[(lot, 10)], period_end(NOON));
    let recorded = stream.drains(&operator.db).await;
    assert_eq!((recorded.give_backs, recorded.credits_returned), (1, 97));
    assert_eq!(
        (operator.remaining(lot).await, operator.remaining(late).await),
        (90, 47),
        "lapsed credits return to nobody"
    );
    assert_eq!(operator.sees(account).await.budget.used.get(), 3);
    let entries = operator.db.ledger.entries(account, None, 3).await.unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["give_back", "debit", "debit"]);
    let none = Some(credits(0));
    let is_told = |entry: &ledger::Entry| {
        entry.event.is_some() && (entry.remaining_after, entry.budget_used_after) == (none, none)
    };
    assert!(entries.iter().all(is_told), "what live state said: {entries:?}");
    let row = operator.db.ledger.shard(stream.fence.shard).await.unwrap();
    assert_eq!((row.applied_sequence, row.applied_kind.as_deref()), (stream.from, Some("give_back")));
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_change_that_an_install_has_settled_in_the_book_moves_nothing_more_when_its_event_comes() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    operator.db.ledger.reduce_lot(lot, credits(30), &by(NOON)).await.unwrap();
    stream.applies_pending(&operator.db, &[(lot, 30)]).await;
    operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap();
    assert_eq!(operator.remaining(lot).await, 70);
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(lot).await, 70);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_batch_is_recorded_once_whoever_sends_it_again() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    let batch = stream.batch();
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.record(&batch).await.unwrap_err().code(), "fenced", "the cursor has moved on");
    assert_eq!(operator.remaining(lot).await, 96);
    assert_eq!(operator.entry_kinds(account).await, ["grant", "debit"]);
}

#[tokio::test]
async fn an_empty_batch_is_nothing_to_do() {
    let (operator, _, _, stream) = settled(100, 30).await;
    assert_eq!(operator.db.ledger.record(&stream.batch()).await.unwrap(), ledger::Recorded::default());
}

#[tokio::test]
async fn a_gap_in_the_stream_or_in_an_account_stops_the_batch() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.debits(account, op(2), &[(lot, 4)]);
    let whole = stream.batch();

    let mut late = whole.clone();
    late.events.remove(0);
    assert_eq!(operator.db.ledger.record(&late).await.unwrap_err().code(), "event_out_of_order");
    let mut skips = whole.clone();
    skips.events[1].id.sequence += 1;
    assert_eq!(operator.db.ledger.record(&skips).await.unwrap_err().code(), "event_out_of_order");

    for wrong in [2, 4] {
        let mut gap = whole.clone();
        if let Body::Debit { seq, .. } = &mut gap.events[0].body {
            *seq = wrong;
        }
        let refused = operator.db.ledger.record(&gap).await.unwrap_err();
        let told = format!("{account} is at 3 in the book, the event says {wrong}");
        assert!(refused.code() == "event_gap" && refused.to_string().ends_with(&told), "{refused}");
    }
    let mut installed = Stream { events: Vec::new(), ..copy(&stream) };
    installed.push(Body::Installed { account, seq: 9, control_version: 2 });
    let refused = installed.tries_to_drain(&operator.db).await.unwrap_err();
    assert!(refused.code() == "event_gap", "live state was not installed from this book: {refused}");
    assert_eq!(operator.remaining(lot).await, 100, "nothing of a refused batch is written");
    stream.drains(&operator.db).await;
    assert_eq!(operator.remaining(lot).await, 92);
}

#[tokio::test]
async fn an_event_that_can_not_be_is_refused_by_its_name() {
    let (operator, account, lot, stream) = settled(100, 30).await;
    let stranger = AccountId::from_uuid(Uuid::from_u128(1));
    let other = operator.account_in(stream.fence.shard).await;
    let foreign = operator.grants(other, 5, 30).await;
    let elsewhere = loop {
        let account = operator.account(Status::Active).await;
        if shard_of(account) != stream.fence.shard {
            break account;
        }
    };
    let unknown = metering::LotId::new(4_711).unwrap();
    let cases: [(&str, AccountId, metering::LotId, u64); 4] = [
        ("the book has no", stranger, lot, 0),
        ("is of shard", elsewhere, lot, 0),
        ("has no lot_4711", account, unknown, 2),
        ("has no lot_", account, foreign, 2),
    ];
    for (why, account, lot, seq) in cases {
        let mut wrong = Stream { events: Vec::new(), seqs: [(account, seq)].into(), ..copy(&stream) };
        wrong.debits(account, op(1), &[(lot, 4)]);
        let refused = wrong.tries_to_drain(&operator.db).await.unwrap_err();
        assert!(refused.code() == "event_unappliable" && refused.to_string().contains(why), "{refused}");
    }
    let mut wrong = copy(&stream);
    wrong.gives_back(account, op(1), &[(lot, 1)], &[], period_end(NOON));
    let refused = wrong.tries_to_drain(&operator.db).await.unwrap_err();
    assert!(refused.to_string().contains("would hold more than it was granted"), "{refused}");
    let mut wrong = copy(&stream);
    wrong.push(Body::Opened);
    assert!(wrong.tries_to_drain(&operator.db).await.unwrap_err().to_string().contains("opens only once"));
}

fn copy(stream: &Stream) -> Stream {
    Stream {
        owner: stream.owner,
        fence: stream.fence,
        from: stream.from,
        events: stream.events.clone(),
        seqs: stream.seqs.clone(),
        at: stream.at,
    }
}

#[tokio::test]
async fn a_control_event_must_name_its_own_row_once() {
    let (operator, account, _, mut stream) = settled(100, 30).await;
    operator.grants(account, 5, 30).await;
    let row = operator.db.ledger.pending(stream.fence.shard, 0, 10).await.unwrap().remove(0);
    for wrong in ["no outbox row", "another change", "delivered before"] {
        let mut odd = row.clone();
        let mut stream = copy(&stream);
        match wrong {
            "no outbox row" => odd.row += 1_000,
            "another change" => odd.row = 1,
            _ => stream.applies(&row, vec![], vec![], vec![]),
        }
        stream.applies(&odd, vec![], vec![], vec![]);
        let refused = stream.tries_to_drain(&operator.db).await.unwrap_err();
        assert!(refused.to_string().contains(wrong), "{refused}");
    }
    stream.applies(&row, vec![], vec![], vec![]);
    assert_eq!(stream.drains(&operator.db).await.delivered, 1);
    assert_eq!(operator.sees(account).await.remaining.get(), 105, "a grant counted at once and is not counted again");
}

#[tokio::test]
async fn a_second_debit_of_one_op_is_recorded_and_given_back() {
    for in_one_batch in [true, false] {
        let (operator, account, lot, mut stream) = settled(100, 30).await;
        stream.debits(account, op(1), &[(lot, 4)]);
        if !in_one_batch {
            stream.drains(&operator.db).await;
        }
        stream.debits(account, op(1), &[(lot, 4)]);
        let recorded = stream.drains(&operator.db).await;
        assert!(recorded.outbox_appended && recorded.duplicates == 1);
        assert_eq!(operator.remaining(lot).await, 92, "drawn is drawn");
        assert_eq!(operator.sees(account).await.budget.used.get(), 8);

        stream.applies_pending(&operator.db, &[]).await;
        stream.drains(&operator.db).await;
        assert_eq!(operator.remaining(lot).await, 96);
        assert_eq!(operator.sees(account).await.budget.used.get(), 4);
        assert_eq!(operator.entry_kinds(account).await, ["grant", "debit", "debit_duplicate", "duplicate_return"]);
        operator.finds_no_difference(&[account]).await;
    }
}

#[tokio::test]
async fn the_same_op_of_another_account_is_no_duplicate() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    let other = operator.account_in(stream.fence.shard).await;
    let others = operator.grants(other, 5, 30).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.debits(other, op(1), &[(others, 4)]);
    assert_eq!(stream.drains(&operator.db).await.duplicates, 0);
}

#[tokio::test]
async fn a_shortfall_is_booked_to_the_overdraft_and_reported() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 103)]);
    let recorded = stream.drains(&operator.db).await;
    assert_eq!(recorded.shortfalls, [ledger::Shortfall { account, lot, credits: credits(3) }]);
    let view = operator.sees(account).await;
    assert_eq!((view.remaining.get(), view.overdraft.get()), (0, 3));
    assert_eq!(operator.db.number("SELECT count(*) FROM incidents WHERE kind = 'shortfall'").await, 1);
    let differences = operator.db.ledger.recompute(&[account]).await.unwrap();
    assert!(differences.contains(&ledger::Difference::Overdraft { account, credits: credits(3) }), "{differences:?}");
}

#[tokio::test]
async fn a_give_back_in_another_budget_period_leaves_this_ones_use_alone() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 40)]);
    stream.drains(&operator.db).await;
    stream.at = NOON.plus_ms(20 * DAY); // February
    stream.debits(account, op(2), &[(lot, 5)]);
    stream.gives_back(account, op(1), &[(lot, 40)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    let february = operator.db.ledger.account_view(account, stream.at).await.unwrap();
    assert_eq!((february.budget.used.get(), february.remaining.get()), (5, 95));
    let march = operator.db.ledger.account_view(account, NOON.plus_ms(50 * DAY)).await.unwrap();
    assert_eq!(march.budget.used.get(), 0, "a period without a debit begins by itself");
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn a_give_back_in_the_same_batch_as_the_turn_of_the_period_counts_where_it_belongs() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 40)]);
    stream.gives_back(account, op(1), &[(lot, 40)], &[], period_end(NOON));
    stream.at = NOON.plus_ms(20 * DAY);
    stream.debits(account, op(2), &[(lot, 5)]);
    stream.gives_back(account, op(2), &[(lot, 5)], &[], period_end(stream.at));
    stream.debits(account, op(3), &[(lot, 6)]);
    stream.drains(&operator.db).await;
    assert_eq!(operator.db.ledger.account_view(account, stream.at).await.unwrap().budget.used.get(), 6);
    operator.finds_no_difference(&[account]).await;
}

#[tokio::test]
async fn events_of_two_months_land_in_their_partitions() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 1)]);
    stream.at = NOON.plus_ms(20 * DAY);
    stream.debits(account, op(2), &[(lot, 1)]);
    stream.at = TimeMs::new(NOON.as_u64() + 400 * DAY); // nobody made that month's partition: the default takes it
    stream.debits(account, op(3), &[(lot, 1)]);
    stream.drains(&operator.db).await;
    for (partition, entries) in [("entries_2026_01", 2), ("entries_2026_02", 1), ("entries_default", 1)] {
        assert_eq!(operator.db.number(&format!("SELECT count(*) FROM {partition}")).await, entries, "{partition}");
    }
}

#[tokio::test]
async fn debits_are_looked_for_by_their_op_in_a_month_that_has_just_begun_and_was_never_counted() {
    let (operator, account, lot, mut stream) = settled(100, 30).await;
    stream.debits(account, op(1), &[(lot, 1)]);
    stream.drains(&operator.db).await;
    let ops: Vec<Uuid> = (1..=500).map(|number| op(number).as_uuid()).collect();
    let ops = ops.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let asked = format!("'{{{ops}}}', '2026-01-01'");
    let plan = operator.db.plan_of_batch(include_str!("../../queries/known_debits.sql"), &asked).await;
    assert!(!plan.contains("Seq Scan"), "{plan}");
    let looks: Vec<&str> = plan.lines().filter(|line| line.contains("Index Cond")).collect();
    assert!(!looks.is_empty() && looks.iter().all(|line| line.contains("op = ANY")), "{plan}");
}

#[tokio::test]
async fn undos_are_not_looked_for_one_by_one_where_there_is_none_of_the_time() {
    let (operator, account, _, mut stream) = settled(100, 30).await;
    stream.is_asked_to_undo(account, op(700), NOON);
    stream.drains(&operator.db).await;
    let spares = async |from: u128, to: u128| {
        let ops: Vec<String> = (from..=to).map(|number| op(number).as_uuid().to_string()).collect();
        let asked = format!("'{{{}}}', '{}', '{}'", ops.join(","), ops.first().unwrap(), ops.last().unwrap());
        let plan = operator.db.plan_of_batch(include_str!("../../queries/known_undos.sql"), &asked).await;
        assert!(!plan.contains("Seq Scan"), "{plan}");
        plan.contains("never executed")
    };
    assert_eq!((spares(1, 500).await, spares(501, 1_000).await), (true, false));
}
