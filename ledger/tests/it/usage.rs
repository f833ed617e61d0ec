//! What accounts used, by day, key and route: counted from entries, each once, and low balances noticed on the way.

use ledger::{Day, Rotation, Run, Usage, UsageCursor};
use metering::{AccountId, KeyId, LotId, Status, TimeMs};

use crate::actors::entry::{entry, spoilt};
use crate::actors::{DAY, NOON, Operator, Stream, by, credits, op, period_end, shard_of};

/// An account with a lot of 1000 credits that live state knows, and a key.
struct Scene {
    operator: Operator,
    account: AccountId,
    lot: LotId,
    key: KeyId,
    stream: Stream,
}

impl Scene {
    async fn begins() -> Self {
        let operator = Operator::arrives().await;
        let account = operator.account(Status::Active).await;
        let lot = operator.grants(account, 1_000, 300).await;
        let (_, key) = operator.issues(account, "ci", 1).await;
        let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
        stream.applies_pending(&operator.db, &[]).await;
        stream.drains(&operator.db).await;
        Self { operator, account, lot, key, stream }
    }

    async fn counts(&self, entries: u32) -> ledger::Counting {
        let shard = self.stream.fence.shard;
        self.operator.db.ledger.count_usage(shard, entries, self.stream.at, None).await.unwrap()
    }

    /// Of the day before noon's to before the third day after it.
    async fn usage(&self) -> Usage {
        let noon = Day::of(NOON);
        self.operator.db.ledger.usage(self.account, noon.minus(1), noon.plus(3)).await.unwrap()
    }

    /// Credits and calls of those four days.
    async fn days(&self) -> Vec<(u64, u64)> {
        self.usage().await.days.iter().map(|day| (day.credits.get(), day.calls)).collect()
    }

    async fn is_right(&self) {
        let differences = self.operator.db.ledger.recount_usage(&[self.account]).await.unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }
}

#[tokio::test]
async fn what_is_drawn_counts_by_day_key_and_route_and_what_comes_back_on_the_day_of_its_debit() {
    let mut scene = Scene::begins().await;
    let (account, lot, key) = (scene.account, scene.lot, scene.key);
    scene.stream.debits_by(account, Some(key), op(1), &[(lot, 10)]);
    scene.stream.debits(account, op(2), &[(lot, 5)]);
    scene.stream.at = NOON.plus_ms(DAY);
    scene.stream.debits(account, op(3), &[(lot, 7)]);
    scene.stream.gives_back(account, op(2), &[(lot, 3)], &[(lot, 2)], period_end(NOON)); // a part of it lapses: nobody used that
    scene.stream.drains(&scene.operator.db).await;
    assert_eq!(scene.days().await, [(0, 0); 4], "nothing is counted yet");
    let counting = scene.counts(100).await;
    assert_eq!((counting.entries, counting.accounts, counting.more), (4, 1, false));
    assert_eq!(scene.days().await, [(0, 0), (10, 1), (7, 1), (0, 0)]);
    let usage = scene.usage().await;
    let keys: Vec<_> = usage.keys.iter().map(|used| (used.key, used.name.as_deref(), used.credits.get())).collect();
    assert_eq!(keys, [(Some(key), Some("ci"), 10), (None, None, 7)]);
    let routes: Vec<_> =
        usage.routes.iter().map(|used| (used.route.as_str(), used.credits.get(), used.calls)).collect();
    assert_eq!(routes, [("v1.messages", 17, 2)]);
    assert_eq!(usage.days[1].day, Day::of(NOON));
    assert_eq!(scene.counts(100).await.entries, 0, "once");
    assert_eq!(scene.days().await, [(0, 0), (10, 1), (7, 1), (0, 0)]);
    scene.is_right().await;
}

