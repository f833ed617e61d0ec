//! The same by the API: a reason with each write, the same checks, once under one key.

use metering::Status;
use reqwest::Method;
use serde_json::{Value, json};

use super::{WHY, audited, in_days, is_olgas, latest, operator};
use crate::house::{House, by};

/// As programs write an instant.
async fn instant_in(house: &House, days: u64) -> String {
    format!("{}:00Z", in_days(house, days).await.0)
}

#[tokio::test]
async fn every_write_wants_a_reason_and_does_nothing_without() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let lot = house.book.ledger.account_view(ann, house.now().await).await.unwrap().lots[0].lot;
    let olga = operator(&house).await;
    let (end, of) = (instant_in(&house, 9).await, format!("/api/operator/accounts/{ann}"));
    let writes = [
        (format!("{of}/lots"), json!({ "credits": 5, "product": "x", "expires_at": end })),
        (format!("{of}/lots/{lot}/expiry"), json!({ "expires_at": end })),
        (format!("{of}/lots/{lot}/void"), json!({})),
        (format!("{of}/lots/{lot}/reduction"), json!({ "credits": 5 })),
        (format!("{of}/status"), json!({ "action": "suspend" })),
        (format!("{of}/rebuild"), json!({})),
        ("/api/operator/dead-letters/s000/1-1/retry".to_owned(), json!({})),
        ("/api/operator/dead-letters/s000/1-1/discard".to_owned(), json!({})),
        ("/api/operator/deliveries/evt_1/replay".to_owned(), json!({})),
        ("/api/operator/deliveries/evt_1/resolve".to_owned(), json!({})),
        ("/api/operator/mails/1/resend".to_owned(), json!({})),
        ("/api/operator/suppressions".to_owned(), json!({ "address": "ann@example.org" })),
        ("/api/operator/suppressions/release".to_owned(), json!({ "address": "ann@example.org" })),
        ("/api/operator/reconcile".to_owned(), json!({ "repair": true })),
    ];
    let audits = audited(&house).await;
    for (path, body) in writes {
        for reason in [Value::Null, json!(""), json!("  "), json!("x".repeat(501)), json!(7)] {
            let mut body = body.clone();
            if !reason.is_null() {
                body["reason"] = reason.clone();
            }
            let refused = house.post(&olga, &path, &body).await;
            assert_eq!(refused.problem(), "422 invalid", "{path} {body}");
        }
    }
    assert_eq!(audited(&house).await, audits, "nothing was changed");
}

