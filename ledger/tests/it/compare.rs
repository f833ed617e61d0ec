//! Book and live state side by side: each kind of difference is told, and what is on its way is none.

use ledger::{Balance, Comparison, Drift, PendingChange, compare};
use metering::live::Snapshot;
use metering::{AccountId, Body, Change, Credits, LotId, LotImage, SessionVersion, SessionVersions, Status, TimeMs};

use crate::actors::{DAY, NOON, Operator, Stream, credits, op, shard_of};

/// An account of 100 credits that live state has exactly as the book does.
async fn both() -> (Operator, AccountId, LotId, Stream, Snapshot) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    let image = LotImage { lot, remaining: credits(100), granted_at: NOON, expires_at: NOON.plus_ms(30 * DAY) };
    let snapshot = Snapshot {
        cached_total: credits(100),
        next_change: NOON.plus_ms(30 * DAY),
        lots: vec![image],
        ..nothing_drawn(account, 2, 2)
    };
    (operator, account, lot, stream, snapshot)
}

/// An active account of no lots, as live state has it.
pub fn nothing_drawn(account: AccountId, seq: u64, control_version: u64) -> Snapshot {
    Snapshot {
        account,
        at: NOON.plus_ms(1),
        seq,
        control_version,
        control_row: control_version,
        status: Status::Active,
        budget_limit: Credits::ZERO,
        budget_used: Credits::ZERO,
        budget_period_end: TimeMs::EPOCH,
        frozen: false,
        undos: 0,
        cached_total: Credits::ZERO,
        next_change: NOON.plus_ms(30 * DAY),
        key_counts: vec![],
        sessions: SessionVersions::default(),
        lots: vec![],
    }
}

/// Makes something of live state differ.
type Spoil = fn(&mut Snapshot);

async fn balance(operator: &Operator, account: AccountId) -> Balance {
    operator.db.ledger.balances(&[account]).await.unwrap().remove(0)
}

fn differs(comparison: Comparison) -> Vec<String> {
    let Comparison::Differs(drifts) = comparison else { panic!("{comparison:?}") };
    drifts.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn at_rest_they_are_the_same() {
    let (operator, account, _, _, snapshot) = both().await;
    let agrees = compare(&balance(&operator, account).await, Some(&snapshot), &[]);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: credits(100) });
}

#[tokio::test]
async fn events_that_are_not_in_the_book_are_no_difference_and_a_missing_one_is_unsure() {
    let (operator, account, lot, mut stream, mut snapshot) = both().await;
    stream.debits(account, op(1), &[(lot, 30)]);
    stream.gives_back(account, op(1), &[(lot, 30)], &[], crate::actors::period_end(NOON));
    stream.debits(account, op(2), &[(lot, 4)]);
    (snapshot.seq, snapshot.lots[0].remaining, snapshot.cached_total) = (5, credits(96), credits(96));
    (snapshot.budget_used, snapshot.budget_period_end) = (credits(4), crate::actors::period_end(NOON));
    let book = balance(&operator, account).await;
    let agrees = compare(&book, Some(&snapshot), &stream.events);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 3, drawable: credits(96) });
    assert!(matches!(compare(&book, Some(&snapshot), &stream.events[..2]), Comparison::Unsure(_)));
    let holed = [stream.events[0].clone(), stream.events[2].clone()];
    assert_eq!(differs(compare(&book, Some(&snapshot), &holed)), ["event is 4 in the book and 5 in live state"]);
}

#[tokio::test]
async fn events_that_the_book_has_meanwhile_and_those_after_the_snapshot_are_passed_over() {
    let (operator, account, lot, mut stream, mut snapshot) = both().await;
    stream.debits(account, op(1), &[(lot, 30)]);
    let recorded = stream.events.clone();
    stream.drains(&operator.db).await;
    stream.debits(account, op(2), &[(lot, 4)]);
    stream.debits(account, op(3), &[(lot, 1)]);
    let read = [recorded, stream.events.clone()].concat();
    (snapshot.seq, snapshot.lots[0].remaining, snapshot.cached_total) = (4, credits(66), credits(66));
    (snapshot.budget_used, snapshot.budget_period_end) = (credits(34), crate::actors::period_end(NOON));
    let agrees = compare(&balance(&operator, account).await, Some(&snapshot), &read);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 1, drawable: credits(66) });
}

