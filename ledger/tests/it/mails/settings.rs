//! What an account wants to be told: chosen by a version, audited, and held to what an address can be.

use ledger::mails::{NoticeSettings, SuppressionReason};
use metering::{AccountId, Status};
use uuid::Uuid;

use crate::actors::{NOON, Operator, by};

#[tokio::test]
async fn whoever_changes_what_was_changed_meanwhile_is_refused() {
    let operator = Operator::arrives().await;
    let (book, ada) = (&operator.db.ledger, operator.account(Status::Active).await);
    let first = book.notice_settings(ada).await.unwrap();
    assert_eq!(first, NoticeSettings { low_balance: true, lifecycle: true, recipients: vec![], version: 0 });
    let wanted = NoticeSettings { lifecycle: false, recipients: vec!["a@b.example".to_owned()], ..first };
    let second = book.set_notice_settings(ada, &wanted, Some(0), &by(NOON)).await.unwrap();
    assert_eq!(second, NoticeSettings { version: 1, ..wanted.clone() });
    assert_eq!(book.notice_settings(ada).await.unwrap(), second);
    let off = NoticeSettings { low_balance: false, ..wanted };
    let refused = book.set_notice_settings(ada, &off, Some(0), &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "notice_settings_changed");
    assert_eq!(book.notice_settings(ada).await.unwrap(), second);
    assert_eq!(book.set_notice_settings(ada, &off, Some(1), &by(NOON)).await.unwrap().version, 2);
    assert_eq!(book.set_notice_settings(ada, &off, Some(2), &by(NOON)).await.unwrap().version, 2, "nothing changed");
    let audit = "SELECT string_agg(concat(before->>'version', '>', after->>'version', ' ', after->>'low_balance'), ', ' ORDER BY audit_id) \
                 FROM audit WHERE action = 'notice_settings_set'";
    assert_eq!(operator.db.text(audit).await, "0>1 true, 1>2 false");
}

#[tokio::test]
async fn recipients_are_addresses_and_few_and_different() {
    let operator = Operator::arrives().await;
    let (book, ada) = (&operator.db.ledger, operator.account(Status::Active).await);
    let of = |recipients: Vec<String>| NoticeSettings { recipients, ..NoticeSettings::default() };
    let ten = (0..10).map(|number| format!("a{number}@b.example")).collect::<Vec<_>>();
    let eleven = ten.iter().cloned().chain(["x@b.example".to_owned()]).collect();
    let twice = vec!["a@b.example".to_owned(), "A@B.example".to_owned()];
    for bad in [vec!["a@b\r\nBcc: c@d".to_owned()], vec![String::new()], eleven, twice] {
        let refused = book.set_notice_settings(ada, &of(bad), None, &by(NOON)).await.unwrap_err();
        assert_eq!(refused.code(), "address_invalid");
    }
    assert_eq!(book.set_notice_settings(ada, &of(ten), None, &by(NOON)).await.unwrap().version, 1);
    let nobody = AccountId::from_uuid(Uuid::from_u128(7));
    assert_eq!(book.notice_settings(nobody).await.unwrap_err().code(), "account_not_found");
    let refused = book.set_notice_settings(nobody, &of(vec![]), None, &by(NOON)).await.unwrap_err();
    assert_eq!(refused.code(), "account_not_found");
}

#[tokio::test]
async fn an_address_is_put_on_the_list_once_and_taken_out_by_whoever_says_why() {
    let operator = Operator::arrives().await;
    let book = &operator.db.ledger;
    assert!(book.suppress("Eve@Example.com", SuppressionReason::Operator, &by(NOON)).await.unwrap());
    assert!(!book.suppress("eve@example.com", SuppressionReason::Complained, &by(NOON)).await.unwrap());
    assert!(book.suppress("ada@example.com", SuppressionReason::Operator, &by(NOON)).await.unwrap());
    let list = book.suppressions(None, 10).await.unwrap();
    let addresses: Vec<&str> = list.iter().map(|row| row.address.as_str()).collect();
    assert_eq!(addresses, ["ada@example.com", "eve@example.com"]);
    assert_eq!((list[1].reason, list[1].actor.as_str(), list[1].at), (SuppressionReason::Operator, "olga", NOON));
    assert_eq!(book.suppressions(Some("ada@example.com"), 10).await.unwrap(), list[1..]);
    let asked = ["EVE@example.com".to_owned(), "x@y".to_owned()];
    assert_eq!(book.suppressed_among(&asked).await.unwrap(), list[1..]);
    book.unsuppress("EVE@example.com", &by(NOON)).await.unwrap();
    assert_eq!(book.unsuppress("eve@example.com", &by(NOON)).await.unwrap_err().code(), "suppression_not_found");
    assert_eq!(
        book.suppress("no address", SuppressionReason::Operator, &by(NOON)).await.unwrap_err().code(),
        "address_invalid"
    );
    let audit =
        "SELECT string_agg(action || ' ' || subject, ', ' ORDER BY audit_id) FROM audit WHERE action LIKE 'address%'";
    let told =
        "address_suppressed eve@example.com, address_suppressed ada@example.com, address_unsuppressed eve@example.com";
    assert_eq!(operator.db.text(audit).await, told);
}