#[tokio::test]
async fn a_grant_under_one_key_is_granted_once_and_answered_the_same() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 0).await;
    let olga = operator(&house).await;
    let path = format!("/api/operator/accounts/{ann}/lots");
    let body =
        json!({ "credits": 40, "product": "Goodwill", "expires_at": instant_in(&house, 9).await, "reason": WHY });
    let grant = async |key: &str, body: &Value| {
        house.ask(Method::POST, &path).of(&olga).header("idempotency-key", key).json(body).send().await
    };
    let first = grant("k1", &body).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = grant("k1", &body).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    let mut other = body.clone();
    other["credits"] = json!(41);
    assert_eq!(grant("k1", &other).await.problem(), "422 idempotency_key_reused");
    assert_eq!(grant("a b", &body).await.problem(), "400 idempotency_key_unsound");
    assert_ne!(grant("k2", &body).await.text, first.text, "another key, another lot");
    let lots = house.get(&olga, &format!("{path}?limit=1")).await.json();
    assert_eq!((lots["items"].as_array().unwrap().len(), &lots["items"][0]["lot"]), (1, &first.json()["lot"]));
    let rest = house.get(&olga, &format!("{path}?after={}", lots["next"].as_str().unwrap())).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    is_olgas(&latest(&house, Some(ann), "lot_granted").await, &Value::Null, &json!({ "credits": 40 }));
    for (field, value) in [
        ("credits", json!(0)),
        ("credits", json!(-1)),
        ("credits", json!(9_007_199_254_740_992_u64)),
        ("product", json!("")),
        ("expires_at", json!("2020-01-01T00:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("surplus", json!(1)),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value.clone();
        assert_eq!(house.post(&olga, &path, &wrong).await.problem(), "422 invalid", "{field} {value}");
    }
}

#[tokio::test]
async fn lots_and_status_are_changed_only_from_what_was_seen() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let lot = house.book.ledger.account_view(ann, house.now().await).await.unwrap().lots.remove(0);
    let of = format!("/api/operator/accounts/{ann}");
    let (end, seen) = (instant_in(&house, 9).await, house.get(&olga, &format!("{of}/lots")).await.json());
    let expiry = seen["items"][0]["expires_at"].clone();
    let path = format!("{of}/lots/{}/expiry", lot.lot);
    let stale = json!({ "expires_at": end, "seen": "2020-01-01T00:00:00Z", "reason": WHY });
    assert_eq!(house.post(&olga, &path, &stale).await.problem(), "412 changed_meanwhile");
    let moved = house.post(&olga, &path, &json!({ "expires_at": end, "seen": expiry, "reason": WHY })).await;
    assert!(moved.status == 200 && moved.json()["control_version"].is_u64(), "{moved:?}");
    let taken = format!("{of}/lots/{}/reduction", lot.lot);
    assert_eq!(house.post(&olga, &taken, &json!({ "credits": 101, "reason": WHY })).await.problem(), "422 invalid");
    assert_eq!(house.post(&olga, &taken, &json!({ "credits": 100, "reason": WHY })).await.status, 200);
    is_olgas(
        &latest(&house, Some(ann), "lot_reduced").await,
        &json!({ "remaining": 100 }),
        &json!({ "takes_at_most": 100 }),
    );
    assert_eq!(house.post(&olga, &format!("{of}/lots/{}/void", lot.lot), &json!({ "reason": WHY })).await.status, 200);
    let twice = house.post(&olga, &format!("{of}/lots/{}/void", lot.lot), &json!({ "reason": WHY })).await;
    assert_eq!(twice.problem(), "422 invalid");

    let status = format!("{of}/status");
    let stale = json!({ "action": "suspend", "seen": "trial", "reason": WHY });
    assert_eq!(house.post(&olga, &status, &stale).await.problem(), "412 changed_meanwhile");
    let set = house.post(&olga, &status, &json!({ "action": "suspend", "seen": "active", "reason": WHY })).await;
    assert_eq!(set.json(), json!({ "before": "active", "after": "suspended" }));
    let twice = house.post(&olga, &status, &json!({ "action": "suspend", "reason": WHY })).await;
    assert_eq!(twice.problem(), "409 status_unchanged");
    assert_eq!(house.post(&olga, &status, &json!({ "action": "close", "reason": WHY })).await.problem(), "422 invalid");
    let shown = house.get(&olga, &of).await.json();
    assert_eq!((&shown["status"], &shown["name"]), (&json!("suspended"), &json!("Ann")));
}

#[tokio::test]
async fn what_waits_is_counted_and_an_account_is_shown_whole() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let waits = house.get(&olga, "/api/operator/attention").await.json();
    for kind in ["dead_letters", "decisions", "parked_deliveries", "mails_failed", "mails_unknown", "incidents"] {
        assert_eq!(waits[kind], 0, "{kind}");
    }
    house.book.ledger.link_customer(ann, "cus_ann", None, &by(house.now().await)).await.unwrap();
    let whole = house.get(&olga, &format!("/api/operator/accounts/{ann}")).await.json();
    assert_eq!((&whole["stripe_customer"], &whole["remaining"]), (&json!("cus_ann"), &json!(100)));
    assert_eq!((&whole["notices"]["low_balance"], &whole["source"]), (&json!(true), &json!("book")));
    let receipts = house.get(&olga, &format!("/api/operator/accounts/{ann}/receipts")).await.json();
    assert_eq!(receipts, json!({ "items": [], "next": null }));
    let nobody = "/api/operator/accounts/acct_00000000000000000000000000000001";
    for path in ["", "/lots", "/receipts"] {
        assert_eq!(house.get(&olga, &format!("{nobody}{path}")).await.problem(), "404 account_not_found");
    }
}
