//! Journals of gateways: taken once, held against the book; what the book will never have is a loss, to the credit.

use ledger::{Counted, Incident, IncidentFilter, JournalPost, LossReport, Taken};
use metering::journal::{DebitDrawn, DebitEnded, Gap, Head, Record, Refused};
use metering::{AccountId, EventId, LotId, Status, TimeMs};
use uuid::Uuid;

use crate::actors::{NOON, Operator, Stream, credits, op, period_end, shard_of};

/// A gateway that posts its journal.
struct Gateway {
    run: Uuid,
    position: u64,
}

impl Gateway {
    fn new() -> Self {
        Self { run: Uuid::now_v7(), position: 0 }
    }

    fn post(&mut self, records: Vec<Record>) -> JournalPost {
        let head = Head {
            run: self.run,
            name: "edge-1".to_owned(),
            file: 1,
            position: self.position,
            whole_until_ms_ago: None,
            ended: false,
        };
        let bytes = 100 * records.len() as u64;
        self.position += bytes;
        JournalPost { head, records, bytes }
    }

    async fn posts(&mut self, operator: &Operator, records: Vec<Record>) -> Taken {
        operator.db.ledger.take_journal(&self.post(records)).await.unwrap()
    }

    /// All of it is posted, up to so long ago.
    async fn is_whole(&mut self, operator: &Operator, whole_until_ms_ago: u64, ended: bool) {
        let post = self.post(Vec::new());
        let head = Head { whole_until_ms_ago: Some(whole_until_ms_ago), ended, ..post.head };
        operator.db.ledger.take_journal(&JournalPost { head, ..post }).await.unwrap();
    }
}

async fn settled() -> (Operator, AccountId, LotId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let lot = operator.grants(account, 100, 30).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.applies_pending(&operator.db, &[]).await;
    stream.drains(&operator.db).await;
    (operator, account, lot, stream)
}

fn drawn(account: AccountId, number: u128, event: EventId, count: u64) -> Record {
    Record::Drawn(DebitDrawn { op: op(number), account, event, credits: credits(count), at: NOON })
}

fn ended(account: AccountId, number: u128, event: EventId, count: u64, kept: u64) -> Record {
    Record::Ended(DebitEnded {
        op: op(number),
        account,
        event,
        kept: credits(kept),
        credits: credits(count),
        hold: false,
        upstream_status: Some(200),
        answer_bytes: 12,
        duration_ms: 5,
        at: NOON.plus_ms(5),
    })
}

fn event(stream: &Stream, sequence: u64) -> EventId {
    EventId { incarnation: stream.fence.incarnation, sequence }
}

async fn waiting(operator: &Operator) -> i64 {
    operator.db.number("SELECT count(*) FROM journal_debits").await
}

/// As the owner does it: live state counts so far.
async fn finds_lost(operator: &Operator, stream: &Stream, counted: u64) -> (u64, u64) {
    let ledger = &operator.db.ledger;
    let Some(up_to_row) = ledger.last_waiting_debit(stream.fence.shard).await.unwrap() else { return (0, 0) };
    let found = ledger.reconcile_journal(stream.fence, Counted { up_to_row, sequence: counted }).await.unwrap();
    (found.lost, found.credits)
}

async fn latest(operator: &Operator) -> (Incident, Option<LossReport>) {
    let filter = IncidentFilter { limit: 1, ..IncidentFilter::default() };
    let incident = operator.db.ledger.incidents(filter).await.unwrap().pop().unwrap();
    let report = operator.db.ledger.loss_report(&incident).await.unwrap();
    (incident, report)
}

#[tokio::test]
async fn of_what_the_book_has_nothing_is_kept_and_what_it_gets_is_forgotten() {
    let (operator, account, lot, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let (first, second) = (stream.next_sequence(), stream.next_sequence() + 1);
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.drains(&operator.db).await;
    stream.debits(account, op(2), &[(lot, 3)]);
    let records = vec![
        drawn(account, 1, event(&stream, first), 4),
        drawn(account, 2, event(&stream, second), 3),
        ended(account, 1, event(&stream, first), 4, 4),
    ];
    let taken = edge.posts(&operator, records).await;
    assert_eq!((taken.records, taken.debits, taken.returns), (3, 1, 0));
    assert_eq!(finds_lost(&operator, &stream, second).await, (0, 0), "it is on its way");
    assert_eq!(waiting(&operator).await, 1);
    stream.drains(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, second).await, (0, 0));
    assert_eq!(waiting(&operator).await, 0);
    assert_eq!(operator.db.number("SELECT count(*) FROM losses").await, 0);
}

