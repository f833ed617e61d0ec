//! An account with a hundred thousand receipts: what people read of it is found by an index, and few rows are read for it.

use std::time::Instant;

use ledger::{ActivityCursor, ActivityFilter, Day, EntryCursor};
use metering::{AccountId, OpId, Status};

use crate::actors::{DAY, NOON, Operator, Stream, shard_of};

const RECEIPTS: u64 = 100_000;

/// The account, and one in the middle of whose list a page begins; another account of the shard has as many receipts.
async fn scene() -> (Operator, AccountId, Stream) {
    let operator = Operator::arrives().await;
    let account = operator.account(Status::Active).await;
    let other = operator.account_in(shard_of(account)).await;
    let mut stream = Stream::opens(&operator.db, shard_of(account)).await;
    stream.drains(&operator.db).await;
    let (shard, incarnation) = (stream.fence.shard.number, stream.fence.incarnation);
    for (number, whose) in [account, other].into_iter().enumerate() {
        let lot = operator.grants(whose, 1_000_000, 60).await.as_u64();
        let first = 1_000 + RECEIPTS * 2 * u64::try_from(number).unwrap();
        let id = whose.as_uuid();
        // One in twenty is given back a minute later; over two months, with three keys and two routes.
        let plant = format!(
            "WITH debit AS (
                SELECT number, gen_random_uuid() AS op, timestamptz '2025-12-16' + number * interval '30 seconds' AS at,
                       md5((number % 3)::text)::uuid AS key, 'v1.' || CASE number % 2 WHEN 0 THEN 'messages' ELSE 'chat' END AS route
                FROM generate_series(1, {RECEIPTS}) AS number
            ),
            drawn AS (
                INSERT INTO entries (account_id, shard, incarnation, sequence, seq, op, kind, credits, lot_ids, lot_credits, key_id, route,
                                     remaining_after, budget_used_after, occurred_at)
                SELECT '{id}', {shard}, {incarnation}, {first} + number * 2, number * 2, op, 'debit', -5, '{{{lot}}}', '{{-5}}',
                       CASE number % 3 WHEN 0 THEN NULL ELSE key END, route, 7, 5, at
                FROM debit
            )
            INSERT INTO entries (account_id, shard, incarnation, sequence, seq, op, debit_op, kind, credits, lot_ids, lot_credits, occurred_at)
            SELECT '{id}', {shard}, {incarnation}, {first} + number * 2 + 1, number * 2 + 1, gen_random_uuid(), op, 'give_back', 5, '{{{lot}}}', '{{5}}',
                   at + interval '10 seconds'
            FROM debit
            WHERE number % 20 = 0"
        );
        operator.db.execute(&plant).await.unwrap();
    }
    for row in [
        // Changes, deliveries and mails: a few of the account, many of others.
        "INSERT INTO audit (at, actor, action, account_id, subject, before, after, reason)
         SELECT timestamptz '2025-12-16' + number * interval '1 minute', 'olga', 'budget_set',
                CASE number % 10 WHEN 0 THEN '{id}' ELSE md5((number % 500)::text)::uuid END, NULL, '{}', '{}', 'planted'
         FROM generate_series(1, 20000) AS number",
        "INSERT INTO stripe_deliveries (event, kind, live, created_at, body, state, account_id, received_at, next_at, applied_at)
         SELECT 'evt_' || number, 'invoice.paid', false, now(), '', 'applied',
                CASE number % 10 WHEN 0 THEN '{id}' ELSE md5((number % 500)::text)::uuid END,
                timestamptz '2025-12-16' + number * interval '1 minute', now(), now()
         FROM generate_series(1, 20000) AS number",
        "INSERT INTO accounts (account_id, name, shard, status, anchor_day, created_at)
         SELECT md5(number::text)::uuid, 'Company ' || number, 0, 'active', 1, now() FROM generate_series(0, 499) AS number",
        "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at)
         SELECT CASE number % 100 WHEN 0 THEN '{id}' ELSE md5((number % 500)::text) END::uuid, 'a@a.example', 'plan_active', '{}',
                'planted ' || number, timestamptz '2025-12-16' + number * interval '1 minute'
         FROM generate_series(1, 20000) AS number",
        "INSERT INTO usage_days (account_id, day, key_id, route, credits, calls)
         SELECT md5((number % 500)::text)::uuid, date '2025-12-01' + number / 500, NULL, 'v1.chat', 1, 1
         FROM generate_series(0, 49999) AS number",
    ] {
        let row = row.replace("{id}", &account.as_uuid().to_string());
        operator.db.execute(&row).await.unwrap();
    }
    operator.db.execute("UPDATE lots SET granted_at = '2025-12-01'").await.unwrap();
    operator.db.execute(&format!("UPDATE accounts SET seq = {}", RECEIPTS * 2 + 1)).await.unwrap();
    let applied = format!("UPDATE shards SET applied_sequence = 1000000 WHERE kind = 'accounts' AND number = {shard}");
    operator.db.execute(&applied).await.unwrap();
    for table in ["entries", "accounts", "lots", "usage_days", "audit", "stripe_deliveries", "mails", "mail_events"] {
        operator.db.execute(&format!("ANALYZE {table}")).await.unwrap();
    }
    (operator, account, stream)
}

