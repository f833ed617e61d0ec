//! Deliveries as Stripe signs them, and events to put into them.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A body and its lines of `Stripe-Signature`.
#[derive(Clone, Debug)]
pub struct Signed {
    pub body: Vec<u8>,
    pub headers: Vec<String>,
}

#[expect(clippy::disallowed_methods, reason = "Stripe signs by the real clock, and so does its double")]
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Signed now.
pub fn sign_now(secret: &str, body: &[u8]) -> Signed {
    sign(secret, body, now_s())
}

/// Signed at a time of your choice.
pub fn sign(secret: &str, body: &[u8], at_s: u64) -> Signed {
    let header = format!("t={at_s},v1={}", digest(secret, body, at_s));
    Signed { body: body.to_vec(), headers: vec![header] }
}

fn digest(secret: &str, body: &[u8], at_s: u64) -> String {
    let mut hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hash.update(format!("{at_s}.").as_bytes());
    hash.update(body);
    let tag = hash.finalize().into_bytes();
    tag.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// An event of test mode.
pub fn event(id: &str, kind: &str, object: &Value) -> Value {
    json!({
        "id": id, "object": "event", "type": kind, "created": now_s(), "livemode": false,
        "api_version": "2026-09-30.endive", "data": { "object": object },
        "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null },
    })
}

/// An event of a type that nobody acts on.
pub fn plain(id: &str) -> Value {
    event(id, "payout.created", &json!({ "id": "po_1", "object": "payout" }))
}

/// A refund of a payment that the book has never heard of.
pub fn stray_refund(id: &str) -> Value {
    let charge = json!({
        "id": "ch_stray", "object": "charge", "amount": 1000, "amount_refunded": 1000, "currency": "usd",
        "customer": "cus_stray", "payment_intent": "pi_stray", "refunded": true, "livemode": false,
    });
    event(id, "charge.refunded", &charge)
}

/// A subscription of a customer that no account has.
pub fn stray_subscription(id: &str) -> Value {
    let subscription = json!({
        "id": "sub_stray", "object": "subscription", "customer": "cus_stray", "status": "active", "metadata": {},
        "cancel_at_period_end": false, "trial_end": null, "livemode": false,
        "items": { "object": "list", "data": [{
            "id": "si_1", "object": "subscription_item", "quantity": 1, "current_period_start": now_s(),
            "current_period_end": now_s() + 2_592_000, "price": { "id": "price_tollgate_team", "object": "price" },
        }] },
    });
    event(id, "customer.subscription.created", &subscription)
}