#[tokio::test]
async fn a_day_begins_at_midnight_and_a_span_ends_before_its_last_day() {
    let mut scene = Scene::begins().await;
    let midnight = Day::of(NOON).plus(1).starts_at();
    for (number, at) in [midnight.minus_ms(1), midnight, midnight.plus_ms(DAY)].into_iter().enumerate() {
        scene.stream.at = at;
        scene.stream.debits(scene.account, op(u128::try_from(number).unwrap()), &[(scene.lot, 1 << number)]);
    }
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    assert_eq!(scene.days().await, [(0, 0), (1, 1), (2, 1), (4, 1)]);
    let (ledger, noon) = (&scene.operator.db.ledger, Day::of(NOON));
    let one = ledger.usage(scene.account, noon.plus(1), noon.plus(2)).await.unwrap();
    assert_eq!((one.days.len(), one.days[0].credits, one.routes[0].credits), (1, credits(2), credits(2)));
    assert!(ledger.usage(scene.account, noon, noon).await.unwrap().days.is_empty());
    assert_eq!(ledger.usage(scene.account, noon, noon.plus(401)).await.unwrap_err().code(), "invalid");
    let nobody = AccountId::from_uuid(uuid::Uuid::nil());
    assert_eq!(ledger.usage(nobody, noon, noon.plus(1)).await.unwrap_err().code(), "account_not_found");
}

#[tokio::test]
async fn a_second_debit_of_one_op_is_no_use_of_anybody_s() {
    let mut scene = Scene::begins().await;
    scene.stream.debits(scene.account, op(1), &[(scene.lot, 4)]);
    scene.stream.at = NOON.plus_ms(DAY / 2);
    scene.stream.debits(scene.account, op(1), &[(scene.lot, 4)]);
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    assert_eq!(scene.days().await, [(0, 0), (4, 1), (0, 0), (0, 0)]);
    scene.stream.applies_pending(&scene.operator.db, &[]).await;
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    assert_eq!(scene.days().await, [(0, 0), (4, 1), (0, 0), (0, 0)]);
    scene.is_right().await;
}

#[tokio::test]
async fn what_the_book_itself_gives_back_is_counted_before_the_first_pass_and_after_it() {
    for counted_before in [false, true] {
        let mut scene = Scene::begins().await;
        scene.stream.debits(scene.account, op(1), &[(scene.lot, 4)]);
        scene.stream.is_asked_to_undo(scene.account, op(1), NOON.plus_ms(2_000));
        scene.stream.drains(&scene.operator.db).await;
        if counted_before {
            scene.counts(100).await;
            assert_eq!(scene.days().await[1], (4, 1));
        }
        // Live state is lost before it heard of it: the change is settled in the book, as an entry of no event.
        scene.stream.begins_anew(&scene.operator.db).await;
        let (fence, ledger) = (scene.stream.fence, &scene.operator.db.ledger);
        ledger.prepare_install(fence, None, 10, &[], scene.stream.at).await.unwrap();
        let of_no_event = "SELECT count(*) FROM entries WHERE kind = 'give_back' AND sequence IS NULL";
        assert_eq!(scene.operator.db.number(of_no_event).await, 1);
        if counted_before {
            assert_eq!(scene.days().await[1], (0, 0), "at once");
        }
        scene.counts(100).await;
        assert_eq!(scene.days().await[1], (0, 0), "{counted_before}");
        scene.is_right().await;
    }
}

#[tokio::test]
async fn an_event_that_was_parked_counts_once_it_is_applied_wherever_the_count_is_by_then() {
    for passed in [false, true] {
        let mut scene = Scene::begins().await;
        let refuse = "ALTER TABLE entries ADD CONSTRAINT unlucky CHECK (credits <> -13)";
        scene.operator.db.execute(refuse).await.unwrap();
        scene.stream.debits(scene.account, op(1), &[(scene.lot, 2)]);
        scene.stream.debits(scene.account, op(2), &[(scene.lot, 13)]);
        scene.stream.debits(scene.account, op(3), &[(scene.lot, 5)]);
        let entries = scene.stream.events.iter().map(entry).collect();
        let batch = ledger::ReadBatch { fence: scene.stream.fence, from: scene.stream.from, entries };
        let ledger = &scene.operator.db.ledger;
        assert_eq!(ledger.record_or_park(&batch).await.unwrap().parked.len(), 2);
        if passed {
            scene.counts(100).await;
            assert_eq!(scene.days().await[1], (2, 1));
        }
        scene.operator.db.execute("ALTER TABLE entries DROP CONSTRAINT unlucky").await.unwrap();
        let letter = ledger.dead_letters(Some(scene.account), false).await.unwrap()[0].letter;
        ledger.retry_dead_letter(letter, false, &by(NOON)).await.unwrap();
        let decision = ledger.waiting_decisions(scene.stream.fence.shard).await.unwrap().remove(0);
        for run in [Run::Trial, Run::ForGood { live_seq: None }] {
            ledger.carry_out(scene.stream.fence, &decision, run).await.unwrap();
        }
        if passed {
            assert_eq!(scene.days().await[1], (20, 3), "at once");
        }
        scene.counts(100).await;
        assert_eq!(scene.days().await[1], (20, 3), "{passed}");
        scene.is_right().await;
    }
}

