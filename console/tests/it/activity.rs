//! The activity page: what happened in words, by kind and by days, page by page, and as a file for spreadsheets.

use metering::{AccountId, Status};
use reqwest::Method;
use serde_json::Value;

use crate::house::{House, Person, by, credits};

const API: &str = "/api/billing/activity";

/// An account to which something of each kind has happened.
async fn lived(house: &House) -> Person {
    let account = house.account("Ann", Status::Active, 12_000).await;
    let ledger = &house.book.ledger;
    let now = house.now().await;
    ledger.set_budget(account, credits(800), &by(now)).await.unwrap();
    house.key(account, "ci").await;
    ledger.set_status(account, Status::Suspended, &by(now)).await.unwrap();
    let id = account.as_uuid();
    for sql in [
        format!(
            "INSERT INTO stripe_deliveries (event, kind, live, created_at, received_at, next_at, body, account_id, state, applied_at) \
             VALUES ('evt_1', 'invoice.paid', false, now(), now(), now(), '{{}}', '{id}', 'applied', now())"
        ),
        format!(
            "INSERT INTO mails (account_id, kind, address, detail, dedupe_key, queued_at) \
             VALUES ('{id}', 'low_balance', 'ann@example.org', '{{}}', 'x', now())"
        ),
    ] {
        house.book.execute(&sql).await.unwrap();
    }
    house.person(account, "member")
}

async fn said(house: &House, person: &Person, query: &str) -> Vec<String> {
    let list = house.get(person, &format!("{API}{query}")).await.json();
    let items = list["items"].as_array().unwrap_or_else(|| panic!("{list}"));
    items.iter().map(|line| line["says"].as_str().unwrap().replace('\u{202f}', " ")).collect()
}

#[tokio::test]
async fn whatever_happened_is_told_in_words_to_anybody_of_the_account_and_to_nobody_else() {
    let house = House::start().await;
    let ann = lived(&house).await;
    let page = house.get(&ann, "/activity").await;
    let text = page.text.replace('\u{202f}', " ");
    for words in [
        "Budget set from no cap to 800 credits",
        "Lot of 12 000 Team credits granted",
        "API key “ci” made",
        "Status set from Active to Suspended",
        "Stripe: invoice.paid",
        "Mail “low balance”: queued",
        "Account made, active",
    ] {
        assert!(text.contains(words), "{words}: {page:?}");
    }
    let line = &house.get(&ann, &format!("{API}?kind=budget")).await.json()["items"][0];
    assert_eq!(
        (&line["what"], &line["actor"], &line["reason"]),
        (&"budget_set".into(), &"a story".into(), &"it begins so".into())
    );
    assert_eq!((&line["before"]["limit"], &line["after"]["limit"]), (&0.into(), &800.into()));
    let other = house.person(house.account("Eve", Status::Active, 0).await, "billing_owner");
    assert_eq!(said(&house, &other, "").await, ["Account made, active"]);
}

#[tokio::test]
async fn lines_are_found_by_kind_and_by_days_and_page_by_page() {
    let house = House::start().await;
    let ann = lived(&house).await;
    assert_eq!(said(&house, &ann, "?kind=key,budget").await.len(), 2);
    assert_eq!(said(&house, &ann, "?kind=mail").await, ["Mail “low balance”: queued, to ann@example.org"]);
    let all = said(&house, &ann, "").await;
    let today = ledger::Day::of(house.now().await);
    assert_eq!(said(&house, &ann, &format!("?from={today}&to={today}")).await.len(), all.len());
    assert!(said(&house, &ann, &format!("?to={}", today.minus(1))).await.is_empty());
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = house.get(&ann, &format!("{API}?limit=2{after}")).await.json();
        paged.extend(page["items"].as_array().unwrap().iter().map(|line| line["says"].clone()));
        let Value::String(next) = &page["next"] else { break };
        after = format!("&after={next}");
    }
    assert_eq!(paged.len(), all.len(), "each once: {paged:?}");
    assert_eq!(house.get(&ann, &format!("{API}?kind=money")).await.problem(), "400 bad_request");
    let wrong = house.get(&ann, "/activity?from=yesterday").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.says("from: a day is written as 2026-11-26"), "the page says what it can't read: {wrong:?}");
    assert!(house.get(&ann, "/activity?kind=session").await.says("Nothing like this has happened."));
}

#[tokio::test]
async fn a_file_has_the_same_lines_and_no_formula() {
    let house = House::start().await;
    let ann = lived(&house).await;
    let reason = ledger::By { reason: "=HYPERLINK(\"https://evil.example\")".to_owned(), ..by(house.now().await) };
    house.book.ledger.set_status(ann.account, Status::Active, &reason).await.unwrap();
    let file = house.get(&ann, "/activity.csv?kind=status").await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let name = format!("attachment; filename=\"activity-{}.csv\"", ledger::Day::of(house.now().await));
    assert_eq!(
        (file.header("content-disposition"), file.header("cache-control")),
        (Some(name.as_str()), Some("no-store"))
    );
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let lines: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(lines.len(), 3, "{file:?}");
    assert_eq!(&lines[0][2], "Status set from Suspended to Active");
    assert_eq!(&lines[0][6], "'=HYPERLINK(\"https://evil.example\")");
    assert_eq!(house.get(&ann, "/activity.csv?kind=x").await.refused_page(), "400 bad_request");
    assert_eq!(house.ask(Method::GET, "/activity.csv").send().await.refused_page(), "401 session_missing");
}

#[tokio::test]
async fn a_file_ends_after_ten_thousand_lines_and_says_so() {
    let house = House::start().await;
    let account = house.account("Ann", Status::Active, 0).await;
    let ann = house.person(account, "member");
    plant_budgets(&house, account, 9_999).await; // and one line that the account was made
    let whole = house.get(&ann, "/activity.csv").await;
    assert_eq!(whole.text.lines().count(), 1 + 10_000);
    assert!(!whole.text.contains("There are more"), "that is all there is");
    plant_budgets(&house, account, 1).await;
    let cut = house.get(&ann, "/activity.csv").await;
    assert_eq!(cut.text.lines().count(), 1 + 10_000 + 1);
    assert!(cut.text.lines().last().unwrap().contains("There are more than 10 000 lines"));
}

async fn plant_budgets(house: &House, account: AccountId, count: u32) {
    let account = account.as_uuid();
    let sql = format!(
        "INSERT INTO audit (at, actor, action, account_id, before, after, reason) \
         SELECT now() + number * interval '1 ms', 'ann', 'budget_set', '{account}', '{{\"limit\":0}}', '{{\"limit\":40}}', 'more' \
         FROM generate_series(1, {count}) AS number"
    );
    assert_eq!(house.book.execute(&sql).await.unwrap(), u64::from(count));
}
