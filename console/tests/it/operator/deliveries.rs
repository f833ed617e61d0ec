//! Deliveries of Stripe's: their bodies shown as text, replayed, resolved.

use ledger::stripe::{Delivery, DeliveryState, Parking};
use metering::{AccountId, Status};
use serde_json::json;

use super::{Steps, WHY, audited, is_olgas, latest, operator};
use crate::house::House;

impl House {
    /// A delivery that could not be applied.
    async fn parked(&self, event: &str, body: &[u8], account: AccountId) {
        let now = self.now().await;
        let delivery = Delivery {
            event: event.to_owned(),
            kind: "invoice.paid".to_owned(),
            api_version: Some("<i>2026</i>".to_owned()),
            live: false,
            created: now.minus_ms(5_000),
            body: body.to_vec(),
        };
        self.book.ledger.record_delivery(&delivery, now).await.unwrap();
        let why = Parking::new("amount_mismatch", "paid <b>1</b>, not 2\u{202e}");
        self.book.ledger.park_delivery(event, &why, now).await.unwrap();
        let uuid = account.as_uuid();
        let sql = format!("UPDATE stripe_deliveries SET account_id = '{uuid}' WHERE event = '{event}'");
        self.book.execute(&sql).await.unwrap();
    }

    async fn delivery_state(&self, event: &str) -> DeliveryState {
        self.book.ledger.delivery(event).await.unwrap().unwrap().state
    }
}

#[tokio::test]
async fn a_hostile_body_is_shown_as_text() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let json = br#"{"id":"evt_json","name":"</pre><script>alert(1)</script>\u202e","more":["\u001b[2J"]}"#;
    house.parked("evt_json", json, ann).await;
    house.parked("evt_text", b"no json <img src=x onerror=alert(1)>\x00", ann).await;
    house.parked("evt_bytes", &[0xff, 0x00, 0x3c], ann).await;
    let json = house.get(&olga, "/operator/deliveries/evt_json").await;
    let text = house.get(&olga, "/operator/deliveries/evt_text").await;
    let bytes = house.get(&olga, "/operator/deliveries/evt_bytes").await;
    let list = house.get(&olga, "/operator/deliveries?state=parked").await;
    let account = house.get(&olga, &format!("/operator/accounts/{ann}")).await;
    for page in [&json, &text, &bytes, &list, &account] {
        assert_eq!(page.status, 200, "{page:?}");
        for raw in ["<script>alert", "<img src", "<b>1</b>", "<i>2026", "\u{202e}", "\u{1b}", "\0"] {
            assert!(!page.text.contains(raw), "{raw:?}: {page:?}");
        }
    }
    assert!(json.says("&#60;/pre&#62;&#60;script&#62;alert(1)&#60;/script&#62;\\u{202e}"), "{json:?}");
    assert!(text.says("no json &#60;img src=x onerror=alert(1)&#62;\\u{0}"), "{text:?}");
    assert!(bytes.says("0xff003c"), "{bytes:?}");
    assert!(list.says("amount_mismatch: paid &#60;b&#62;1&#60;/b&#62;, not 2\\u{202e}"), "{list:?}");
    let home = house.get(&olga, "/operator").await;
    assert!(home.says("<span class=\"count some\">3</span> Parked deliveries"), "{home:?}");
}

#[tokio::test]
async fn a_parked_delivery_is_resolved_or_replayed_and_the_audit_says_who_and_why() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let olga = operator(&house).await;
    let steps = Steps { house: &house, operator: &olga };
    house.parked("evt_1", b"{}", ann).await;
    for what in ["resolve", "replay"] {
        steps.insists_on_a_reason(&format!("/operator/deliveries/evt_1/{what}"), &[]).await;
    }
    let to = steps.done("/operator/deliveries/evt_1/resolve", &[("reason", WHY)]).await;
    assert_eq!(to, "/operator/deliveries/evt_1?done=delivery_decided");
    assert_eq!(house.delivery_state("evt_1").await, DeliveryState::Resolved);
    let line = latest(&house, Some(ann), "delivery_resolved").await;
    is_olgas(&line, &json!({ "state": "parked" }), &json!({ "state": "resolved" }));
    let twice = house.form(&olga, "/operator/deliveries/evt_1/resolve", &[("reason", WHY)]).await;
    assert!(twice.status == 422 && twice.says("only a parked one can be resolved"), "{twice:?}");

    let replay = "/operator/deliveries/evt_1/replay";
    let (_, carried) = steps.preview(replay, &[("reason", WHY)]).await;
    steps.confirm(replay, &carried).await.location();
    let audits = audited(&house).await;
    steps.confirm(replay, &carried).await.location();
    assert_eq!(audited(&house).await, audits, "confirmed twice it is replayed once");
    assert_eq!(house.delivery_state("evt_1").await, DeliveryState::Waiting);
    let line = latest(&house, Some(ann), "delivery_replayed").await;
    is_olgas(&line, &json!({ "state": "resolved" }), &json!({ "state": "waiting" }));
    let page = house.get(&olga, "/operator/deliveries/evt_1").await;
    assert!(page.says("delivery replayed") && page.says("olga@example.org"), "{page:?}");
    assert_eq!(house.get(&olga, "/operator/deliveries/evt_2").await.refused_page(), "404 not_found");
}

#[tokio::test]
async fn deliveries_are_narrowed_by_state_type_and_account_and_leafed_through() {
    let house = House::start().await;
    let ann = house.account("Ann", Status::Active, 100).await;
    let bob = house.account("Bob", Status::Active, 100).await;
    let olga = operator(&house).await;
    for number in 0..60 {
        house.parked(&format!("evt_{number:02}"), b"{}", if number % 2 == 0 { ann } else { bob }).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/operator/deliveries?state=parked&limit=25".to_owned();
    loop {
        let page = house.get(&olga, &path).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["event"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/operator/deliveries?state=parked&limit=25&after={next}");
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), sorted.len()), (60, 60), "each once");
    let first = house.get(&olga, "/operator/deliveries?state=parked").await;
    let next =
        first.text.split_once("rel=\"next\" href=\"").unwrap().1.split_once('"').unwrap().0.replace("&#38;", "&");
    let second = house.get(&olga, &next).await;
    assert_eq!(second.text.matches("href=\"/operator/deliveries/evt_").count(), 10, "{next}: {second:?}");
    let of_ann = house.get(&olga, &format!("/api/operator/deliveries?account={ann}&kind=invoice.paid&limit=200")).await;
    assert_eq!(of_ann.json()["items"].as_array().unwrap().len(), 30);
    assert_eq!(house.get(&olga, "/operator/deliveries?state=nonsense").await.refused_page(), "400 bad_request");
    assert_eq!(house.get(&olga, "/api/operator/deliveries?after=x").await.problem(), "400 bad_request");
}
