//! One shard of a real Redis and its book, with an owner who does by hand what ledger-sync does.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

use ledger::testing::TestDatabase;
use ledger::{
    By, CarriedOut, Fence as BookFence, Ledger, LedgerError, LetterId, NewAccount, Outgoing, OwnerId, PoolSettings,
    ReadBatch, Run, ShardState,
};
use metering::event::DecodeError;
use metering::live::owner::{Certified, ControlRow, DrainNote, Mode, OwnerLink};
use metering::live::{Fence, Meter};
use metering::testing::{GENEROUS_CAPS, RedisServer};
use metering::{AccountId, BudgetAnchor, Event, EventId, Shard, ShardCount, ShardKind, Status, StreamEntry, TimeMs};
use serde_json::json;
use uuid::Uuid;

/// 2030-01-01T00:00:00Z: ahead of the machine's clock, so that the shard's clock stands where a history turns it.
const NEW_YEAR: TimeMs = TimeMs::new(1_893_456_000_000);
const PATIENCE: Duration = Duration::from_secs(30);

/// Accounts that no history has used yet, by shard.
pub type Unused = Mutex<[Vec<AccountId>; 4]>;

pub struct World {
    /// Ends with the world.
    _redis: RedisServer,
    pub hand: Hand,
    pub book: Ledger,
    pub meter: Meter,
    pub link: OwnerLink,
    pub certified: Certified,
    pub fence: BookFence,
    /// Sequence of the last event in the book.
    pub applied: Option<u64>,
    /// Credits recorded, but not yet noted in Redis.
    credits_to_note: u64,
    pub now: TimeMs,
}

pub fn by(at: TimeMs) -> By {
    By { actor: "olga".to_owned(), reason: "a history".to_owned(), at }
}

impl World {
    /// A new Redis, and a new incarnation of the shard in it.
    pub async fn begin(db: &TestDatabase, number: u16, owner: OwnerId) -> Self {
        let settings = PoolSettings { connections_max: 2, ..PoolSettings::default() };
        let book = Ledger::open(&db.url, settings).unwrap();
        let shard = Shard { kind: ShardKind::Accounts, number };
        book.heartbeat(owner, "a history", Duration::from_hours(1)).await.unwrap();
        let claimed = book.claim(owner, shard, Duration::from_hours(1)).await.unwrap();
        let row = match claimed {
            Some(row) => row,
            None => book.shard(shard).await.unwrap(), // ours since an earlier history
        };
        let redis = RedisServer::start();
        let hand = Hand::reach_for(&redis);
        let meter = Meter::connect(&redis.url()).await.unwrap();
        let mut link = OwnerLink::open(&redis.url(), PATIENCE).await.unwrap();
        let (fence, certified) = rebuild(&book, &mut link, row.fence(), NEW_YEAR).await;
        Self {
            _redis: redis,
            hand,
            book,
            meter,
            link,
            certified,
            fence,
            applied: None,
            credits_to_note: 0,
            now: NEW_YEAR,
        }
    }

    /// An account of this shard that nobody has used, with its first change on its way. Ids fall where they will, so what
    /// falls on another shard is kept for its thread.
    pub async fn account(&self, unused: &Unused) -> AccountId {
        let here = usize::from(self.fence.shard.number);
        loop {
            if let Some(account) = unused.lock().unwrap()[here].pop() {
                return account;
            }
            let anchor = BudgetAnchor::FIRST;
            let new = NewAccount { name: "Ada".to_owned(), email: None, status: Status::Active, anchor };
            let account = self.book.create_account(&new, &by(self.now)).await.unwrap();
            let shard = account.shard(ShardCount::new(4).unwrap());
            unused.lock().unwrap()[usize::from(shard.number)].push(account);
        }
    }

