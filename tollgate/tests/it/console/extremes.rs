//! Names of two hundred letters, nothing at all, and the largest numbers there are: on every page, wide and narrow.

use ledger::NewAccount;
use metering::{BudgetAnchor, Status};

use super::house;
use super::reach::pages_of;
use crate::browser::{Browser, Scripts};
use crate::stack::{Customer, Role, Stack, by};

/// One short of what a credit amount may be, since two lots must add up to one.
const HUGE: u64 = 9_007_199_254_740_990;

async fn account(stack: &Stack, name: &str, status: Status) -> Customer {
    let new = NewAccount { name: name.to_owned(), email: None, status, anchor: BudgetAnchor::FIRST };
    let account = stack.book.ledger.create_account(&new, &by(stack.now().await)).await.unwrap();
    let (key, key_id) = stack.issue_key(account).await;
    Customer { account, key, key_id }
}

/// Mails, incidents, letters and deliveries whose words are as long as they can be, without a blank in them; the pages that show one each.
pub async fn long_words(stack: &Stack, customer: &Customer) -> Vec<String> {
    let (word, address) = ("x".repeat(250), format!("{}@{}.example", "a".repeat(64), "b".repeat(63)));
    let account = customer.account.as_uuid();
    for sql in [
        format!(
            "INSERT INTO mails (account_id, address, kind, detail, dedupe_key, queued_at, state, addresses, last_error) VALUES \
             ('{account}', '{address}', 'low_balance', '{{}}', 'long', now(), 'bounced', ARRAY['{address}'], '{word}')"
        ),
        format!(
            "INSERT INTO mail_events (mail_id, what, address, code, detail, provider, provider_event, at, recorded_at) \
             SELECT mail_id, 'bounced', '{address}', '{word}', repeat('y', 2000), 'generic', '{word}', now(), now() FROM mails"
        ),
        format!(
            "INSERT INTO mail_suppressions VALUES ('{address}', 'bounced', repeat('y', 2000), NULL, '{word}', now())"
        ),
        format!(
            "INSERT INTO incidents (shard_kind, shard, kind, detail) VALUES ('accounts', 0, 'shortfall', '{{\"why\": \"{word}\"}}')"
        ),
        format!(
            "INSERT INTO dead_letters (shard, incarnation, sequence, bytes, reason) \
             VALUES (0, 9007199254740991, 9007199254740991, convert_to(repeat('z', 2000), 'UTF8'), '{word}')"
        ),
        format!(
            "INSERT INTO stripe_deliveries (event, kind, live, created_at, body, state, parked_code, parked_detail, account_id, received_at, \
             next_at, applied_at) VALUES ('evt_{word}', 'invoice.{}', false, now(), convert_to('{{\"a\": \"{word}\"}}', 'UTF8'), \
             'parked', 'invalid', repeat('y', 2000), '{account}', now(), now(), now())",
            "k".repeat(240)
        ),
    ] {
        stack.book.execute(&sql).await.unwrap();
    }
    let mail = stack.book.number("SELECT max(mail_id) FROM mails").await;
    let incident = stack.book.number("SELECT max(incident_id) FROM incidents").await;
    let shown = ["", "/resend"].map(|more| format!("/operator/mails/{mail}{more}"));
    let letters = ["", "/retry", "/discard"]
        .map(|more| format!("/operator/letters/s000/9007199254740991-9007199254740991{more}"));
    let deliveries = ["", "/replay", "/resolve"].map(|more| format!("/operator/deliveries/evt_{word}{more}"));
    let others = [
        format!("/operator/incidents/{incident}"),
        format!("/operator/suppressions/{address}/release"),
        "/operator/suppress".to_owned(),
    ];
    [&shown[..], &letters, &deliveries, &others].concat()
}

#[tokio::test]
async fn pages_hold_nothing_and_the_most_there_can_be_without_scrolling_sideways() {
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let stack = house().await;
    let empty = account(&stack, "Nobody", Status::Pending).await;
    let full = account(&stack, &"Wolfeschlegelsteinhausenbergerdorff".repeat(5), Status::Active).await;
    stack.grant(full.account, HUGE, 86_400_000 * 365 * 90).await;
    stack.grant(full.account, 1, 86_400_000).await;
    stack.set_budget(full.account, HUGE + 1).await;
    stack.wait_carried().await;
    let long = long_words(&stack, &full).await;
    browser.signs_in(&stack, &full, Role::BillingOwner, "/billing").await;
    assert_eq!(browser.value_of("Remaining").await, "9 007 199 254 740 991");
    assert_eq!(browser.value_of("Budget limit").await, "9 007 199 254 740 991 credits");
    let mut found = Vec::new();
    for customer in [&empty, &full] {
        browser.signs_in(&stack, customer, Role::Operator, "/billing").await;
        for path in pages_of(&stack, customer).await.into_iter().chain(long.iter().cloned()) {
            browser.narrow().await;
            browser.goes_to(&stack, &path).await;
            found.extend(browser.too_wide().await.into_iter().map(|element| format!("{path}, narrow: {element}")));
            browser.wide().await;
            found.extend(browser.too_wide().await.into_iter().map(|element| format!("{path}, wide: {element}")));
        }
    }
    assert!(found.is_empty(), "must be scrolled sideways:\n{found:#?}");
}
