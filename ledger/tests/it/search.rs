//! Accounts are found by whatever somebody knows of them.

use ledger::{Ledger, NewAccount};
use metering::{AccountId, BudgetAnchor, Status};

use crate::actors::{NOON, Operator, by};

async fn makes(operator: &Operator, name: &str, email: Option<&str>) -> AccountId {
    let (name, email) = (name.to_owned(), email.map(str::to_owned));
    let new = NewAccount { name, email, status: Status::Active, anchor: BudgetAnchor::FIRST };
    operator.db.ledger.create_account(&new, &by(NOON)).await.unwrap()
}

async fn finds(ledger: &Ledger, text: &str) -> Vec<AccountId> {
    ledger.search_accounts(text, None, 50).await.unwrap().into_iter().map(|found| found.account).collect()
}

#[tokio::test]
async fn an_account_is_found_by_its_name_its_address_its_id_its_keys_and_its_customer() {
    let operator = Operator::arrives().await;
    let ledger = &operator.db.ledger;
    let ada = makes(&operator, "Ada Lovelace & Co. KG", Some("ada@engine.example")).await;
    let bob = makes(&operator, "Bob's Café (東京支店)", None).await;
    let (secret, key) = operator.issues(bob, "ci", 1).await;
    let customer = format!(
        "INSERT INTO stripe_customers (customer, account_id, linked_at) VALUES ('cus_Ab_1', '{}', now())",
        ada.as_uuid()
    );
    operator.db.execute(&customer).await.unwrap();
    let (ada_id, bob_uuid, key_id) = (ada.to_string(), bob.as_uuid().to_string(), key.to_string());
    for text in ["ada", " ADA  love ", "love ada", "kg", "ada@engine.example", "engine", &ada_id, "cus_Ab_1"] {
        assert_eq!(finds(ledger, text).await, [ada], "{text}");
    }
    for text in ["bob", "café", "東京", "(東京支店)", &bob_uuid, &key_id, secret.display_prefix(), secret.reveal()]
    {
        assert_eq!(finds(ledger, text).await, [bob], "{text}");
    }
    for text in [
        "", "  ", "&", "(", ":*", "' | '", "ovelace", "ada bob", "cus_ab_1", "cus_Ab", "tg_live_", "%", "lot_1", "\\",
        "a\u{1}",
    ] {
        assert_eq!(finds(ledger, text).await, [], "{text:?}");
    }
    for text in ["x".repeat(401), "a\0".to_owned()] {
        assert_eq!(ledger.search_accounts(&text, None, 50).await.unwrap_err().code(), "invalid");
    }
}

#[tokio::test]
async fn a_name_or_an_address_that_changes_is_found_as_it_is_now() {
    let operator = Operator::arrives().await;
    let account = makes(&operator, "Old Name", Some("old@a.example")).await;
    operator.db.execute("UPDATE accounts SET name = 'New Name', email = NULL").await.unwrap();
    let ledger = &operator.db.ledger;
    assert_eq!((finds(ledger, "old").await, finds(ledger, "new").await), (vec![], vec![account]));
}

#[tokio::test]
async fn pages_of_what_is_found_follow_each_other_in_order_of_id() {
    let operator = Operator::arrives().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(makes(&operator, &format!("Acme {number}"), Some("acme@acme.example")).await);
    }
    makes(&operator, "Other", None).await;
    made.sort_unstable();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = operator.db.ledger.search_accounts("acme", after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.account);
        seen.extend(page.iter().map(|found| found.account));
    }
    assert_eq!(seen, made);
}