/// Rows that the scans of a plan gave or dropped, over all their loops.
fn rows_read(plan: &str) -> f64 {
    let (mut rows, mut loops) = (0.0, 1.0);
    for line in plan.lines() {
        let after = |word: &str| {
            let (_, rest) = line.split_once(word)?;
            rest.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next()?.parse::<f64>().ok()
        };
        if let Some(of_node) = after("(actual rows=") {
            loops = after(" loops=").unwrap_or(1.0);
            if line.contains("Scan") && !line.contains("CTE Scan") {
                rows += of_node * loops;
            }
        }
        rows += after("Rows Removed by Filter: ").unwrap_or(0.0) * loops;
    }
    rows
}

struct Figures {
    operator: Operator,
    account: AccountId,
    told: Vec<(&'static str, u128, f64)>,
}

impl Figures {
    /// Notes how long a read took at its best, and checks by which indexes it finds its rows and how many it reads, planned for its values and
    /// without them.
    async fn read<T>(
        &mut self,
        what: &'static str,
        statement: &Statement<'_>,
        most: f64,
        mut read: impl AsyncFnMut() -> T,
    ) {
        let mut took_us = u128::MAX;
        for _ in 0..5 {
            let begun = Instant::now();
            read().await;
            took_us = took_us.min(begun.elapsed().as_micros());
        }
        let arguments = statement.arguments.replace("ACCOUNT", &format!("'{}'", self.account.as_uuid()));
        let mut rows = 0.0;
        for blindly in [false, true] {
            let plan = self.operator.db.plan(statement.sql, &arguments, blindly).await;
            for index in statement.indexes {
                assert!(plan.contains(index), "{what} does not use {index}:\n{plan}");
            }
            rows = rows_read(&plan);
            assert!(rows <= most, "{what} reads {rows} rows:\n{plan}");
        }
        self.told.push((what, took_us, rows));
    }
}

/// A read as Postgres knows it.
struct Statement<'a> {
    sql: &'a str,
    /// As SQL writes them; `ACCOUNT` is the account.
    arguments: &'a str,
    indexes: &'a [&'a str],
}

const RECEIPT_INDEXES: [&str; 2] = ["account_id_occurred_at_seq_idx", "debit_op_idx"];

#[tokio::test]
async fn what_people_read_of_a_hundred_thousand_receipts_is_found_by_an_index() {
    let (operator, account, stream) = scene().await;
    let ledger = operator.db.ledger.clone();
    let begun = Instant::now();
    let mut passes: u128 = 1;
    while ledger.count_usage(stream.fence.shard, 20_000, NOON, None).await.unwrap().more {
        passes += 1;
    }
    println!("{passes} passes over 20000 entries at most: {} ms each", begun.elapsed().as_millis() / passes);
    operator.db.execute("ANALYZE usage_days").await.unwrap();
    let mut figures = Figures { operator, account, told: Vec::new() };

    let lines = include_str!("../../queries/receipt_lines.sql");
    let statement = Statement { sql: lines, arguments: "ACCOUNT, NULL, NULL, 50", indexes: &RECEIPT_INDEXES };
    let read = async || ledger.receipt_lines(account, None, 50).await.unwrap();
    figures.read("receipts, first page", &statement, 600.0, read).await;
    let middle = NOON.plus_ms(3 * DAY);
    let cursor: EntryCursor = format!("e{:x}.0", middle.as_u64()).parse().unwrap();
    let arguments = format!("ACCOUNT, to_timestamp({}), 0, 200", middle.as_u64() / 1_000);
    let statement = Statement { sql: lines, arguments: &arguments, indexes: &RECEIPT_INDEXES };
    let read = async || ledger.receipt_lines(account, Some(cursor), 200).await.unwrap();
    figures.read("receipts, a page in the middle", &statement, 2_000.0, read).await;

    let (from, until) = (Day::of(NOON).minus(40), Day::of(NOON).plus(40));
    let usage = ledger.usage(account, from, until).await.unwrap();
    assert_eq!(usage.days.iter().map(|day| day.calls).sum::<u64>(), RECEIPTS / 20 * 19);
    assert_eq!(usage.routes.iter().map(|route| route.credits.get()).sum::<u64>(), RECEIPTS / 20 * 19 * 5);
    let arguments = format!("ACCOUNT, '{from}Z', '{until}Z'");
    let sql = include_str!("../../queries/usage.sql");
    let statement = Statement { sql, arguments: &arguments, indexes: &["usage_days_once"] };
    figures
        .read("usage of 80 days", &statement, 1_000.0, async || ledger.usage(account, from, until).await.unwrap())
        .await;

    let statement =
        Statement { sql: include_str!("../../queries/account_lots.sql"), arguments: "ACCOUNT", indexes: &[] };
    figures
        .read("the account and its lots", &statement, 100.0, async || ledger.account_view(account, NOON).await.unwrap())
        .await;
    reads_a_receipt(&mut figures).await;
    reads_activity(&mut figures).await;
    for (what, took_us, rows) in figures.told {
        println!("{what}: {took_us} us, {rows} rows read");
    }
}

