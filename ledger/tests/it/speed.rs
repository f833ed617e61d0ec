//! How fast batches reach the book. Ignored by default: figures are read, not asserted.
//! `cargo test --workspace --test it -- --ignored --nocapture speed::`

use std::time::Instant;

use metering::{AccountId, LotId, OpId, Shard, ShardKind};
use uuid::Uuid;

use crate::actors::{Operator, Stream};

const SHARD: Shard = Shard { kind: ShardKind::Accounts, number: 0 };
const BATCH: usize = 2_000;

/// Accounts with two lots each, made in bulk.
async fn accounts(operator: &Operator, count: usize) -> Vec<(AccountId, LotId)> {
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let mut made = Vec::new();
    for id in ids {
        let insert = format!(
            "WITH account AS (INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at) \
             VALUES ('{id}', 'fast', 0, 'active', 1, now()) RETURNING account_id), \
             old AS (INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version) \
             SELECT account_id, 0, 'p', 1000000, 1000000, '2026-01-01', '2027-01-01', 1 FROM account) \
             INSERT INTO lots (account_id, shard, product, original, remaining, granted_at, expires_at, control_version) \
             SELECT account_id, 0, 'p', 1000000, 1000000, '2026-01-01', '2027-01-01', 1 FROM account RETURNING lot_id"
        );
        let lot = u64::try_from(operator.db.number(&insert).await).unwrap();
        made.push((AccountId::from_uuid(id), LotId::new(lot).unwrap()));
    }
    made
}

async fn records(accounts_count: usize) {
    let operator = Operator::arrives().await;
    let accounts = accounts(&operator, accounts_count).await;
    let mut stream = Stream::opens(&operator.db, SHARD).await;
    stream.drains(&operator.db).await;
    let (mut rows, mut spent) = (0, std::time::Duration::ZERO);
    for round in 0..20 {
        for number in 0..BATCH {
            let (account, lot) = accounts[(number * 7 + round) % accounts.len()];
            stream.debits(account, OpId::from_uuid(Uuid::now_v7()), &[(lot, 1)]);
        }
        let begun = Instant::now();
        stream.drains(&operator.db).await;
        if round > 0 {
            rows += BATCH;
            spent += begun.elapsed();
        }
    }
    let micros = spent.as_micros() / u128::try_from(rows).unwrap();
    println!("{accounts_count} accounts, batches of {BATCH}: {rows} rows in {spent:?}, {micros} us a row");
}

#[tokio::test]
#[ignore = "a measurement"]
async fn debits_of_one_account() {
    records(1).await;
}

#[tokio::test]
#[ignore = "a measurement"]
async fn debits_of_a_thousand_accounts() {
    records(1_000).await;
}

#[tokio::test]
#[ignore = "a measurement"]
async fn images_of_a_shard() {
    let operator = Operator::arrives().await;
    accounts(&operator, 5_000).await;
    let stream = Stream::opens(&operator.db, SHARD).await;
    let (mut after, mut images, begun) = (None, 0, Instant::now());
    loop {
        let page = operator.db.ledger.prepare_install(stream.fence, after, 1_000, &[], stream.at).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.account);
        images += page.len();
    }
    println!("{images} images in {:?}", begun.elapsed());
}
