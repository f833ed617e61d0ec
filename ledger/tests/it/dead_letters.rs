//! Events that can't be applied are parked, nothing else is hurt by them, and what an operator decides happens once.

use ledger::{CarriedOut, Comparison, Decision, DecisionState, LetterId, ReadBatch, Recorded, Run, compare};
use metering::{AccountId, Body, Event, LotId, Shard, Status, StreamEntry};
use uuid::Uuid;

use crate::actors::entry::{entry, spoilt};
use crate::actors::{NOON, Operator, Stream, by, credits, op, shard_of};

/// Ada and Bob of one shard, each with a lot of 100, and the shard's stream.
struct Scene {
    operator: Operator,
    stream: Stream,
    ada: (AccountId, LotId),
    bob: (AccountId, LotId),
}

impl Scene {
    async fn begins() -> Self {
        let operator = Operator::arrives().await;
        let ada = operator.account(Status::Active).await;
        let bob = operator.account_in(shard_of(ada)).await;
        let (adas, bobs) = (operator.grants(ada, 100, 30).await, operator.grants(bob, 100, 30).await);
        let mut stream = Stream::opens(&operator.db, shard_of(ada)).await;
        stream.applies_pending(&operator.db, &[]).await;
        stream.drains(&operator.db).await;
        Self { operator, stream, ada: (ada, adas), bob: (bob, bobs) }
    }

    fn debits(&mut self, (account, lot): (AccountId, LotId), number: u128, count: u64) {
        self.stream.debits(account, op(number), &[(lot, count)]);
    }

    /// Drains what is in the stream, with one event put as `spoil` does.
    async fn drains_with(&mut self, index: usize, spoil: impl Fn(&Event) -> StreamEntry) -> Recorded {
        let mut entries: Vec<StreamEntry> = self.stream.events.iter().map(entry).collect();
        entries[index] = spoil(&self.stream.events[index]);
        self.drains(entries).await
    }

    async fn drains(&mut self, entries: Vec<StreamEntry>) -> Recorded {
        let batch = ReadBatch { fence: self.stream.fence, from: self.stream.from, entries };
        let recorded = self.operator.db.ledger.record_or_park(&batch).await.unwrap();
        self.stream.from = batch.entries.last().map(|entry| entry.id.sequence).or(self.stream.from);
        self.stream.events.clear();
        recorded
    }

    async fn drains_as_it_is(&mut self) -> Recorded {
        let entries = self.stream.events.iter().map(entry).collect();
        self.drains(entries).await
    }

    fn letter(&self, sequence: u64) -> LetterId {
        let event = metering::EventId { incarnation: self.stream.fence.incarnation, sequence };
        LetterId { shard: self.stream.fence.shard.number, event }
    }

    /// The only decision that waits.
    async fn decision(&self) -> Decision {
        let shard: Shard = self.stream.fence.shard;
        let mut waiting = self.operator.db.ledger.waiting_decisions(shard).await.unwrap();
        assert_eq!(waiting.len(), 1);
        waiting.remove(0)
    }

    async fn carries_out(&self, run: Run) -> CarriedOut {
        self.operator.db.ledger.carry_out(self.stream.fence, &self.decision().await, run).await.unwrap()
    }

    async fn open(&self) -> u64 {
        self.operator.db.ledger.open_dead_letters(self.stream.fence.shard).await.unwrap()
    }
}

/// Makes an event into one that can't be applied.
type Spoil = fn(&Event, &Scene) -> StreamEntry;

fn body(event: &Event, body: Body) -> StreamEntry {
    entry(&Event { body, ..event.clone() })
}

