//! The schema: made once, checked by every service.

use ledger::LedgerError;
use ledger::testing::database;
use metering::ShardCount;

use crate::actors::{DAY, NOON};

fn shards(count: u16) -> ShardCount {
    ShardCount::new(count).unwrap()
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_another_shard_count_is_refused() {
    let db = database().await;
    let again = db.ledger.migrate(shards(4), NOON).await.unwrap();
    assert!(!again.created);
    assert_eq!(db.number("SELECT count(*) FROM shards").await, 8, "four of accounts, four of keys");
    let other = db.ledger.migrate(shards(5), NOON).await.unwrap_err();
    assert_eq!(other.code(), "shard_count_differs");
    assert_eq!(db.number("SELECT count(*) FROM shards").await, 8);
}

#[tokio::test]
async fn a_service_is_told_that_the_schema_is_missing_old_or_of_another_release() {
    let db = database().await;
    assert_eq!(db.ledger.check_schema(None).await.unwrap(), shards(4));
    assert_eq!(db.ledger.check_schema(Some(shards(4))).await.unwrap(), shards(4));
    assert_eq!(db.ledger.check_schema(Some(shards(16))).await.unwrap_err().code(), "shard_count_differs");

    db.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 7").await.unwrap();
    assert_eq!(db.ledger.check_schema(None).await.unwrap_err().code(), "schema_foreign");
    db.execute("DELETE FROM _sqlx_migrations WHERE version > 5").await.unwrap();
    let old = db.ledger.check_schema(None).await.unwrap_err();
    assert!(matches!(old, LedgerError::SchemaOld { found: 5, .. }), "{old}");
    db.execute("DROP TABLE _sqlx_migrations").await.unwrap();
    assert_eq!(db.ledger.check_schema(None).await.unwrap_err().code(), "schema_missing");
}

#[tokio::test]
async fn a_changed_migration_is_another_release() {
    let db = database().await;
    db.execute("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 3").await.unwrap();
    assert_eq!(db.ledger.migrate(shards(4), NOON).await.unwrap_err().code(), "schema_foreign");
}

#[tokio::test]
async fn partitions_are_made_ahead_once() {
    let db = database().await;
    let summer = NOON.plus_ms(180 * DAY);
    assert!(db.ledger.ensure_partitions(summer).await.unwrap());
    assert!(!db.ledger.ensure_partitions(summer).await.unwrap());
    assert_eq!(
        db.number(
            "SELECT count(*) FROM pg_class WHERE relname IN ('entries_2026_07', 'entries_2026_08', 'entries_2026_09')"
        )
        .await,
        3
    );
}

#[tokio::test]
async fn a_partition_that_has_grown_is_counted_and_a_small_one_waits() {
    let db = database().await;
    let grant = "INSERT INTO entries (account_id, shard, kind, credits, lot_ids, lot_credits, occurred_at) \
                 SELECT gen_random_uuid(), 0, 'grant', 1, '{1}', '{1}', '2026-01-15' FROM generate_series(1, ";
    let counted = async || {
        db.number("SELECT count(*) FROM pg_class WHERE relname LIKE 'entries_20__\\___' AND reltuples > 0").await
    };
    db.execute(&format!("{grant} 10)")).await.unwrap();
    db.ledger.analyze_young_partitions().await.unwrap();
    assert_eq!(counted().await, 0, "ten rows say nothing about a month");
    db.execute(&format!("{grant} 10000)")).await.unwrap();
    db.ledger.analyze_young_partitions().await.unwrap();
    assert_eq!(counted().await, 1);
}

#[tokio::test]
async fn owners_that_start_at_the_same_moment_make_a_partition_once() {
    let db = database().await;
    for month in 1..20 {
        let then = NOON.plus_ms((200 + month * 93) * DAY);
        let (first, second, third) = tokio::join!(
            db.ledger.ensure_partitions(then),
            db.ledger.ensure_partitions(then),
            db.ledger.ensure_partitions(then)
        );
        for made in [first, second, third] {
            made.unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_apart_from_a_refusal() {
    let settings =
        ledger::PoolSettings { acquire_timeout: std::time::Duration::from_millis(300), ..Default::default() };
    let nobody = ledger::Ledger::open("postgres://nobody@127.0.0.1:1/none", settings).unwrap();
    let away = nobody.ping().await.unwrap_err();
    assert_eq!(away.code(), "book_unavailable");
    assert!(away.is_passing());
    assert!(ledger::Ledger::open("127.0.0.1", settings).is_err());
}