/// One in the middle of all: whatever is before and behind it, what has moved since the last mark is read and no more.
async fn reads_a_receipt(figures: &mut Figures) {
    let (ledger, account) = (figures.operator.db.ledger.clone(), figures.account);
    figures.operator.db.execute("ANALYZE account_marks, lot_marks").await.unwrap();
    let whose = format!("FROM entries WHERE account_id = '{}' AND seq = {RECEIPTS}", account.as_uuid());
    let op: OpId = figures.operator.db.text(&format!("SELECT op::text {whose}")).await.parse().unwrap();
    let receipt = ledger.account_receipt(account, op).await.unwrap().unwrap();
    let half = RECEIPTS / 2 - 1; // debits before it
    let (before, after) = (1_000_000 - (half - half / 20) * 5, 1_000_000 - (half - half / 20) * 5 - 5);
    let (lot, _) = receipt.lots[0];
    assert_eq!((lot.before.get(), lot.after.get()), (before, after));
    let place = figures
        .operator
        .db
        .text(&format!("SELECT concat_ws(', ', quote_literal(occurred_at), entry_id, seq) {whose}"))
        .await;
    let arguments = format!("ACCOUNT, '{{{}}}', {place}", lot.lot.as_u64());
    let statement = Statement {
        sql: include_str!("../../queries/receipt_lots.sql"),
        arguments: &arguments,
        indexes: &["account_id_occurred_at_seq_idx", "account_marks_pkey", "lot_marks_pkey"],
    };
    let read = async || ledger.account_receipt(account, op).await.unwrap();
    figures.read("a receipt in the middle", &statement, 1_100.0, read).await;
}

async fn reads_activity(figures: &mut Figures) {
    let (ledger, account) = (figures.operator.db.ledger.clone(), figures.account);
    let middle = "'2026-01-01'";
    let of_account = include_str!("../../queries/activity_of_account.sql");
    let of_all = include_str!("../../queries/activity_of_all.sql");
    let own = ["audit_by_account", "stripe_deliveries_by_account", "mail_events_by_mail"];
    let all = ["audit_latest", "stripe_deliveries_latest", "mail_events_latest"];
    let cursor: ActivityCursor = "a6474846204000.0.1".parse().unwrap(); // 2026-01-01
    // Of the account no more than it has itself: two thousand changes, two hundred mails.
    for (what, sql, whose, after, indexes, most) in [
        ("activity of the account", of_account, Some(account), None, own, 3_000.0),
        ("activity of the account, in the middle", of_account, Some(account), Some(&cursor), own, 3_000.0),
        ("activity of all", of_all, None, None, all, 800.0),
        ("activity of all, in the middle", of_all, None, Some(&cursor), all, 800.0),
    ] {
        let (whose_sql, place) = (whose.map_or("NULL", |_| "ACCOUNT"), after.map_or("'9999-01-01'", |_| middle));
        let arguments = format!(
            "{whose_sql}, '1970-01-01', '9999-01-01', {place}, 0, {place}, '', {place}, 0, '{{budget_set}}', true, '{{budget_set}}', \
             true, true, 100"
        );
        let statement = Statement { sql, arguments: &arguments, indexes: &indexes };
        let filter = ActivityFilter::default();
        let read = async || ledger.activity(whose, &filter, after, 100).await.unwrap();
        figures.read(what, &statement, most, read).await;
    }
}