    /// The shard's clock goes on to an instant; its stream stays where it is.
    pub fn turn_clock(&mut self, to: TimeMs, sequence: u64) {
        assert!(self.now <= to, "clocks do not go back");
        let set = "return redis.call('HSET', KEYS[1], 'live', struct.pack('>I7I7I7', ARGV[1], ARGV[2], 0))";
        let (meta, sequence, to_ms) = (self.certified.fence().meta(), sequence.to_string(), to.as_u64().to_string());
        self.hand.does(&["EVAL", set, "1", &meta, &sequence, &to_ms]);
        self.now = to;
    }

    /// Goes on to some hours before a month ends, so that a history finds the same edges ahead whenever it is told.
    pub fn turn_clock_before_month_end(&mut self, hours: u64, sequence: u64) {
        let before = hours * 3_600_000;
        let to = BudgetAnchor::FIRST.period_end(self.now.plus_ms(before)).minus_ms(before);
        self.turn_clock(to, sequence);
    }

    /// Sequence of the last event in Redis.
    pub async fn sequence(&mut self) -> u64 {
        let fence = *self.certified.fence();
        self.link.look(&fence).await.unwrap().unwrap().sequence
    }

    /// Redis has no memory for anything new; or it has again.
    pub fn limit_memory(&mut self, bytes: &str) {
        self.hand.does(&["CONFIG", "SET", "maxmemory", bytes]);
    }

    /// Changes of these accounts after a row that live state has not been seen to apply.
    pub async fn pending(&self, accounts: &[AccountId], after_row: u64) -> Vec<ControlRow> {
        let rows = self.book.pending(self.fence.shard, after_row, 10_000).await.unwrap();
        let rows = rows.into_iter().filter(|row| accounts.contains(&row.account));
        rows.map(|row| {
            let Outgoing::Change { version, change } = row.what else { panic!("a key on a shard of accounts") };
            ControlRow { row: row.row, account: row.account, version, change }
        })
        .collect()
    }

    /// Records what is in the stream after what the book has.
    pub async fn drain(&mut self) -> Vec<Event> {
        let first = self.applied.map_or(0, |applied| applied + 1);
        let mut entries = self.link.entries_from(&live(self.fence), first, 1_000_000).await.unwrap();
        let events: Vec<Event> = entries.iter().map(|entry| entry.event.clone().unwrap()).collect();
        let Some(last) = events.last().map(|event| event.id.sequence) else { return events };
        misread_one(&mut entries, last);
        let batch = ReadBatch { fence: self.fence, from: self.applied, entries };
        let recorded = self.book.record_or_park(&batch).await.unwrap();
        assert!(recorded.shortfalls.is_empty(), "{recorded:?}");
        if last % 5 == 0 {
            let again = self.book.record_or_park(&batch).await;
            assert!(matches!(again, Err(LedgerError::Fenced { .. })), "recorded twice: {again:?}");
        }
        if let Some(parked) = recorded.parked.first() {
            self.retry(parked.event).await;
        }
        self.credits_to_note += events.iter().map(drawn).sum::<u64>();
        self.applied = Some(last);
        events
    }

    /// Sequence of the oldest event that is still at hand.
    pub async fn first_in_stream(&mut self) -> u64 {
        let entries = self.link.entries_from(&live(self.fence), 0, 1).await.unwrap();
        entries.first().expect("the last drained event stays").id.sequence
    }

    /// An owner that can read what was parked applies it, and what follows of its account: the book is as if nothing had been.
    async fn retry(&mut self, event: EventId) {
        let letter = LetterId { shard: self.fence.shard.number, event };
        self.book.retry_dead_letter(letter, false, &by(self.now)).await.unwrap();
        let decision = self.book.waiting_decisions(self.fence.shard).await.unwrap().remove(0);
        let done = self.book.carry_out(self.fence, &decision, Run::ForGood { live_seq: None }).await.unwrap();
        assert_eq!(done, CarriedOut::Done, "{decision:?}");
    }

