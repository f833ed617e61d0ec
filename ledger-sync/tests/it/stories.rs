//! What the owner of shards does, told with a real ledger-sync process.

use std::time::{Duration, Instant};

use ledger::testing::{TestDatabase, database};
use ledger::{By, Grant, NewAccount, NewKey};
use metering::live::{Debit, DebitOutcome, Meter, MeterError, Refusal, Undo, UndoOutcome};
use metering::testing::RedisServer;
use metering::{AccountId, BudgetAnchor, Credits, KeyMode, OpId, Status, TimeMs};
use uuid::Uuid;

use crate::process::{PATIENCE, Sync, wait_until};

pub fn by(at: TimeMs) -> By {
    By { actor: "operator".to_owned(), reason: "a story".to_owned(), at }
}

pub fn credits(count: u64) -> Credits {
    Credits::new(count).unwrap()
}

/// Ada has an active account with one lot.
pub async fn ada(book: &TestDatabase, lot: u64) -> AccountId {
    let now = book.ledger.book_now().await.unwrap();
    let new = NewAccount { name: "Ada".to_owned(), email: None, status: Status::Active, anchor: BudgetAnchor::FIRST };
    let account = book.ledger.create_account(&new, &by(now)).await.unwrap();
    let grant = Grant {
        credits: credits(lot),
        product: "pack".to_owned(),
        granted_at: now.minus_ms(1000),
        expires_at: now.plus_ms(86_400_000),
        source: None,
    };
    book.ledger.grant_lot(account, &grant, &by(now)).await.unwrap();
    account
}

pub fn ask(account: AccountId, price: u64) -> Debit {
    Debit {
        op: OpId::from_uuid(Uuid::now_v7()),
        account,
        key: None,
        rates: None,
        credits: credits(price),
        not_after: TimeMs::new(u64::MAX),
        route: "v1.messages".parse().unwrap(),
        hold_until: None,
        idempotency: None,
    }
}

/// Draws one credit as a gateway would: waits out certification and install, and undoes what it does not know the outcome of.
pub async fn draw_one(meter: &Meter, account: AccountId) {
    wait_until("one credit is drawn", async || {
        let ask = ask(account, 1);
        match meter.debit(&ask).await {
            Ok(DebitOutcome::Drawn(_)) => true,
            Ok(DebitOutcome::Refused(Refusal::Installing | Refusal::Frozen))
            | Err(MeterError::Uncertified | MeterError::Unavailable(_) | MeterError::Unreadable(_)) => false,
            Err(MeterError::Unknown(_)) => {
                undo(meter, &ask).await;
                false
            }
            Ok(DebitOutcome::Refused(refusal)) => panic!("refused: {refusal:?}"),
        }
    })
    .await;
}

async fn undo(meter: &Meter, debit: &Debit) {
    let undo = Undo {
        op: OpId::from_uuid(Uuid::now_v7()),
        account: debit.account,
        debit_op: debit.op,
        not_after: meter.shard_now_of(&debit.account).plus_ms(500),
        idempotency: None,
    };
    wait_until("the undo is noted", async || {
        matches!(meter.undo(&undo).await, Ok(UndoOutcome::Marked | UndoOutcome::AlreadyClosed))
    })
    .await;
}

pub async fn wait_remaining(meter: &Meter, account: AccountId, remaining: u64) {
    wait_until(&format!("live state has {remaining} credits"), async || {
        meter.credits(account).await.is_ok_and(|view| view.remaining == credits(remaining))
    })
    .await;
}

pub async fn wait_book(book: &TestDatabase, remaining: i64) {
    wait_until(&format!("the book has {remaining} credits and nothing undelivered"), async || {
        book.number("SELECT sum(remaining)::bigint FROM lots").await == remaining
            && book.number("SELECT count(*) FROM outbox WHERE delivered_at IS NULL").await == 0
    })
    .await;
}

/// Suspends an account in the book and waits until its debits are refused.
pub async fn suspend(book: &TestDatabase, meter: &Meter, account: AccountId) {
    let now = book.ledger.book_now().await.unwrap();
    book.ledger.set_status(account, Status::Suspended, &by(now)).await.unwrap();
    wait_until("the suspension is live", async || {
        matches!(meter.debit(&ask(account, 1)).await, Ok(DebitOutcome::Refused(Refusal::Status(Status::Suspended))))
    })
    .await;
}

#[tokio::test]
async fn a_grant_reaches_live_state_and_a_debit_reaches_the_book() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    draw_one(&meter, ada).await;
    wait_book(&book, 9).await;
    suspend(&book, &meter, ada).await;
}