#[tokio::test]
async fn an_event_that_is_given_up_counts_nothing_and_nor_does_what_came_back_of_it() {
    let mut scene = Scene::begins().await;
    scene.stream.debits(scene.account, op(1), &[(scene.lot, 6)]);
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    scene.stream.debits(scene.account, op(2), &[(scene.lot, 4)]); // goes wrong
    scene.stream.gives_back(scene.account, op(2), &[(scene.lot, 4)], &[], period_end(NOON));
    let mut entries: Vec<_> = scene.stream.events.iter().map(entry).collect();
    entries[0] = spoilt(&scene.stream.events[0], "s", Some("nonsense"));
    let batch = ledger::ReadBatch { fence: scene.stream.fence, from: scene.stream.from, entries };
    let ledger = &scene.operator.db.ledger;
    let wrong = ledger.record_or_park(&batch).await.unwrap().parked[0].event;
    scene.counts(100).await;
    let letter = ledger::LetterId { shard: scene.stream.fence.shard.number, event: wrong };
    ledger.discard_dead_letters(&[letter], &by(NOON)).await.unwrap();
    let decision = ledger.waiting_decisions(scene.stream.fence.shard).await.unwrap().remove(0);
    ledger.carry_out(scene.stream.fence, &decision, Run::ForGood { live_seq: None }).await.unwrap();
    scene.counts(100).await;
    assert_eq!(scene.days().await[1], (6, 1));
    scene.is_right().await;
}

#[tokio::test]
async fn pieces_follow_each_other_and_two_at_once_count_nothing_twice() {
    let mut scene = Scene::begins().await;
    for number in 0..10 {
        scene.stream.at = NOON.plus_ms(u64::try_from(number).unwrap() * 1_000);
        scene.stream.debits(scene.account, op(number), &[(scene.lot, 1)]);
    }
    scene.stream.drains(&scene.operator.db).await;
    let first = scene.counts(4).await;
    assert_eq!((first.entries, first.more, first.counted_to), (4, true, NOON.plus_ms(3_000)));
    assert_eq!(scene.usage().await.as_of, NOON.plus_ms(3_000), "as far as it is counted");
    let (shard, ledger) = (scene.stream.fence.shard, &scene.operator.db.ledger);
    let (one, other) =
        tokio::join!(ledger.count_usage(shard, 100, NOON, None), ledger.count_usage(shard, 100, NOON, None));
    assert_eq!(one.unwrap().entries + other.unwrap().entries, 6);
    assert_eq!(scene.days().await[1], (10, 10));
    let row = ledger.shard(shard).await.unwrap();
    let end = UsageCursor { incarnation: row.incarnation, next: row.applied_sequence.unwrap() + 1 };
    assert_eq!(scene.counts(100).await.cursor, end, "also past events that have no entry");
    let now = ledger.book_now().await.unwrap();
    assert!(now.since(scene.usage().await.as_of) < 60_000, "it has all that the book has");
    assert_eq!(scene.counts(0).await.entries, 0, "a piece of nothing is no piece");
}