    /// Tells Redis how far the book is.
    pub async fn note(
        &mut self,
        keep_from: u64,
        closed: Vec<metering::OpId>,
        marks: Vec<(AccountId, metering::IdempotencyKey)>,
    ) {
        let Some(drained) = self.applied else { return };
        let note = DrainNote { drained, credits: self.credits_to_note, keep_from, closed, marks };
        self.link.note_drained(&self.certified, &note).await.unwrap();
        self.credits_to_note = 0;
    }

    /// Compares Redis with the book, whose commits under the old number fail from here on, and goes on with what is there.
    pub async fn certify_again(&mut self) {
        let head = self.link.head(self.fence.shard).await.unwrap();
        self.link.seal(self.fence.shard, self.fence.epoch).await.unwrap();
        let zombie = self.fence;
        self.fence.certification = self.book.raise_fence(zombie.shard, zombie.epoch, head.certification).await.unwrap();
        let late = self.book.set_state(zombie, ShardState::Open).await;
        assert!(matches!(late, Err(LedgerError::Fenced { .. })), "{late:?}");
        self.drain().await;
        let drained = self.applied.unwrap_or(0);
        let fence = live(self.fence);
        let certified = self.link.certify(fence, self.fence.epoch, Mode::Same, drained, self.now, GENEROUS_CAPS).await;
        self.certified = certified.unwrap();
        self.link.open_shard(&self.certified).await.unwrap();
    }

    /// Begins a new incarnation, in a Redis that forgot everything or beside the old one.
    pub async fn rebuild(&mut self, lost: bool) {
        if lost {
            self.hand.does(&["FLUSHALL"]);
        }
        (self.fence, self.certified) = rebuild(&self.book, &mut self.link, self.fence, self.now).await;
        (self.applied, self.credits_to_note) = (None, 0);
    }
}

/// In some batches there is an event that an older owner can't read.
fn misread_one(entries: &mut [StreamEntry], last: u64) {
    let count = u64::try_from(entries.len()).unwrap();
    if last % 4 != 1 {
        return;
    }
    let entry = &mut entries[usize::try_from(last / 4 % count).unwrap()];
    if entry.account().is_some() {
        entry.event = Err(DecodeError { id: entry.id.to_string(), field: "k" });
    }
}

fn drawn(event: &Event) -> u64 {
    event.body.exposes().get()
}

async fn rebuild(book: &Ledger, link: &mut OwnerLink, old: BookFence, now: TimeMs) -> (BookFence, Certified) {
    link.agree_on_shards(ShardCount::new(4).unwrap()).await.unwrap();
    let head = link.head(old.shard).await.unwrap();
    link.seal(old.shard, old.epoch).await.unwrap();
    let certification = book.raise_fence(old.shard, old.epoch, head.certification).await.unwrap();
    let fence = BookFence { certification, ..old };
    let incarnation = book.start_incarnation(fence, head.incarnation, &json!({"why": "a history"})).await.unwrap();
    let fence = BookFence { incarnation, ..fence };
    let certified = link.certify(live(fence), fence.epoch, Mode::New, 0, now, GENEROUS_CAPS).await.unwrap();
    link.open_shard(&certified).await.unwrap();
    book.set_state(fence, ShardState::Open).await.unwrap();
    (fence, certified)
}

fn live(fence: BookFence) -> Fence {
    Fence { shard: fence.shard, incarnation: fence.incarnation, certification: fence.certification }
}

/// Does to Redis what no program of ours does. One connection, because histories do it often.
pub struct Hand(BufReader<TcpStream>);

impl Hand {
    fn reach_for(redis: &RedisServer) -> Self {
        let address = redis.url().trim_start_matches("redis://").to_owned();
        Self(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    /// Sends a command whose answer is one line, and refuses an error.
    pub fn does(&mut self, words: &[&str]) {
        let parts: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let parts = parts.concat();
        write!(self.0.get_mut(), "*{}\r\n{parts}", words.len()).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        assert!(answer.starts_with(['+', ':']), "{words:?}: {answer}");
    }
}

/// An owner for a thread's histories.
pub fn owner() -> OwnerId {
    OwnerId::from_uuid(Uuid::now_v7())
}