#[tokio::test]
async fn an_install_of_what_the_book_says_is_followed_and_one_after_other_events_is_unsure() {
    let (operator, account, lot, mut stream, snapshot) = both().await;
    let book = balance(&operator, account).await;
    let installed = |stream: &mut Stream, seq: u64| {
        stream.push(Body::Installed { account, seq, control_version: 2 });
        stream.events.pop().unwrap()
    };
    let as_the_book = installed(&mut stream, book.seq);
    let agrees = compare(&book, Some(&snapshot), std::slice::from_ref(&as_the_book));
    assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: credits(100) });
    let ahead = installed(&mut stream, book.seq + 1);
    assert!(matches!(compare(&book, Some(&snapshot), &[ahead]), Comparison::Unsure(_)), "of a later book");
    stream.debits(account, op(1), &[(lot, 30)]);
    let debit = stream.events.pop().unwrap();
    let moved = Snapshot { seq: book.seq + 1, ..snapshot };
    assert!(matches!(compare(&book, Some(&moved), &[debit, as_the_book]), Comparison::Unsure(_)), "a debit is undone");
}

#[tokio::test]
async fn an_install_tells_live_state_of_undos_that_are_decided_up_to_its_version_and_of_no_others() {
    let (operator, account, _, mut stream, snapshot) = both().await;
    let mut book = balance(&operator, account).await;
    for version in [3_u64, 4] {
        let change = Change::UndoSettled {
            debit_op: op(u128::from(version)),
            split: vec![],
            period_end: TimeMs::EPOCH,
            counted: true,
            key: None,
            debited_at: TimeMs::EPOCH,
        };
        book.pending.push(PendingChange { version, row: version, change, settled: false });
    }
    book.control_version = 4;
    stream.push(Body::Installed { account, seq: book.seq, control_version: 3 });
    let installed = [stream.events.pop().unwrap()];
    let told = Snapshot { control_version: 3, control_row: 3, undos: 1, ..snapshot };
    let agrees = compare(&book, Some(&told), &installed);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: credits(100) });
    let too_many = Snapshot { undos: 2, ..told };
    assert!(!differs(compare(&book, Some(&too_many), &installed)).is_empty());
}

#[tokio::test]
async fn changes_on_their_way_are_no_difference() {
    let (operator, account, lot, _, snapshot) = both().await;
    operator.grants(account, 7, 3).await;
    let by = crate::actors::by(NOON);
    operator.db.ledger.move_lot_expiry(lot, NOON.plus_ms(9 * DAY), &by).await.unwrap();
    operator.db.ledger.reduce_lot(lot, credits(5), &by).await.unwrap();
    operator.db.ledger.set_budget(account, credits(40), &by).await.unwrap();
    operator.db.ledger.set_status(account, Status::Suspended, &by).await.unwrap();
    let agrees = compare(&balance(&operator, account).await, Some(&snapshot), &[]);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: credits(107) });
}

#[tokio::test]
async fn a_change_on_its_way_hides_its_own_field_and_no_other() {
    let (operator, account, _, _, snapshot) = both().await;
    operator.db.ledger.set_status(account, Status::Suspended, &crate::actors::by(NOON)).await.unwrap();
    let book = balance(&operator, account).await;
    let otherwise = Snapshot { budget_limit: credits(9), ..snapshot };
    assert_eq!(differs(compare(&book, Some(&otherwise), &[])), ["budget_limit is 0 in the book and 9 in live state"]);
}

#[tokio::test]
async fn a_lot_can_be_drawn_up_to_its_end_and_not_at_it() {
    let (operator, account, _, _, snapshot) = both().await;
    let book = balance(&operator, account).await;
    let end = snapshot.next_change;
    for (at, drawable) in [(end, 0), (end.minus_ms(1), 100)] {
        let then = Snapshot { at, ..snapshot.clone() };
        let agrees = compare(&book, Some(&then), &[]);
        assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: credits(drawable) }, "{at}");
    }
}