#[tokio::test]
async fn whatever_is_wrong_with_an_event_it_alone_is_parked_and_what_follows_it_of_its_account() {
    let kinds: [(&str, Spoil, u64); 11] = [
        ("field 'b' is missing", |event, _| spoilt(event, "b", Some("nonsense")), 2),
        ("field 'k' is missing", |event, _| spoilt(event, "k", Some("gift")), 2),
        ("field 'v' is missing", |event, _| spoilt(event, "v", Some("2")), 2),
        ("field 'a' is missing", |event, _| spoilt(event, "a", None), 2), // whose it was can't be told: the next one does not follow
        ("the book has no", |event, _| spoilt(event, "a", Some(&Uuid::from_u128(9).as_simple().to_string())), 2),
        (
            "would hold more",
            |event, scene| {
                let mut stream = Stream { events: Vec::new(), seqs: [(scene.bob.0, 2)].into(), ..copy(scene) };
                stream.gives_back(scene.bob.0, op(99), &[(scene.bob.1, 50)], &[], NOON);
                body(event, stream.events.remove(0).body)
            },
            2,
        ),
        ("has no lot_4711", |event, _| spoilt(event, "s", Some("4711:3")), 2),
        ("has no lot_", |event, scene| spoilt(event, "s", Some(&format!("{}:3", scene.ada.1.as_u64()))), 2),
        (
            "there is no outbox row 4711",
            |event, scene| {
                let row = ledger::OutboxRow {
                    row: 4_711,
                    account: scene.bob.0,
                    what: ledger::Outgoing::Change {
                        version: 3,
                        change: metering::Change::BudgetSet { limit: credits(7) },
                    },
                };
                let mut stream = Stream { events: Vec::new(), seqs: [(scene.bob.0, 2)].into(), ..copy(scene) };
                stream.applies(&row, vec![], vec![], vec![]);
                body(event, stream.events.remove(0).body)
            },
            2,
        ),
        ("opens only once", |event, _| body(event, Body::Opened), 2),
        (
            "the event says 9",
            |event, _| {
                let numbers = format!("9 {} 3 {} 0 0", event.at.as_u64(), event.at.as_u64());
                spoilt(event, "b", Some(&numbers))
            },
            2,
        ),
    ];
    for (why, spoil, parked) in kinds {
        let mut scene = Scene::begins().await;
        let (ada, bob) = (scene.ada, scene.bob);
        scene.debits(ada, 1, 5);
        scene.debits(bob, 2, 3); // goes wrong
        scene.debits(ada, 3, 5);
        scene.debits(bob, 4, 2);
        scene.debits(ada, 5, 5);
        let wrong = spoil(&scene.stream.events[1], &scene);
        let recorded = scene.drains_with(1, |_| wrong.clone()).await;
        let (first, all) = (recorded.parked.first().unwrap(), recorded.parked.len() as u64);
        assert!(first.reason.contains(why), "{why}: {recorded:?}");
        assert_eq!((all, scene.open().await, first.follows), (parked, parked, false), "{why}");
        assert_eq!((recorded.debits, scene.operator.remaining(ada.1).await), (3, 85), "{why}");
        assert_eq!(scene.operator.remaining(bob.1).await, 100, "{why}");
        let (_, kept) = scene.operator.db.ledger.dead_letter(scene.letter(first.event.sequence)).await.unwrap();
        assert_eq!(kept, Some(wrong), "{why}: as it stood");
        // The shard goes on, for the others.
        scene.debits(ada, 6, 5);
        assert!(scene.drains_as_it_is().await.parked.is_empty(), "{why}");
        assert_eq!(scene.operator.remaining(ada.1).await, 80);
        scene.operator.finds_no_difference(&[ada.0, bob.0]).await;
        let incidents = scene.operator.db.number("SELECT count(*) FROM incidents WHERE kind = 'dead_letter'").await;
        assert_eq!(incidents, i64::try_from(recorded.poison().count()).unwrap(), "{why}");
    }
}

fn copy(scene: &Scene) -> Stream {
    let stream = &scene.stream;
    let (events, seqs) = (stream.events.clone(), stream.seqs.clone());
    Stream { owner: stream.owner, fence: stream.fence, from: stream.from, events, seqs, at: stream.at }
}

