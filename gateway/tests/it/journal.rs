//! The journal: what was drawn, given back and refused is written beside Redis and posted, whatever dies; and no request waits for it.

use std::time::Duration;

use metering::Status;
use metering::journal::{DebitEnded, Record};
use serde_json::json;

use crate::house::witness::Witness;
use crate::house::{House, bearer, until};

fn drawn(records: &[Record]) -> usize {
    records.iter().filter(|record| matches!(record, Record::Drawn(_))).count()
}

fn ended(records: &[Record]) -> Vec<DebitEnded> {
    let ended = records.iter().filter_map(|record| match record {
        Record::Ended(ended) => Some(*ended),
        _ => None,
    });
    ended.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_drawn_given_back_and_refused_is_posted_and_holds_no_secret() {
    let witness = Witness::start(true).await;
    let mut house = House::start_with(&witness.settings("")).await;
    let account = house.account(Status::Active, 2).await;
    let served = house.message(&account, "").await;
    let given_back = house.message(&account, "status=500").await;
    let lines = [("Authorization", &*bearer(&account.key)), ("Batch-Size", "6")];
    let refused = house.gateway.send("POST", "/v1/batch?hidden=query", &lines, "{}").await;
    assert_eq!((served.status, given_back.status, refused.status), (200, 500, 402));
    let records = witness.until("five records came", |records| records.len() >= 5).await;

    let of = |answer: &crate::house::Answer| answer.header("Request-Id").unwrap().to_owned();
    let ends = ended(&records);
    let end = |op: &str| *ends.iter().find(|end| end.op.to_string() == op).unwrap();
    let (paid, back) = (end(&of(&served)), end(&of(&given_back)));
    assert_eq!((paid.kept.get(), paid.credits.get(), paid.upstream_status), (1, 1, Some(200)));
    assert!(paid.answer_bytes > 0 && !paid.hold, "{paid:?}");
    assert_eq!((back.kept.get(), back.credits.get(), back.upstream_status), (0, 1, Some(500)));
    for end in &ends {
        let draw = records.iter().find_map(|record| match record {
            Record::Drawn(drawn) if drawn.op == end.op => Some(*drawn),
            _ => None,
        });
        let draw = draw.expect("each that ended was drawn");
        assert_eq!((draw.account, draw.event, draw.credits), (account.id, end.event, end.credits));
    }
    let refusal = records.iter().find_map(|record| match record {
        Record::Refused(refused) => Some(refused),
        _ => None,
    });
    let refusal = refusal.expect("the refusal is there");
    assert_eq!((refusal.request.to_string(), refusal.code.as_str()), (of(&refused), "credits_exhausted"));
    assert_eq!((refusal.account, refusal.key), (Some(account.id), Some(account.key_image.key)));
    assert_eq!((&refusal.detail, refusal.price.unwrap().get()), (&json!({ "remaining": 1, "price": 6 }), 6));
    assert_eq!(refusal.route.as_deref(), Some("batch"));
    for post in witness.posts() {
        let text = String::from_utf8_lossy(&post.bytes).into_owned();
        assert!(!text.contains("hidden") && !text.contains("/v1/") && !text.contains("tg_"), "{text}");
        assert!(!text.contains(&account.key.reveal()[14..30]), "{text}");
    }
    until("it says how far it is", || witness.posts().iter().any(|post| post.head.whole_until_ms_ago.is_some())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_has_lost_nothing_that_it_wrote_and_the_next_one_posts_it() {
    let witness = Witness::start(false).await;
    let mut house = House::start_with(&witness.settings("file_bytes_max = 4096")).await;
    let account = house.account(Status::Active, 100).await;
    for _ in 0..30 {
        assert_eq!(house.message(&account, "").await.status, 200);
    }
    let written = "tollgate_gateway_journal_records_total";
    while house.gateway.metric(written).await < 60 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(witness.posts().is_empty(), "ledger-sync is away");
    house.gateway.is_killed_and_started_again();
    house.gateway.until_ready().await;
    assert_eq!(house.message(&account, "").await.status, 200);
    witness.takes_from_now_on();
    let records = witness.until("all of both runs came", |records| drawn(records) >= 31).await;
    assert_eq!((drawn(&records), ended(&records).len() >= 30), (31, true));
    until("the first run is over", || witness.posts().iter().any(|post| post.head.ended)).await;
    let posts = witness.posts();
    let over = posts.iter().find(|post| post.head.ended).unwrap().head.run;
    let of_the_dead = posts.iter().filter(|post| post.head.run == over);
    assert_eq!(of_the_dead.map(|post| drawn(&post.records)).sum::<usize>(), 30);
    assert!(posts.iter().any(|post| post.head.run != over));
    let left = || std::fs::read_dir(house.gateway.directory().join("journal")).unwrap().count();
    until("only the lock and the open file of the living are left", || left() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_stopped_posts_all_and_says_that_it_was_all() {
    let witness = Witness::start(true).await;
    let mut house = House::start_with(&witness.settings("post_ms = 60000")).await;
    let account = house.account(Status::Active, 10).await;
    assert_eq!(house.message(&account, "").await.status, 200);
    assert!(witness.posts().is_empty(), "it would wait a minute");
    house.gateway.signal("TERM");
    assert!(house.gateway.until_gone(Duration::from_secs(15)).await.expect("it stops").success());
    let posts = witness.posts();
    assert_eq!((drawn(&witness.records()), ended(&witness.records()).len()), (1, 1));
    assert!(posts.last().unwrap().head.ended, "{posts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_to_write_requests_go_on_and_what_is_missing_is_counted() {
    let witness = Witness::start(true).await;
    let mut house = House::start_with(&witness.settings("directory = \"/proc/nowhere/journal\"")).await;
    let account = house.account(Status::Active, 10).await;
    for _ in 0..3 {
        assert_eq!(house.message(&account, "").await.status, 200);
    }
    while house.gateway.metric("tollgate_gateway_journal_missed_total").await < 6 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(house.gateway.log().contains("the journal can't be written"), "{}", house.gateway.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_journal_fails_no_request_and_says_later_that_it_has_a_gap() {
    let witness = Witness::start(false).await;
    let mut house = House::start_with(&witness.settings("file_bytes_max = 4096\nbytes_max = 8192")).await;
    let account = house.account(Status::Active, 200).await;
    for _ in 0..60 {
        assert_eq!(house.message(&account, "").await.status, 200);
    }
    // Each request has two records, written or missed.
    let count = async |name: &str| house.gateway.metric(&format!("tollgate_gateway_journal_{name}_total")).await;
    while count("records").await + count("missed").await < 120 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let missed = count("missed").await;
    assert!(missed > 0, "sixty requests do not fit into 8 KiB");
    witness.takes_from_now_on();
    let gaps = |records: &[Record]| -> u64 {
        let gaps = records.iter().map(|record| if let Record::Gap(gap) = record { gap.records } else { 0 });
        gaps.sum()
    };
    let records = witness.until("all that is missing is told", |records| gaps(records) >= missed).await;
    assert_eq!(gaps(&records), missed);
    assert_eq!(house.message(&account, "").await.status, 200);
    let before = drawn(&records);
    witness.until("there is room again", |records| drawn(records) > before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_is_counted_and_does_not_fill_the_disk() {
    let witness = Witness::start(true).await;
    let mut house = House::start_with(&witness.settings("refusals_a_second = 2")).await;
    let account = house.account(Status::Active, 0).await;
    for _ in 0..40 {
        assert_eq!(house.message(&account, "").await.status, 402);
    }
    let left_out = house.gateway.metric("tollgate_gateway_journal_refusals_left_out_total").await;
    let refused = |records: &[Record]| records.iter().filter(|record| matches!(record, Record::Refused(_))).count();
    let expected = 40 - usize::try_from(left_out).unwrap();
    let records = witness.until("those within the rate came", |records| refused(records) >= expected).await;
    assert_eq!(refused(&records), expected);
    assert!(left_out > 0 && expected >= 2, "{left_out} were left out");
    assert_eq!(house.gateway.metric("tollgate_gateway_journal_missed_total").await, 0, "left out is not missed");
}