#[tokio::test]
async fn a_rebuild_loses_what_was_not_drained_and_the_report_says_so_to_the_credit() {
    let (operator, account, lot, mut stream) = settled().await;
    let bea = operator.account_in(stream.fence.shard).await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    stream.debits(account, op(1), &[(lot, 4)]);
    let records = vec![
        drawn(account, 1, event(&stream, first), 4),
        drawn(account, 2, event(&stream, first + 1), 7),
        drawn(bea, 3, event(&stream, first + 2), 5),
        drawn(bea, 4, event(&stream, first + 3), 2),
        ended(account, 1, event(&stream, first), 4, 4),
        ended(account, 2, event(&stream, first + 1), 7, 0),
    ];
    edge.posts(&operator, records).await;
    stream.begins_anew(&operator.db).await;
    stream.drains(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, 0).await, (4, 18));
    assert_eq!(finds_lost(&operator, &stream, 0).await, (0, 0), "found once");
    let (incident, report) = latest(&operator).await;
    let report = report.unwrap();
    assert_eq!((incident.kind.as_str(), incident.detail["replaced"].as_u64()), ("rebuild", Some(1)));
    let by_account = |account| report.accounts.iter().find(|loss| loss.account == account).copied().unwrap();
    let (ada, bea_lost) = (by_account(account), by_account(bea));
    assert_eq!((ada.debits, ada.drawn.get(), ada.lost.get(), ada.open_ends), (2, 11, 4, 0), "one had gone back");
    assert_eq!((bea_lost.debits, bea_lost.lost.get(), bea_lost.open_ends), (2, 7, 2));
    assert_eq!((report.debits(), report.lost()), (4, 11));
    assert!(!report.is_final(), "the gateway has not posted past it: {report:?}");
    // What came late is told of the loss, too.
    let late = vec![ended(bea, 3, event(&stream, first + 2), 5, 5), ended(bea, 4, event(&stream, first + 3), 2, 1)];
    edge.posts(&operator, late).await;
    edge.is_whole(&operator, 0, false).await;
    assert!(!latest(&operator).await.1.unwrap().is_final(), "a debit may be on its way for some seconds");
    operator.db.execute("UPDATE incidents SET at = at - interval '11 seconds'").await.unwrap();
    operator.db.execute("UPDATE journal_runs SET started_at = started_at - interval '1 hour'").await.unwrap();
    let report = latest(&operator).await.1.unwrap();
    assert!(report.is_complete(), "{:?}", report.why_incomplete());
    assert_eq!(report.lost(), 10);
    operator.finds_no_difference(&[account, bea]).await;
}

#[tokio::test]
async fn what_was_posted_before_changes_nothing_when_it_comes_again() {
    let (operator, account, _, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    let one = edge.post(vec![drawn(account, 1, event(&stream, first), 4)]);
    let ledger = &operator.db.ledger;
    assert_eq!(ledger.take_journal(&one).await.unwrap().debits, 1);
    assert_eq!(ledger.take_journal(&one).await.unwrap(), Taken::default(), "it is known");
    stream.begins_anew(&operator.db).await;
    stream.drains(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, 0).await, (1, 4));
    // Cut in another way, as a gateway with other settings does after a crash.
    let records = vec![drawn(account, 1, event(&stream, first), 4), drawn(account, 2, event(&stream, first + 1), 1)];
    let both = JournalPost { records, bytes: 200, ..one.clone() };
    assert_eq!(ledger.take_journal(&both).await.unwrap().debits, 1, "what is lost is not waited for again");
    assert_eq!(operator.db.number("SELECT count(*) FROM losses").await, 1);
}

#[tokio::test]
async fn a_tail_that_live_state_lost_without_a_rebuild_is_found_too() {
    let (operator, account, lot, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    let records = vec![
        drawn(account, 1, event(&stream, first), 4),
        drawn(account, 2, event(&stream, first + 1), 3),
        drawn(account, 3, event(&stream, first + 5), 2),
    ];
    edge.posts(&operator, records).await;
    // Redis came back with the first debit, and gave the number of the second to another.
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.debits(account, op(9), &[(lot, 1)]);
    assert_eq!(finds_lost(&operator, &stream, first + 5).await, (0, 0), "nothing is drained yet");
    stream.drains(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, first + 5).await, (1, 3), "another has its number");
    assert_eq!(waiting(&operator).await, 1, "the third may still come");
    assert_eq!(finds_lost(&operator, &stream, first + 1).await, (1, 2), "live state counts less than its number");
    let (incident, report) = latest(&operator).await;
    assert_eq!((incident.kind.as_str(), report.unwrap().debits()), ("tail_lost", 2));
}

