//! What is lost with Redis is known to the credit and by account, because gateways write down what they draw: the loss report is what
//! callers were served and the book does not have.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::cli::operator::Operator;
use crate::stack::{Call, Customer, Plan, Stack, Tally, wait_until};

const CALLERS: usize = 4;
const MOMENT: usize = 40;

/// Loses nothing of what the book has, is patient, and asks soon for what was promised.
fn plan() -> Plan {
    Plan {
        appendfsync: "always",
        gateways: 2,
        sync_settings: "lease.duration_ms = 60000\njournal.return_grace_ms = 500",
        ..Plan::default()
    }
}

/// Stops the gateways, so that all of their journals are posted, and waits until nothing waits to be decided.
pub async fn all_is_posted(stack: &mut Stack) {
    for gateway in &mut stack.gateways {
        gateway.program.stop();
    }
    wait_until("every journal is posted", async || {
        stack.book.number("SELECT count(*) FROM journal_runs WHERE NOT ended").await == 0
    })
    .await;
    wait_until("every debit is decided", async || stack.book.number("SELECT count(*) FROM journal_debits").await == 0)
        .await;
}

/// What the report says that a customer got for nothing, over all incidents.
fn reported(stack: &Stack, customer: &Customer) -> u64 {
    let losses = Operator::of(stack).asks(&["losses", "--account", &customer.account.to_string()]).json;
    losses["lost"].as_u64().unwrap()
}

/// The report is what was served and is not in the book, by account; it says that it is exact, and why each incident came.
pub async fn the_report_is_exact(stack: &Stack, served: &[(&Customer, &Tally)]) -> u64 {
    let mut sum = 0;
    for (customer, tally) in served {
        let missing = stack.served_without_debit(tally).await.len() as u64; // each cost one credit
        assert_eq!(reported(stack, customer), missing, "of {} served", tally.served());
        sum += missing;
    }
    let losses = Operator::of(stack).asks(&["losses"]).json;
    assert_eq!(losses["lost"].as_u64(), Some(sum), "{losses}");
    for incident in losses["incidents"].as_array().unwrap() {
        assert_eq!(
            (&incident["losses"]["complete"], &incident["losses"]["final"]),
            (&true.into(), &true.into()),
            "{losses}"
        );
        let id = incident["incident"].to_string();
        let shown = Operator::of(stack).asks(&["incidents", "show", "--incident", &id]).json;
        assert_eq!(shown["losses"], incident["losses"]);
    }
    sum
}

fn incident_kinds(stack: &Stack) -> Vec<String> {
    let said = Operator::of(stack).asks(&["incidents", "list"]).json;
    let kind = |incident: &Value| incident["kind"].as_str().unwrap().to_owned();
    said["incidents"].as_array().unwrap().iter().map(kind).collect()
}

#[tokio::test]
async fn a_redis_flushed_under_load_loses_exactly_what_the_report_says() {
    let mut stack = Stack::with(plan()).await;
    let (ada, bea) = (stack.customer(100_000).await, stack.customer(100_000).await);
    let (of_ada, of_bea) = (stack.load(&ada, CALLERS), stack.load(&bea, CALLERS));
    of_ada.wait_served(MOMENT).await;
    of_bea.wait_served(MOMENT).await;
    // The book falls behind for a moment, so that there is a tail to lose.
    stack.syncs[0].program.signal("STOP");
    of_ada.wait_served(MOMENT).await;
    of_bea.wait_served(MOMENT).await;
    stack.redis.command(&["FLUSHALL"]);
    stack.syncs[0].program.signal("CONT");
    of_ada.wait_served(MOMENT).await;
    of_bea.wait_served(MOMENT).await;
    let (of_ada, of_bea) = (of_ada.stop().await, of_bea.stop().await);
    stack.audit().await;
    all_is_posted(&mut stack).await;
    let lost = the_report_is_exact(&stack, &[(&ada, &of_ada), (&bea, &of_bea)]).await;
    assert!(lost >= 2 * MOMENT as u64, "{lost} were lost");
    assert!(stack.served_without_debit(&of_ada).await.len() >= MOMENT);
}