#[tokio::test]
async fn a_pass_reads_what_is_new_and_nothing_of_what_is_counted() {
    let (operator, account, stream) = scene().await;
    let (db, ledger) = (&operator.db, &operator.db.ledger);
    while ledger.count_usage(stream.fence.shard, 20_000, NOON, None).await.unwrap().more {}
    let (shard, incarnation) = (stream.fence.shard.number, stream.fence.incarnation);
    let more = format!(
        "INSERT INTO entries (account_id, shard, incarnation, sequence, seq, op, kind, credits, lot_ids, lot_credits, route, occurred_at)
         SELECT '{}', {shard}, {incarnation}, 1000000 + number, 1000000 + number, gen_random_uuid(), 'debit', -5, '{{1}}', '{{-5}}', 'v1.chat',
                '2026-02-01' FROM generate_series(1, 100) AS number",
        account.as_uuid()
    );
    db.execute(&more).await.unwrap();
    db.execute("ANALYZE entries").await.unwrap();
    let statement = concat!(
        include_str!("../../queries/usage_from_stream.sql"),
        include_str!("../../queries/usage_moves.sql"),
        include_str!("../../queries/usage_add.sql"),
    );
    // What is new, and a piece in the middle: no more of it than the piece.
    for (after, most, read) in [(1_000_000, 20_000, 1_000.0), (101_000, 500, 5_000.0)] {
        for blindly in [false, true] {
            let plan = db.plan(statement, &format!("{shard}, {incarnation}, {after}, {most}"), blindly).await;
            assert!(plan.contains("shard_incarnation_sequence_occurred_at_idx"), "{plan}");
            assert!(rows_read(&plan) < read, "{} rows:\n{plan}", rows_read(&plan));
        }
    }
    // Marks are made of what is new, too, and of nothing where there is none.
    let marks = format!("'{{{}}}', 1000, 10, 5000", account.as_uuid());
    let plan = db.plan(include_str!("../../queries/mark_lots.sql"), &marks, true).await;
    assert!(
        rows_read(&plan) < 1_000.0, // the accounts, which are few here
        "{} rows:\n{plan}",
        rows_read(&plan)
    );
    let begun = Instant::now();
    assert!(!ledger.recount_usage(&[account]).await.unwrap().is_empty(), "the passes above did not move the cursor");
    println!("a recount of {RECEIPTS} receipts: {} ms", begun.elapsed().as_millis());
}

#[tokio::test]
async fn accounts_are_searched_by_an_index_each_way() {
    let operator = Operator::arrives().await;
    let (db, ledger) = (&operator.db, &operator.db.ledger);
    let many = "INSERT INTO accounts (account_id, name, email, shard, status, anchor_day, created_at)
                SELECT md5(number::text)::uuid, 'Company ' || md5(number::text), 'p' || number || '@firm' || number % 100 || '.example',
                       0, 'active', 1, now()
                FROM generate_series(1, 20000) AS number";
    db.execute(many).await.unwrap();
    for table in ["accounts", "account_words", "api_keys", "stripe_customers"] {
        db.execute(&format!("ANALYZE {table}")).await.unwrap();
    }
    let statement = include_str!("../../queries/search_accounts.sql");
    for (text, found, most) in [
        ("firm42", 200, 2_000.0),
        // Many have the word: after five thousand of them it goes by id.
        ("company", 50, 6_000.0),
        ("p777", 11, 1_000.0),
        ("p777 firm77", 2, 1_000.0),
        ("nothing", 0, 10.0),
    ] {
        let (limit, mut took_us) = (found.max(50), u128::MAX);
        for _ in 0..3 {
            let begun = Instant::now();
            let page = ledger.search_accounts(text, None, limit).await.unwrap();
            took_us = took_us.min(begun.elapsed().as_micros());
            assert_eq!(page.len(), usize::try_from(found).unwrap(), "{text}");
        }
        let nil = uuid::Uuid::nil();
        let arguments = format!("'{text}', '{nil}', NULL, NULL, '{text}', NULL, {limit}");
        let plan = db.plan(statement, &arguments, false).await;
        println!("'{text}' among 20000 accounts: {took_us} us, {} rows read", rows_read(&plan));
        assert!(rows_read(&plan) <= most, "{text}: {plan}");
    }
}
