//! A delivery's envelope: small structs of our own for the fields we act on, so that newer and older shapes are read alike.

use ledger::stripe::Delivery;
use metering::TimeMs;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Where a whole id of Stripe's always fits, as in the book.
const ID_BYTES_MAX: usize = 255;
/// Types have about forty letters.
const KIND_BYTES_MAX: usize = 100;
const VERSION_BYTES_MAX: usize = 100;

/// One event. What it is about stays JSON until it is known what is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    /// Its type, as `invoice.paid`.
    pub kind: String,
    pub created: TimeMs,
    pub live: bool,
    /// Whose shapes the object has. Never judged: what we act on is looked for in every shape we know.
    pub api_version: Option<String>,
    pub object: Value,
    /// What of the object was different before.
    pub previous: Value,
}

/// Signed, and yet no event that can be stored. Says what is missing, never what was there.
#[derive(Debug, Error)]
#[error("the delivery is no event: {why}")]
pub struct Unreadable {
    why: &'static str,
    #[source]
    source: Option<serde_json::Error>,
}

impl Unreadable {
    /// A stable word for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "event_unreadable"
    }

    const fn because(why: &'static str) -> Self {
        Self { why, source: None }
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: u64,
    livemode: bool,
    api_version: Option<String>,
    data: Content,
}

#[derive(Deserialize)]
struct Content {
    object: Value,
    #[serde(default)]
    previous_attributes: Value,
}

/// Reads an event. Fields, types and versions that nobody knows yet are no reason to refuse it.
pub fn parse(body: &[u8]) -> Result<Event, Unreadable> {
    let envelope: Envelope = serde_json::from_slice(body)
        .map_err(|error| Unreadable { why: "it is no JSON of that shape", source: Some(error) })?;
    if !is_name(&envelope.id, ID_BYTES_MAX) {
        return Err(Unreadable::because("its id is no id"));
    }
    if !is_name(&envelope.kind, KIND_BYTES_MAX) {
        return Err(Unreadable::because("its type is no type"));
    }
    if envelope.api_version.as_ref().is_some_and(|version| !is_name(version, VERSION_BYTES_MAX)) {
        return Err(Unreadable::because("its API version is no version"));
    }
    if !envelope.data.object.is_object() {
        return Err(Unreadable::because("it is about no object"));
    }
    Ok(Event {
        id: envelope.id,
        kind: envelope.kind,
        created: TimeMs::new(envelope.created.saturating_mul(1000)),
        live: envelope.livemode,
        api_version: envelope.api_version,
        object: envelope.data.object,
        previous: envelope.data.previous_attributes,
    })
}

impl Event {
    /// What the book keeps of it, with the bytes as they came.
    #[must_use]
    pub fn delivery(&self, body: Vec<u8>) -> Delivery {
        Delivery {
            event: self.id.clone(),
            kind: self.kind.clone(),
            api_version: self.api_version.clone(),
            live: self.live,
            created: self.created,
            body,
        }
    }
}

/// Letters, digits and marks that can stand in a log, a table and a command line.
pub(crate) fn is_name(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn envelope() -> Value {
        json!({
            "id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1_764_115_200, "livemode": false,
            "api_version": "2026-09-30.endive", "pending_webhooks": 1,
            "data": { "object": { "id": "in_1" }, "previous_attributes": { "status": "open" } },
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<Event, Unreadable> {
        let mut event = envelope();
        change(&mut event);
        parse(event.to_string().as_bytes())
    }

    fn why(change: impl FnOnce(&mut Value)) -> &'static str {
        with(change).expect_err("no event").why
    }

    #[test]
    fn an_event_is_what_stripe_wrote() {
        let wanted = Event {
            id: "evt_1".into(),
            kind: "invoice.paid".into(),
            created: TimeMs::new(1_764_115_200_000),
            live: false,
            api_version: Some("2026-09-30.endive".into()),
            object: json!({ "id": "in_1" }),
            previous: json!({ "status": "open" }),
        };
        let event = with(|_| {}).unwrap();
        assert_eq!(event, wanted);
        let delivery = event.delivery(b"raw".to_vec());
        let expected = Delivery {
            event: "evt_1".into(),
            kind: "invoice.paid".into(),
            api_version: Some("2026-09-30.endive".into()),
            live: false,
            created: TimeMs::new(1_764_115_200_000),
            body: b"raw".to_vec(),
        };
        assert_eq!(delivery, expected);
    }

    #[test]
    fn versions_types_and_fields_that_nobody_knows_yet_are_taken() {
        let event = with(|event| {
            event["api_version"] = json!("2031-01-01.zucchini");
            event["type"] = json!("something.new");
            event["whatever"] = json!({ "deep": [1, 2.5, null] });
            event["livemode"] = json!(true);
        })
        .unwrap();
        assert!(event.live);
        assert_eq!(event.kind, "something.new");
        assert_eq!(with(|event| event["api_version"] = Value::Null).unwrap().api_version, None);
        let without = |field: &'static str| with(move |event| drop(event.as_object_mut().unwrap().remove(field)));
        assert_eq!(without("api_version").unwrap().api_version, None);
        let plain = with(|event| drop(event["data"].as_object_mut().unwrap().remove("previous_attributes"))).unwrap();
        assert_eq!(plain.previous, Value::Null);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for field in ["id", "type", "created", "livemode", "data"] {
            assert!(with(|event| drop(event.as_object_mut().unwrap().remove(field))).is_err(), "{field}");
        }
        assert_eq!(why(|event| event["id"] = json!("")), "its id is no id");
        assert_eq!(why(|event| event["id"] = json!("evt 1")), "its id is no id");
        assert_eq!(why(|event| event["id"] = json!("evt_\u{0}")), "its id is no id");
        assert_eq!(why(|event| event["id"] = json!("e".repeat(256))), "its id is no id");
        assert_eq!(why(|event| event["type"] = json!("")), "its type is no type");
        assert_eq!(why(|event| event["type"] = json!("t".repeat(101))), "its type is no type");
        assert_eq!(why(|event| event["api_version"] = json!("a b")), "its API version is no version");
        assert_eq!(why(|event| event["data"]["object"] = json!("in_1")), "it is about no object");
        assert_eq!(why(|event| event["data"]["object"] = Value::Null), "it is about no object");
        let deep = "[".repeat(200_000);
        for body in [&b""[..], b"[]", b"null", b"{}", b"{\"id\":", b"\xff\xfe", deep.as_bytes()] {
            assert_eq!(parse(body).expect_err("no event").code(), "event_unreadable");
        }
        assert!(with(|event| event["created"] = json!(-1)).is_err());
        assert!(with(|event| event["livemode"] = json!("false")).is_err());
    }

    #[test]
    fn what_stands_at_a_limit_is_taken() {
        assert!(with(|event| event["id"] = json!("e".repeat(255))).is_ok());
        assert!(with(|event| event["type"] = json!("t".repeat(100))).is_ok());
        assert!(with(|event| event["api_version"] = json!("v".repeat(100))).is_ok());
        assert!(with(|event| event["created"] = json!(u64::MAX)).is_ok());
    }
}