/// A book that refuses debits of 13 credits, as a constraint of a release to come might.
async fn refuses_thirteen(scene: &Scene) {
    let sql = "ALTER TABLE entries ADD CONSTRAINT unlucky CHECK (credits <> -13)";
    scene.operator.db.execute(sql).await.unwrap();
}

#[tokio::test]
async fn what_only_postgres_refuses_is_found_among_two_thousand_and_applied_once_when_that_is_mended() {
    let mut scene = Scene::begins().await;
    refuses_thirteen(&scene).await;
    let (ada, bob) = (scene.ada, scene.bob);
    let large = scene.operator.grants(ada.0, 5_000, 30).await;
    scene.stream.applies_pending(&scene.operator.db, &[]).await;
    scene.drains_as_it_is().await;
    for number in 0..2_000 {
        match number {
            700 => scene.debits(bob, number, 13),
            701..706 => scene.debits(bob, number, 1),
            _ => scene.debits((ada.0, large), number, 1),
        }
    }
    let recorded = scene.drains_as_it_is().await;
    assert_eq!((recorded.parked.len(), recorded.debits, recorded.credits_unexposed()), (6, 1_994, 2_012));
    assert_eq!(scene.operator.remaining(large).await, 3_006);
    assert!(recorded.parked[0].reason.contains("unlucky"), "{recorded:?}");
    assert!(recorded.parked[1..].iter().all(|parked| parked.follows));
    let ledger = &scene.operator.db.ledger;
    let letters = ledger.dead_letters(Some(bob.0), false).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.credits.unwrap().get()).collect::<Vec<_>>(), [13, 1, 1, 1, 1, 1]);

    // Nothing is mended yet: all of it stays as it is.
    let retried = ledger.retry_dead_letter(letters[3].letter, false, &by(NOON)).await.unwrap();
    assert_eq!(retried.1, bob.0);
    let refused = scene.carries_out(Run::ForGood { live_seq: None }).await;
    assert!(matches!(&refused, CarriedOut::Refused(why) if why.contains("unlucky")), "{refused:?}");
    ledger.close_decision(scene.stream.fence, retried.0, Some("unlucky")).await.unwrap();
    assert_eq!((scene.open().await, scene.operator.remaining(bob.1).await), (6, 100));

    scene.operator.db.execute("ALTER TABLE entries DROP CONSTRAINT unlucky").await.unwrap();
    let ledger = &scene.operator.db.ledger;
    ledger.retry_dead_letter(letters[0].letter, false, &by(NOON)).await.unwrap();
    let decision = scene.decision().await;
    assert_eq!(scene.carries_out(Run::ForGood { live_seq: None }).await, CarriedOut::Done);
    assert_eq!((scene.open().await, scene.operator.remaining(bob.1).await), (0, 82));
    let again = ledger.carry_out(scene.stream.fence, &decision, Run::ForGood { live_seq: None }).await.unwrap();
    assert_eq!((again, scene.operator.remaining(bob.1).await), (CarriedOut::Done, 82), "once");
    let resolved = ledger.retry_dead_letter(letters[0].letter, false, &by(NOON)).await.unwrap_err();
    assert_eq!(resolved.code(), "dead_letter_resolved");
    scene.debits(bob, 800, 2); // follows on what was applied
    assert!(scene.drains_as_it_is().await.parked.is_empty());
    assert_eq!(scene.operator.remaining(bob.1).await, 80);
    scene.operator.finds_no_difference(&[ada.0, bob.0]).await;
    let audits =
        "SELECT count(*) FROM audit WHERE action = 'dead_letters_retried' AND actor = 'olga' AND reason = 'a test'";
    assert_eq!(scene.operator.db.number(audits).await, 2);
}