#[tokio::test]
async fn a_tail_that_was_lost_before_a_rebuild_is_not_put_down_to_the_rebuild() {
    let (operator, account, lot, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    let records = vec![
        drawn(account, 1, event(&stream, first), 7), // lost with a tail: another was given its number
        drawn(account, 2, event(&stream, first + 1), 5), // not drained when the shard is built anew
    ];
    edge.posts(&operator, records).await;
    stream.debits(account, op(9), &[(lot, 1)]);
    stream.drains(&operator.db).await;
    stream.begins_anew(&operator.db).await;
    stream.drains(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, 0).await, (2, 12));
    let of = async |kind: &str| {
        let sql = format!(
            "SELECT coalesce(sum(credits), 0)::bigint FROM losses JOIN incidents USING (incident_id) WHERE kind = '{kind}'"
        );
        operator.db.number(&sql).await
    };
    assert_eq!((of("tail_lost").await, of("rebuild").await), (7, 5));
}

#[tokio::test]
async fn a_debit_posted_after_live_state_was_asked_is_not_taken_for_lost() {
    let (operator, account, _, stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    edge.posts(&operator, vec![drawn(account, 1, event(&stream, first), 4)]).await;
    let up_to_row = operator.db.ledger.last_waiting_debit(stream.fence.shard).await.unwrap().unwrap();
    edge.posts(&operator, vec![drawn(account, 2, event(&stream, first + 1), 4)]).await;
    let counted = Counted { up_to_row, sequence: first };
    let found = operator.db.ledger.reconcile_journal(stream.fence, counted).await.unwrap();
    assert_eq!((found.lost, waiting(&operator).await), (0, 2));
}

/// Once the debits that the book has were forgotten, a post comes to its end that had not found this one in the book yet.
async fn is_posted_late(operator: &Operator, account: AccountId, number: u128, event: EventId, count: u64) {
    let (op, shard, account) = (op(number).as_uuid(), shard_of(account).number, account.as_uuid());
    let (incarnation, sequence, at) = (event.incarnation, event.sequence, NOON.as_u64());
    let arrives = format!(
        "CREATE FUNCTION arrives() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
             INSERT INTO journal_debits (op, account_id, shard, incarnation, sequence, credits, drawn_at)
             VALUES ('{op}', '{account}', {shard}, {incarnation}, {sequence}, {count}, to_timestamp({at} / 1000.0))
             ON CONFLICT DO NOTHING;
             RETURN NULL;
         END $body$"
    );
    operator.db.execute(&arrives).await.unwrap();
    let when = "CREATE TRIGGER arrives AFTER DELETE ON journal_debits FOR EACH STATEMENT EXECUTE FUNCTION arrives()";
    operator.db.execute(when).await.unwrap();
}

#[tokio::test]
async fn a_debit_of_the_book_that_is_posted_while_losses_are_looked_for_is_not_lost() {
    let (operator, account, lot, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    stream.debits(account, op(1), &[(lot, 4)]);
    stream.debits(account, op(2), &[(lot, 3)]);
    edge.posts(&operator, vec![drawn(account, 1, event(&stream, first), 4)]).await;
    stream.drains(&operator.db).await;
    is_posted_late(&operator, account, 2, event(&stream, first + 1), 3).await;
    assert_eq!(finds_lost(&operator, &stream, first + 1).await, (0, 0));
    assert_eq!(operator.db.number("SELECT count(*) FROM losses").await, 0);
    assert_eq!(operator.db.number("SELECT count(*) FROM incidents WHERE kind = 'tail_lost'").await, 0);
}

#[tokio::test]
async fn a_debit_whose_event_is_set_aside_is_not_lost() {
    let (operator, account, _, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let place = event(&stream, stream.next_sequence());
    edge.posts(&operator, vec![drawn(account, 1, place, 4)]).await;
    let (shard, incarnation, sequence) = (stream.fence.shard.number, place.incarnation, place.sequence);
    let letter = format!(
        "INSERT INTO dead_letters (shard, incarnation, sequence, bytes, reason) VALUES ({shard}, {incarnation}, {sequence}, '', 'a test')"
    );
    operator.db.execute(&letter).await.unwrap();
    stream.begins_anew(&operator.db).await;
    assert_eq!(finds_lost(&operator, &stream, 0).await, (0, 0));
    assert_eq!(waiting(&operator).await, 0);
}

#[tokio::test]
async fn a_promised_give_back_that_was_lost_is_due_and_one_in_the_book_is_not() {
    let (operator, account, lot, mut stream) = settled().await;
    let mut edge = Gateway::new();
    let first = stream.next_sequence();
    for number in 1..=3 {
        stream.debits(account, op(number), &[(lot, 4)]);
    }
    stream.gives_back(account, op(1), &[(lot, 4)], &[], period_end(NOON));
    stream.drains(&operator.db).await;
    let records = vec![
        ended(account, 1, event(&stream, first), 4, 0),
        ended(account, 2, event(&stream, first + 1), 4, 0),
        ended(account, 3, event(&stream, first + 2), 4, 1),
        ended(account, 4, event(&stream, first + 3), 4, 0),
    ];
    let taken = edge.posts(&operator, records).await;
    assert_eq!(taken.returns, 3, "the first is in the book");
    let ledger = &operator.db.ledger;
    let fence = stream.fence;
    let due = async |before: TimeMs| ledger.due_returns(fence, before, 10).await.unwrap();
    assert!(due(NOON).await.is_empty(), "it may be in the stream still");
    let found = due(NOON.plus_ms(1_000)).await;
    let asked: Vec<_> = found.iter().map(|due| (due.debit_op, due.kept.get())).collect();
    assert_eq!(asked, [(op(2), 0), (op(3), 1)], "the fourth has no debit in the book to give back");
    ledger.return_was_asked(fence, &found[0], NOON.plus_ms(2_000)).await.unwrap();
    assert_eq!(due(NOON.plus_ms(1_000)).await.len(), 1, "asked once");
    stream.is_asked_to_undo(account, op(2), NOON);
    stream.drains(&operator.db).await;
    assert_eq!(due(NOON.plus_ms(9_000)).await.len(), 1, "the book has decided about it");
    assert_eq!(operator.db.number("SELECT count(*) FROM journal_returns").await, 2);
}

#[tokio::test]
async fn a_report_says_who_is_missing_and_what_was_not_written() {
    let (operator, _, _, mut stream) = settled().await;
    stream.begins_anew(&operator.db).await;
    let why = async || latest(&operator).await.1.unwrap().why_incomplete();
    assert_eq!(why().await, ["not witnessed: no gateway posts a journal"]);
    assert!(!latest(&operator).await.1.unwrap().is_final());
    let (mut edge, mut other) = (Gateway::new(), Gateway::new());
    let gap =
        Gap { records: 3, from: operator.db.ledger.book_now().await.unwrap(), to: NOON.plus_ms(u64::from(u32::MAX)) };
    edge.posts(&operator, vec![Record::Gap(Gap { to: gap.from.plus_ms(1), ..gap })]).await;
    edge.is_whole(&operator, 0, true).await;
    other.is_whole(&operator, 0, false).await;
    let (_, report) = latest(&operator).await;
    let report = report.unwrap();
    assert_eq!(report.witnesses.iter().filter(|witness| witness.has_posted).count(), 1, "one is over: {report:?}");
    let why = why().await;
    assert!(
        why.len() == 2 && why[0].contains("edge-1") && why[1] == "1 gaps in the journals around that time",
        "{why:?}"
    );
    other.is_whole(&operator, 0, true).await;
    let report = latest(&operator).await.1.unwrap();
    assert!(report.is_final() && !report.is_complete());
}

#[tokio::test]
async fn a_part_that_never_came_is_a_gap() {
    let operator = Operator::arrives().await;
    let mut edge = Gateway::new();
    edge.posts(&operator, vec![Record::LeftOut { refusals: 1 }]).await;
    edge.position += 300;
    edge.posts(&operator, vec![Record::LeftOut { refusals: 2 }]).await;
    assert_eq!(operator.db.number("SELECT count(*) FROM journal_gaps").await, 1);
    let next_file = edge.post(vec![Record::LeftOut { refusals: 3 }]);
    let head = Head { file: 2, position: 0, ..next_file.head };
    operator.db.ledger.take_journal(&JournalPost { head, ..next_file }).await.unwrap();
    assert_eq!(operator.db.number("SELECT count(*) FROM journal_gaps").await, 1, "a next file is none");
}

#[tokio::test]
async fn a_refused_request_is_found_with_its_numbers_until_it_is_old() {
    let (operator, account, _, _) = settled().await;
    let mut edge = Gateway::new();
    let refused = Refused {
        request: op(77),
        account: Some(account),
        key: None,
        route: Some("v1.batch".to_owned()),
        code: "credits_exhausted".to_owned(),
        price: Some(credits(6)),
        detail: serde_json::json!({ "remaining": 1, "price": 6 }),
        at: NOON,
    };
    assert_eq!(edge.posts(&operator, vec![Record::Refused(Box::new(refused.clone()))]).await.refusals, 1);
    let ledger = &operator.db.ledger;
    let found = ledger.refusal(op(77)).await.unwrap().expect("it is there");
    assert_eq!((found.account, found.price, &found.detail), (Some(account), Some(credits(6)), &refused.detail));
    assert_eq!((found.code, found.gateway.as_str(), found.at), (refused.code, "edge-1", NOON));
    assert_eq!(ledger.refusal(op(78)).await.unwrap(), None);
    assert_eq!(ledger.forget_refusals(NOON, 10).await.unwrap(), 0);
    assert_eq!(ledger.forget_refusals(NOON.plus_ms(1), 10).await.unwrap(), 1);
}
