//! Bytes of chance: whatever is delivered, nothing panics, and nothing that was not signed is believed.

use metering::TimeMs;
use payments::{Plans, Secrets, TOLERANCE, parse, verify};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::Value;

const SECRET: &str = "whsec_8f4c1d2e9ab07356c4f1e2d3a4b5c6d7e8f90a1b";
const NOW: TimeMs = TimeMs::new(1_764_115_260_000);
const EVENTS: [&str; 4] = [
    include_str!("../fixtures/events/invoice_paid.json"),
    include_str!("../fixtures/events/checkout_session_completed.json"),
    include_str!("../fixtures/events/subscription_updated.json"),
    include_str!("../fixtures/events/charge_refunded_2020.json"),
];

fn secrets() -> Secrets {
    Secrets::new(&[SecretString::from(SECRET)]).unwrap()
}

/// Reads a delivery to its end, whatever it says.
fn read(body: &[u8]) {
    let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
    if let Ok(event) = parse(body) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(payments::read(&event, &plans, None, NOW)).unwrap();
    }
}

/// Puts another value in the place of the `at`-th one, counted through the whole.
fn replace(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, at, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, at, with)),
        _ => {}
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,300}".prop_map(Value::from),
        Just(serde_json::json!([])),
        Just(serde_json::json!({ "id": "x" })),
        Just(serde_json::json!([{ "amount": i64::MIN, "quantity": u64::MAX }])),
    ]
}

proptest! {
    #[test]
    fn no_header_of_chance_is_believed(header in any::<String>(), body in any::<Vec<u8>>()) {
        prop_assert!(verify(&header, &body, &secrets(), NOW, TOLERANCE).is_err());
    }

    #[test]
    fn no_header_that_looks_like_one_is_believed(
        time in "[0-9]{0,14}", hex in "[0-9a-f]{0,70}", more in "(,[tv][0-9]{0,3}=[0-9a-f]{0,64}){0,4}", body in any::<Vec<u8>>(),
    ) {
        let header = format!("t={time},v1={hex}{more}");
        prop_assert!(verify(&header, &body, &secrets(), NOW, TOLERANCE).is_err());
    }

    #[test]
    fn no_body_of_chance_panics(body in any::<Vec<u8>>()) {
        read(&body);
    }

    #[test]
    fn no_event_with_something_odd_in_it_panics(which in 0..EVENTS.len(), places in prop::collection::vec((0_usize..300, any_value()), 1..5)) {
        let mut event: Value = serde_json::from_str(EVENTS[which]).unwrap();
        for (place, with) in places {
            replace(&mut event, &mut place.clone(), &with);
        }
        read(event.to_string().as_bytes());
    }
}