#[tokio::test]
async fn a_discarded_event_is_given_up_the_rest_is_applied_and_the_account_is_installed_where_live_state_is() {
    let mut scene = Scene::begins().await;
    let (ada, bob) = (scene.ada, scene.bob);
    scene.debits(bob, 1, 3); // goes wrong
    scene.debits(bob, 2, 5);
    scene.debits(ada, 3, 7);
    let wrong = scene.stream.next_sequence() - 3;
    scene.drains_with(0, |event| spoilt(event, "s", Some("nonsense"))).await;
    scene.debits(bob, 4, 6); // the last of the account goes wrong, too
    scene.drains_with(0, |event| spoilt(event, "p", None)).await;
    let ledger = &scene.operator.db.ledger;
    let book = ledger.balances(&[bob.0]).await.unwrap().remove(0);
    let parked = ledger::ParkedEvents { events: 3, credits: 5 };
    assert_eq!(compare(&book, None, &[]), Comparison::Parked(parked), "what can be read of it");
    let images = ledger.prepare_install_one(scene.stream.fence, bob.0, NOON).await.unwrap();
    assert_eq!(images, None, "an install would drop what is parked");

    // One of the two that are wrong is not enough.
    ledger.discard_dead_letters(&[scene.letter(wrong)], &by(NOON)).await.unwrap();
    let refused = scene.carries_out(Run::Trial).await;
    assert!(matches!(&refused, CarriedOut::Refused(why) if why.contains("field 'p'")), "{refused:?}");
    ledger.close_decision(scene.stream.fence, scene.decision().await.decision, Some("field 'p'")).await.unwrap();
    assert_eq!(scene.open().await, 3);

    let both = [scene.letter(wrong), scene.letter(wrong + 3)];
    let (decision, whose) = ledger.discard_dead_letters(&both, &by(NOON)).await.unwrap();
    assert_eq!(whose, Some(bob.0));
    let fence = scene.stream.fence;
    assert_eq!(scene.carries_out(Run::Trial).await, CarriedOut::OwesInstall(bob.0));
    assert_eq!((scene.open().await, scene.operator.remaining(bob.1).await), (3, 100), "a trial keeps nothing");
    let live = Run::ForGood { live_seq: Some(5) };
    assert_eq!(scene.carries_out(live).await, CarriedOut::OwesInstall(bob.0));
    assert!(scene.decision().await.applied, "an owner that dies here leaves it to the next");
    let image = ledger.prepare_install_one(fence, bob.0, NOON).await.unwrap().unwrap();
    assert_eq!((image.seq, image.lots[0].remaining), (5, credits(95)));
    ledger.close_decision(fence, decision, None).await.unwrap();
    assert_eq!(scene.open().await, 0);
    scene.operator.finds_no_difference(&[ada.0, bob.0]).await;
    let states = scene.operator.db.text("SELECT string_agg(state, ' ' ORDER BY sequence) FROM dead_letters").await;
    assert_eq!(states, "discarded applied discarded");
    scene.debits(bob, 5, 1); // goes on from there
    assert!(scene.drains_as_it_is().await.parked.is_empty());
    scene.operator.finds_no_difference(&[bob.0]).await;
}