#[tokio::test]
async fn a_shard_serves_only_when_all_that_was_changed_meanwhile_is_live() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    sync.kill();
    let now = book.ledger.book_now().await.unwrap();
    for status in [Status::Suspended, Status::Active].into_iter().cycle().take(1_001) {
        book.ledger.set_status(ada, status, &by(now)).await.unwrap();
    }
    sync.start_to_die_at("serve.opened", 4); // hers is the last of four account shards: the others have nothing to carry
    assert!(sync.died(PATIENCE).await, "{}", sync.log());
    assert_eq!(meter.snapshot(ada).await.unwrap().unwrap().status, Status::Suspended);
}

#[tokio::test]
async fn a_killed_owner_is_followed_by_another_and_nothing_is_lost_or_doubled() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut first = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    wait_remaining(&meter, ada, 100).await;
    for _ in 0..20 {
        draw_one(&meter, ada).await;
    }
    first.kill();
    for _ in 0..20 {
        draw_one(&meter, ada).await; // the shard stays open: what is drawn now waits in the stream
    }
    let second = Sync::start(&redis.url(), &book.url).await;
    for _ in 0..20 {
        draw_one(&meter, ada).await;
    }
    wait_book(&book, 40).await;
    wait_remaining(&meter, ada, 40).await;
    assert_eq!(book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await, 60);
    assert_eq!(second.metric("tollgate_sync_rebuilds_total").await, 0);
}

#[tokio::test]
async fn two_owners_share_the_shards_and_the_one_that_stops_hands_its_own_over() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut first = Sync::start(&redis.url(), &book.url).await;
    let second = Sync::start(&redis.url(), &book.url).await;
    wait_until("each owns half of the shards", async || {
        first.metric("tollgate_sync_shard_certified").await == 4
            && second.metric("tollgate_sync_shard_certified").await == 4
    })
    .await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    first.stop();
    wait_until("the second owns all", async || second.metric("tollgate_sync_shard_certified").await == 8).await;
    draw_one(&meter, ada).await;
    wait_book(&book, 9).await;
}

#[tokio::test]
async fn an_owner_that_slept_through_its_lease_wakes_up_fenced_and_does_no_harm() {
    let (redis, book) = (RedisServer::start(), database().await);
    let sleeper = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    wait_remaining(&meter, ada, 100).await;
    sleeper.signal("STOP");
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    let other = Sync::start_unready(&redis.url(), &book.url, "");
    wait_until("the other owns all", async || other.metric("tollgate_sync_shard_certified").await == 8).await;
    sleeper.signal("CONT");
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    wait_book(&book, 80).await;
    wait_until("they share again", async || sleeper.metric("tollgate_sync_shard_certified").await == 4).await;
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    wait_book(&book, 70).await;
    wait_remaining(&meter, ada, 70).await;
    assert_eq!(book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await, 30);
    assert_eq!(
        other.metric("tollgate_sync_rebuilds_total").await + sleeper.metric("tollgate_sync_rebuilds_total").await,
        0
    );
}

#[tokio::test]
async fn redis_restarted_with_its_file_goes_on_and_restarted_empty_is_built_anew() {
    let (mut redis, book) = (RedisServer::start_with_fsync("always"), database().await);
    let sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    let now = book.ledger.book_now().await.unwrap();
    let new = NewKey {
        name: "laptop".to_owned(),
        mode: KeyMode::Live,
        expires_at: None,
        policy: metering::KeyPolicy::default(),
        random: [7; 32],
    };
    let (key, _) = book.ledger.issue_key(ada, &new, &by(now)).await.unwrap();
    wait_remaining(&meter, ada, 100).await;
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    redis.start_again();
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    assert_eq!(sync.metric("tollgate_sync_rebuilds_total").await, 0);
    wait_book(&book, 80).await;

    redis.start_again_empty();
    for _ in 0..10 {
        draw_one(&meter, ada).await;
    }
    wait_book(&book, 70).await;
    wait_remaining(&meter, ada, 70).await;
    wait_until("the key is known again", async || matches!(meter.find_key(&key.digest()).await, Ok(Some(_)))).await;
    let rebuilds = async || sync.metric("tollgate_sync_rebuilds_total").await;
    wait_until("four shards of accounts and four of keys are built anew", async || rebuilds().await >= 8).await;
    assert_eq!(rebuilds().await, 8, "each once");
}