#[tokio::test]
async fn a_decided_undo_that_live_state_has_carried_out_and_the_book_has_not_read_is_no_difference() {
    let (operator, account, lot, mut stream, snapshot) = both().await;
    stream.debits(account, op(1), &[(lot, 30)]);
    stream.is_asked_to_undo(account, op(1), NOON.plus_ms(2_000));
    stream.drains(&operator.db).await;
    stream.applies_pending(&operator.db, &[]).await;
    let book = balance(&operator, account).await;
    let carried_out = Snapshot { seq: book.seq + 1, control_version: 3, control_row: 3, ..snapshot };
    let agrees = compare(&book, Some(&carried_out), &stream.events);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 1, drawable: credits(100) });
}

#[tokio::test]
async fn every_field_that_differs_is_named() {
    let (operator, account, lot, _, good) = both().await;
    let book = balance(&operator, account).await;
    let cases: [(&str, Spoil); 10] = [
        ("has 100 credits in the book and 99 in live state", |live| live.lots[0].remaining = credits(99)),
        ("has 100 credits in the book and 0 in live state", |live| live.lots.clear()),
        ("lot_life", |live| live.lots[0].expires_at = NOON.plus_ms(DAY)),
        ("status is active in the book and trial in live state", |live| live.status = Status::Trial),
        ("budget_limit is 0 in the book and 9 in live state", |live| live.budget_limit = credits(9)),
        ("budget_used", |live| live.budget_used = credits(9)),
        ("sessions is good from version 0 in the book and good from version 1 in live state", |live| {
            live.sessions.everybody = SessionVersion::new(1).unwrap();
        }),
        ("undos is 0 in the book and 1 in live state", |live| live.undos = 1),
        ("control_version is 2 in the book and 1 in live state", |live| live.control_version = 1),
        ("the book is at event 2, live state only at 1", |live| live.seq = 1),
    ];
    for (what, spoil) in cases {
        let mut live = good.clone();
        spoil(&mut live);
        live.next_change = live.at; // what head and tail say is another case
        let told = differs(compare(&book, Some(&live), &[]));
        assert!(told.iter().any(|told| told.contains(what)), "{what}: {told:?}");
    }
    let mut cached = good.clone();
    cached.cached_total = credits(1);
    assert_eq!(differs(compare(&book, Some(&cached), &[])), ["remaining is 100 in the book and 1 in live state"]);
    let mut stray = good.clone();
    stray.lots.push(LotImage { lot: LotId::new(99).unwrap(), ..good.lots[0] });
    stray.next_change = stray.at;
    let Comparison::Differs(drifts) = compare(&book, Some(&stray), &[]) else { panic!("a lot that nobody granted") };
    assert_eq!(drifts, [Drift::Lot { lot: LotId::new(99).unwrap(), book: credits(0), live: credits(100) }]);
    assert_eq!((drifts[0].credits(), lot), (100, good.lots[0].lot));
}

#[tokio::test]
async fn an_account_that_is_being_written_can_not_be_compared() {
    let (operator, account, lot, stream, good) = both().await;
    let frozen = Snapshot { frozen: true, ..good.clone() };
    let book = balance(&operator, account).await;
    assert!(matches!(compare(&book, Some(&frozen), &[]), Comparison::Unsure(_)));
    let newer = Snapshot { control_version: 3, ..good.clone() };
    assert!(matches!(compare(&book, Some(&newer), &[]), Comparison::Unsure(_)), "changed after the book was read");
    operator.db.ledger.reduce_lot(lot, credits(30), &crate::actors::by(NOON)).await.unwrap();
    operator.db.ledger.prepare_install_one(stream.fence, account, NOON).await.unwrap();
    assert!(matches!(compare(&balance(&operator, account).await, Some(&good), &[]), Comparison::Unsure(_)));
}

#[tokio::test]
async fn an_account_that_live_state_never_heard_of_is_on_its_way_or_lost() {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let agrees = compare(&balance(&operator, account).await, None, &[]);
    assert_eq!(agrees, Comparison::Agrees { unapplied: 0, drawable: Credits::ZERO });
    let (operator, account, ..) = both().await;
    assert_eq!(compare(&balance(&operator, account).await, None, &[]), Comparison::Differs(vec![Drift::Absent]));
}