#[tokio::test]
async fn what_is_missing_before_a_letter_is_given_up_only_when_an_operator_says_so() {
    let mut scene = Scene::begins().await;
    let bob = scene.bob;
    scene.debits(bob, 1, 3); // nobody can tell whose it was
    scene.debits(bob, 2, 5);
    let nobodys = scene.stream.next_sequence() - 2;
    scene.drains_with(0, |event| spoilt(event, "a", Some("?"))).await;
    let ledger = &scene.operator.db.ledger;
    let refused = ledger.retry_dead_letter(scene.letter(nobodys), false, &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "dead_letter_of_nobody");
    assert_eq!(ledger.stray_dead_letters().await.unwrap(), 1);
    ledger.discard_dead_letters(&[scene.letter(nobodys)], &by(NOON)).await.unwrap();
    assert_eq!(scene.carries_out(Run::ForGood { live_seq: None }).await, CarriedOut::Done);

    let (decision, _) = ledger.retry_dead_letter(scene.letter(nobodys + 1), false, &by(NOON)).await.unwrap();
    let refused = scene.carries_out(Run::ForGood { live_seq: None }).await;
    assert!(matches!(&refused, CarriedOut::Refused(why) if why.contains("is at 3 in the book")), "{refused:?}");
    ledger.close_decision(scene.stream.fence, decision, Some("a gap")).await.unwrap();
    let refused = ledger.find_decision(decision).await.unwrap().unwrap();
    assert_eq!((refused.state, refused.refusal.as_deref()), (DecisionState::Refused, Some("a gap")));
    ledger.retry_dead_letter(scene.letter(nobodys + 1), true, &by(NOON)).await.unwrap();
    let live = Run::ForGood { live_seq: Some(4) };
    assert_eq!(scene.carries_out(live).await, CarriedOut::OwesInstall(bob.0));
    assert_eq!(scene.operator.remaining(bob.1).await, 95);
    scene.operator.finds_no_difference(&[bob.0]).await;
}

#[tokio::test]
async fn an_install_that_is_ahead_takes_the_book_there_when_an_operator_says_so_and_never_past_ten_thousand_numbers() {
    let mut scene = Scene::begins().await;
    let (ada, bob) = (scene.ada.0, scene.bob.0);
    for (account, seq) in [(ada, 2 + 10_001), (bob, 2 + 10_000)] {
        scene.stream.push(Body::Installed { account, seq, control_version: 2 });
    }
    let adas = scene.stream.next_sequence() - 2;
    assert_eq!(scene.drains_as_it_is().await.parked.len(), 2);
    let (ledger, fence) = (&scene.operator.db.ledger, scene.stream.fence);
    let (decision, _) = ledger.retry_dead_letter(scene.letter(adas), true, &by(NOON)).await.unwrap();
    let refused = scene.carries_out(Run::ForGood { live_seq: Some(10_003) }).await;
    assert!(matches!(&refused, CarriedOut::Refused(why) if why.contains("is at 2 in the book")), "{refused:?}");
    ledger.close_decision(fence, decision, Some("a gap")).await.unwrap();
    ledger.retry_dead_letter(scene.letter(adas + 1), true, &by(NOON)).await.unwrap();
    let live = Run::ForGood { live_seq: Some(10_002) };
    assert_eq!(scene.carries_out(live).await, CarriedOut::OwesInstall(bob));
    let image = ledger.prepare_install_one(fence, bob, NOON).await.unwrap().unwrap();
    assert_eq!((image.seq, image.lots[0].remaining), (10_002, credits(100)));
}

#[tokio::test]
async fn letters_that_a_rebuild_has_left_behind_mark_nobody_and_can_only_be_discarded() {
    let mut scene = Scene::begins().await;
    let bob = scene.bob;
    scene.debits(bob, 1, 3);
    let old = scene.letter(scene.stream.next_sequence() - 1);
    scene.drains_with(0, |event| spoilt(event, "s", Some("nonsense"))).await;
    scene.stream.begins_anew(&scene.operator.db).await;
    scene.stream.seqs.insert(bob.0, 2); // as the book has it
    scene.debits(bob, 2, 5);
    assert!(scene.drains_as_it_is().await.parked.is_empty());
    assert_eq!(scene.operator.remaining(bob.1).await, 95);
    let ledger = &scene.operator.db.ledger;
    assert_eq!((scene.open().await, ledger.stray_dead_letters().await.unwrap()), (1, 1), "it says so");
    assert_eq!(ledger.retry_dead_letter(old, false, &by(NOON)).await.unwrap_err().code(), "dead_letter_superseded");
    ledger.discard_dead_letters(&[old], &by(NOON)).await.unwrap();
    assert_eq!(scene.carries_out(Run::ForGood { live_seq: None }).await, CarriedOut::Done);
    assert_eq!((scene.open().await, scene.operator.remaining(bob.1).await), (0, 95));
    scene.operator.finds_no_difference(&[bob.0]).await;
}