#[tokio::test]
async fn a_debit_of_unknown_outcome_is_given_back_when_it_happened_and_forgotten_when_it_did_not() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 10).await;
    wait_remaining(&meter, ada, 10).await;
    let happened = ask(ada, 4);
    assert!(matches!(meter.debit(&happened).await, Ok(DebitOutcome::Drawn(_))));
    undo(&meter, &happened).await;
    let never_came = ask(ada, 3);
    undo(&meter, &never_came).await;
    assert!(matches!(meter.debit(&never_came).await, Ok(DebitOutcome::Refused(Refusal::Closed))), "it came after all");
    wait_remaining(&meter, ada, 10).await;
    wait_book(&book, 10).await;
    wait_until("no undo is open", async || book.number("SELECT count(*) FROM undos WHERE state = 'open'").await == 0)
        .await;
    wait_book(&book, 10).await;
    let snapshot = meter.snapshot(ada).await.unwrap().unwrap();
    assert_eq!(snapshot.undos, 0, "debits of this account pay nothing for it any more");
    assert_eq!(book.number("SELECT count(*) FROM entries WHERE kind = 'give_back'").await, 1);
}

#[tokio::test]
async fn a_flushed_script_cache_and_a_flushed_redis_are_noticed_while_idle() {
    let (redis, book) = (RedisServer::start(), database().await);
    let _sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    wait_remaining(&meter, ada, 100).await;
    redis.command(&["SCRIPT", "FLUSH"]);
    draw_one(&meter, ada).await;
    wait_book(&book, 99).await;
    redis.command(&["FLUSHALL"]);
    draw_one(&meter, ada).await;
    wait_book(&book, 98).await;
    wait_remaining(&meter, ada, 98).await;
}

#[tokio::test]
async fn an_account_that_missed_a_change_is_installed_anew() {
    let (redis, book) = (RedisServer::start(), database().await);
    let sync = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100).await;
    wait_remaining(&meter, ada, 100).await;
    wait_book(&book, 100).await;
    draw_one(&meter, ada).await;
    book.execute("UPDATE accounts SET control_version = control_version + 1").await.unwrap(); // a row that never was
    let now = book.ledger.book_now().await.unwrap();
    book.ledger.set_budget(ada, credits(50), &by(now)).await.unwrap();
    wait_until("the budget is live", async || {
        meter.credits(ada).await.is_ok_and(|view| view.budget.is_some_and(|budget| budget.limit == credits(50)))
    })
    .await;
    assert_eq!(sync.metric("tollgate_sync_control_gaps_total").await, 1);
    draw_one(&meter, ada).await;
    wait_book(&book, 98).await;
}

#[tokio::test]
async fn a_hand_over_closes_a_shard_for_a_moment_however_many_events_it_keeps() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut first = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100_000).await;
    wait_remaining(&meter, ada, 100_000).await;
    for _ in 0..24 {
        let asks: Vec<Debit> = (0..500).map(|_| ask(ada, 1)).collect();
        let shard = ada.shard(meter.shard_count().unwrap());
        meter.debit_many(shard, &asks).await.unwrap();
    }
    wait_book(&book, 88_000).await;
    let _second = Sync::start_unready(&redis.url(), &book.url, "");
    first.stop();
    let (mut longest, started) = (Duration::ZERO, Instant::now());
    while started.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        draw_one(&meter, ada).await;
        longest = longest.max(asked.elapsed());
    }
    assert!(longest < Duration::from_secs(1), "a caller had to wait for {longest:?}");
}

#[tokio::test]
async fn an_owner_who_finds_a_long_stream_closes_the_shard_for_its_end_only() {
    let (redis, book) = (RedisServer::start(), database().await);
    let mut first = Sync::start(&redis.url(), &book.url).await;
    let meter = Meter::connect(&redis.url()).await.unwrap();
    let ada = ada(&book, 100_000).await;
    wait_remaining(&meter, ada, 100_000).await;
    first.kill();
    for _ in 0..24 {
        let asks: Vec<Debit> = (0..500).map(|_| ask(ada, 1)).collect();
        meter.debit_many(ada.shard(meter.shard_count().unwrap()), &asks).await.unwrap();
    }
    let _second = Sync::start_unready(&redis.url(), &book.url, "drain.batch_events = 500");
    let (mut longest, mut following) = (Duration::ZERO, None);
    let behind = async || book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await < 12_000;
    while behind().await {
        if following.is_none() && book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await > 0 {
            following = Some(Instant::now());
        }
        let asked = Instant::now();
        draw_one(&meter, ada).await;
        longest = longest.max(asked.elapsed());
    }
    let followed = following.expect("it does not follow all at once").elapsed();
    assert!(longest < followed / 2, "a caller waited for {longest:?} while the book followed for {followed:?}");
}
