//! What the pure parts cost that each request or each event goes through: `cargo bench --workspace --bench pure`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use metering::{AccountId, ApiKey, BudgetAnchor, EventId, KeyMode, ShardCount, StreamEntry, TimeMs, lots};
use uuid::Uuid;

const EVENT: EventId = EventId { incarnation: 7, sequence: 12 };
const HEX: &str = "0192f0c1a2b37d4e8f90123456789abc";
/// 2026-11-26T12:00:00Z.
const NOW: TimeMs = TimeMs::new(1_795_694_400_000);

fn a_request(bench: &mut Criterion) {
    let key = ApiKey::generate(KeyMode::Live, [7; 32]);
    let text = key.reveal().to_owned();
    bench.bench_function("key: read and checked", |each| each.iter(|| ApiKey::parse(black_box(&text))));
    bench.bench_function("key: digest", |each| each.iter(|| black_box(&key).digest()));
    let (account, shards) = (AccountId::from_uuid(Uuid::from_u128(5)), ShardCount::new(64).expect("a power of two"));
    bench.bench_function("account: its shard", |each| each.iter(|| black_box(&account).shard(shards)));
}

fn an_event(bench: &mut Criterion) {
    let debit = format!("{HEX};{HEX};4711:1;{HEX};v1.messages;12 {0} 1 {0} 99 1", NOW.as_u64());
    let fields = [(b"debit".to_vec(), debit.into_bytes())];
    let read = || StreamEntry::read(EVENT, fields.to_vec());
    assert!(read().event.is_ok(), "{:?}", read().event);
    bench.bench_function("event: a debit is read", |each| each.iter(|| black_box(read())));
    let entry = read();
    bench.bench_function("event: its bytes for the book", |each| each.iter(|| black_box(&entry).write()));
    bench.bench_function("split: of three lots", |each| each.iter(|| lots::read(black_box("4711:1,4712:250,4713:9"))));
}

fn a_budget(bench: &mut Criterion) {
    let anchor = BudgetAnchor::FIRST;
    bench.bench_function("budget: the end of a period", |each| each.iter(|| anchor.period_end(black_box(NOW))));
}

criterion_group!(pure, a_request, an_event, a_budget);
criterion_main!(pure);