#[tokio::test]
async fn an_event_longer_than_what_is_kept_is_parked_cut_and_can_only_be_discarded() {
    let mut scene = Scene::begins().await;
    let bob = scene.bob;
    scene.debits(bob, 1, 3);
    let letter = scene.letter(scene.stream.next_sequence() - 1);
    scene.drains_with(0, |event| spoilt(event, "s", Some(&"7:1,".repeat(300_000)))).await;
    assert_eq!(scene.operator.db.number("SELECT octet_length(bytes)::bigint FROM dead_letters").await, 1_048_576);
    let ledger = &scene.operator.db.ledger;
    assert_eq!(ledger.dead_letter(letter).await.unwrap().1, None);
    ledger.retry_dead_letter(letter, false, &by(NOON)).await.unwrap();
    let refused = scene.carries_out(Run::ForGood { live_seq: None }).await;
    assert!(matches!(&refused, CarriedOut::Refused(why) if why.contains("longer than what is kept")), "{refused:?}");
}

#[tokio::test]
async fn a_fault_that_spoils_everything_is_not_taken_for_a_thousand_poisoned_events() {
    let mut scene = Scene::begins().await;
    let mut entries = Vec::new();
    for number in 0..1_001 {
        let stranger = AccountId::from_uuid(Uuid::from_u128(number + 1));
        scene.stream.debits(stranger, op(number), &[(scene.bob.1, 1)]);
        entries.push(spoilt(scene.stream.events.last().unwrap(), "s", None));
    }
    let batch = ReadBatch { fence: scene.stream.fence, from: scene.stream.from, entries };
    let refused = scene.operator.db.ledger.record_or_park(&batch).await.unwrap_err();
    assert_eq!((refused.code(), scene.open().await), ("too_many_dead_letters", 0));
    let batch_last = batch.entries[1_000..].to_vec();
    let one_fewer = ReadBatch { entries: batch.entries[..1_000].to_vec(), ..batch };
    assert_eq!(scene.operator.db.ledger.record_or_park(&one_fewer).await.unwrap().parked.len(), 1_000);

    // An operator gives one up: there is room for the next, and so the owner gets to carry that out.
    scene.stream.from = one_fewer.entries.last().map(|entry| entry.id.sequence);
    let last = ReadBatch { from: scene.stream.from, entries: batch_last, ..one_fewer };
    let ledger = &scene.operator.db.ledger;
    assert_eq!(ledger.record_or_park(&last).await.unwrap_err().code(), "too_many_dead_letters");
    let first = scene.letter(last.from.unwrap());
    ledger.discard_dead_letters(&[first], &by(NOON)).await.unwrap();
    assert_eq!(ledger.record_or_park(&last).await.unwrap().parked.len(), 1);
}

#[tokio::test]
async fn a_fence_that_has_moved_on_and_a_gap_in_the_stream_park_nothing() {
    let mut scene = Scene::begins().await;
    scene.debits(scene.bob, 1, 3);
    let good = entry(&scene.stream.events[0]);
    let batch = ReadBatch { fence: scene.stream.fence, from: scene.stream.from, entries: vec![good.clone()] };
    let mut zombie = batch.clone();
    zombie.fence.certification -= 1;
    let ledger = &scene.operator.db.ledger;
    assert_eq!(ledger.record_or_park(&zombie).await.unwrap_err().code(), "fenced");
    let gap = ReadBatch { from: batch.from.map(|from| from - 1), ..batch.clone() };
    assert_eq!(ledger.record_or_park(&gap).await.unwrap_err().code(), "event_out_of_order");
    assert_eq!(scene.open().await, 0);
    assert_eq!(ledger.record_or_park(&batch).await.unwrap().debits, 1);
    assert_eq!(ledger.record_or_park(&batch).await.unwrap_err().code(), "fenced", "recorded once");
}