/// The file that Redis appends to.
pub fn append_only_file(stack: &Stack) -> PathBuf {
    let entries = std::fs::read_dir(stack.redis.directory().join("appendonlydir")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

pub fn length(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

pub fn cut(path: &Path, length: u64) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[tokio::test]
async fn a_tail_that_redis_lost_and_went_on_without_is_reported_to_the_credit() {
    let mut stack = Stack::with(plan()).await;
    let (ada, bea) = (stack.customer(100_000).await, stack.customer(100_000).await);
    let (of_ada, of_bea) = (stack.load(&ada, CALLERS), stack.load(&bea, CALLERS));
    of_ada.wait_served(MOMENT).await;
    let file = append_only_file(&stack);
    stack.syncs[0].program.signal("STOP");
    of_ada.wait_served(10).await; // what was being drained is drained
    let begin = length(&file);
    of_ada.wait_served(2 * MOMENT).await;
    of_bea.wait_served(MOMENT).await;
    stack.redis.kill();
    // Half of what came since then: more than the book has, so live state goes on and nothing is built anew.
    cut(&file, begin + (length(&file) - begin) / 2);
    stack.redis.start_again();
    stack.syncs[0].program.signal("CONT");
    of_ada.wait_served(MOMENT).await;
    of_bea.wait_served(MOMENT).await;
    let (of_ada, of_bea) = (of_ada.stop().await, of_bea.stop().await);
    stack.audit().await;
    all_is_posted(&mut stack).await;
    let lost = the_report_is_exact(&stack, &[(&ada, &of_ada), (&bea, &of_bea)]).await;
    assert!(lost > 0, "half of a tail was lost");
    assert_eq!(stack.rebuilds().await, 0);
    assert!(incident_kinds(&stack).contains(&"tail_lost".to_owned()));
}

#[tokio::test]
async fn a_give_back_that_was_lost_with_the_tail_is_given_all_the_same() {
    let mut stack = Stack::with(plan()).await;
    let ada = stack.customer(100).await;
    let file = append_only_file(&stack);
    let (line, key) = (stack.http.clone(), ada.key.clone());
    let (urls, call) = (stack.urls(), Call::chat().on("hasty").fault("silence"));
    let mut waits = JoinSet::new();
    waits.spawn(async move { call.request(&line, &urls, Some(&key)).send().await.unwrap().status() });
    wait_until("the debit is in the book", async || {
        stack.book.number("SELECT count(*) FROM entries WHERE kind = 'debit'").await == 1
    })
    .await;
    stack.syncs[0].program.signal("STOP");
    let begin = length(&file);
    assert_eq!(waits.join_next().await.unwrap().unwrap().as_u16(), 504, "the credits came back, the caller was told");
    assert!(length(&file) > begin, "they came back after the book was stopped");
    stack.redis.kill();
    cut(&file, begin);
    stack.redis.start_again();
    stack.syncs[0].program.signal("CONT");
    wait_until("it is given again", async || {
        stack.book.number("SELECT count(*) FROM entries WHERE kind = 'give_back'").await == 1
    })
    .await;
    assert_eq!(stack.audit().await.standing(), 0);
    assert_eq!(stack.remaining(&ada).await, 100);
    assert_eq!(stack.syncs[0].program.metric("tollgate_sync_returns_asked_total").await, 1);
    assert_eq!(Operator::of(&stack).asks(&["losses"]).json["debits"], 0, "no debit was lost");
}

#[tokio::test]
async fn the_sum_of_what_was_lost_is_of_all_debits_though_the_latest_thousand_are_shown() {
    let stack = Stack::start().await;
    let ada = stack.customer(100).await;
    stack
        .book
        .execute(&format!(
            "WITH incident AS (
                INSERT INTO incidents (shard_kind, shard, kind, detail) VALUES ('accounts', 0, 'rebuild', '{{\"incarnation\": 2, \"replaced\": 1}}')
                RETURNING incident_id)
            INSERT INTO losses (op, account_id, shard, incarnation, sequence, credits, drawn_at, kept, incident_id)
            SELECT gen_random_uuid(), '{account}', 0, 1, number, 3, now(), CASE WHEN number % 2 = 0 THEN 2 END, incident_id
            FROM incident, generate_series(1, 1001) AS number",
            account = ada.account.as_uuid()
        ))
        .await
        .unwrap();
    let lost = 500 * 2 + 501 * 3; // those that kept two, and those of which it is not known
    let of_ada = Operator::of(&stack).asks(&["losses", "--account", &ada.account.to_string()]).json;
    assert_eq!((of_ada["count"].as_u64(), of_ada["lost"].as_u64()), (Some(1_001), Some(lost)));
    assert_eq!(of_ada["debits"].as_array().unwrap().len(), 1_000);
    let of_all = Operator::of(&stack).asks(&["losses"]).json;
    assert_eq!((of_all["debits"].as_u64(), of_all["lost"].as_u64()), (Some(1_001), Some(lost)));
    assert_eq!(of_all["incidents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_gateways_that_know_the_secret_may_witness() {
    let stack = Stack::start().await;
    let url = &stack.syncs[0].journal;
    let send = async |secret: Option<&str>, body: Vec<u8>| {
        let request = stack.http.post(url).body(body);
        let request = secret.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(send(None, vec![]).await, (401, "unauthorized".to_owned()));
    assert_eq!(send(Some("the-secret-of-somebody-else-entirely!"), vec![]).await.0, 401);
    let right = Some(crate::stack::JOURNAL_SECRET);
    assert_eq!(send(right, vec![]).await, (400, "malformed".to_owned()));
    assert_eq!(send(right, vec![7; 100]).await, (400, "malformed".to_owned()));
    assert_eq!(send(right, vec![0; (1 << 20) + 1]).await, (413, "too_large".to_owned()));
}