#[tokio::test]
async fn a_tail_that_was_lost_counts_nothing_and_the_next_incarnation_counts_on() {
    let mut scene = Scene::begins().await;
    scene.stream.debits(scene.account, op(1), &[(scene.lot, 1)]);
    scene.stream.drains(&scene.operator.db).await;
    let before = scene.counts(100).await.cursor;
    scene.stream.debits(scene.account, op(2), &[(scene.lot, 2)]);
    scene.stream.drains(&scene.operator.db).await; // in the book, not counted
    scene.stream.debits(scene.account, op(3), &[(scene.lot, 4)]); // lost
    scene.stream.begins_anew(&scene.operator.db).await;
    let (fence, ledger) = (scene.stream.fence, &scene.operator.db.ledger);
    let image = ledger.prepare_install(fence, None, 10, &[], NOON).await.unwrap().remove(0);
    scene.stream.seqs.insert(scene.account, image.seq);
    scene.stream.debits(scene.account, op(4), &[(scene.lot, 8)]);
    scene.stream.drains(&scene.operator.db).await;
    assert!(scene.counts(100).await.cursor > before);
    assert_eq!(scene.days().await[1], (11, 3));
    scene.is_right().await;
}

#[tokio::test]
async fn a_key_that_was_rotated_is_two_keys_to_people() {
    let mut scene = Scene::begins().await;
    let rotation = Rotation { grace_ms: DAY, expires_at: None, random: [2; 32] };
    let (_, new, _) = scene.operator.db.ledger.rotate_key(scene.key, &rotation, &by(NOON)).await.unwrap();
    scene.stream.debits_by(scene.account, Some(scene.key), op(1), &[(scene.lot, 3)]);
    scene.stream.debits_by(scene.account, Some(new), op(2), &[(scene.lot, 5)]);
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    let keys: Vec<_> = scene.usage().await.keys.iter().map(|used| (used.key, used.credits.get())).collect();
    assert_eq!(keys, [(Some(new), 5), (Some(scene.key), 3)]);
}

#[tokio::test]
async fn another_account_s_use_is_not_among_it() {
    let mut scene = Scene::begins().await;
    let other = scene.operator.account_in(shard_of(scene.account)).await;
    let others = scene.operator.grants(other, 50, 30).await;
    scene.stream.applies_pending(&scene.operator.db, &[]).await;
    scene.stream.debits(other, op(1), &[(others, 9)]);
    scene.stream.drains(&scene.operator.db).await;
    scene.counts(100).await;
    let usage = scene.usage().await;
    assert!(usage.keys.is_empty() && usage.routes.is_empty() && usage.days.iter().all(|day| day.credits.is_zero()));
}

/// Low-balance mails there are.
async fn low(scene: &Scene) -> i64 {
    scene.operator.db.number("SELECT count(*) FROM mails WHERE kind = 'low_balance'").await
}

#[tokio::test]
async fn whoever_drew_down_to_a_fifth_is_told_with_the_count_and_once() {
    let mut scene = Scene::begins().await;
    let mut draws = async |number: u128, count: u64| {
        scene.stream.debits(scene.account, op(number), &[(scene.lot, count)]);
        scene.stream.drains(&scene.operator.db).await;
        scene.counts(100).await.mails
    };
    assert_eq!(draws(1, 799).await, 0, "more than a fifth");
    assert_eq!(draws(2, 1).await, 1);
    assert_eq!(draws(3, 1).await, 0, "once");
    assert_eq!(low(&scene).await, 1);
}

#[tokio::test]
async fn a_balance_that_is_low_without_a_debit_is_found_by_a_look_at_all_accounts() {
    let scene = Scene::begins().await;
    let soon = scene.operator.grants(scene.account, 9_000, 10).await;
    scene.operator.db.execute("UPDATE lots SET remaining = 0 WHERE original = 1000").await.unwrap();
    let (shard, ledger) = (scene.stream.fence.shard, &scene.operator.db.ledger);
    let look = |at: TimeMs, after| ledger.look_for_low_balances(shard, after, 1, at, None);
    assert_eq!(look(NOON, None).await.unwrap(), Some((scene.account, 0)), "{soon} has all it had");
    let after_its_expiry = NOON.plus_ms(10 * DAY);
    assert_eq!(look(after_its_expiry, None).await.unwrap(), Some((scene.account, 1)));
    assert_eq!(look(after_its_expiry, None).await.unwrap(), Some((scene.account, 0)), "once");
    assert_eq!(look(after_its_expiry, Some(scene.account)).await.unwrap(), None, "the last page");
    assert_eq!(low(&scene).await, 1);
}
