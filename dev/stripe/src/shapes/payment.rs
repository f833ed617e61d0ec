//! Payment intents, charges and refunds.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;

/// What is to be paid, and by whom.
#[derive(Default)]
pub struct Due {
    pub amount: i64,
    pub currency: String,
    pub customer: Option<String>,
    pub email: Option<String>,
    pub description: Option<String>,
    pub metadata: Value,
}

pub fn intent(world: &World, due: &Due) -> Value {
    let id = ids::fresh(Kind::PaymentIntent);
    let metadata = if due.metadata.is_object() { due.metadata.clone() } else { json!({}) };
    let document = json!({
        "client_secret": format!("{id}_secret_{}", ids::part("")),
        "id": id,
        "object": "payment_intent",
        "amount": due.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": due.currency,
        "customer": due.customer,
        "description": due.description,
        "livemode": world.live,
        "metadata": metadata,
        "payment_method_options": { "card": {
            "installments": null,
            "mandate_options": null,
            "network": null,
            "request_three_d_secure": "automatic",
        } },
        "payment_method_types": ["card"],
        "receipt_email": due.email,
        "status": "requires_payment_method",
    });
    let empty = [
        "application",
        "application_fee_amount",
        "automatic_payment_methods",
        "canceled_at",
        "cancellation_reason",
        "customer_account",
        "last_payment_error",
        "latest_charge",
        "next_action",
        "on_behalf_of",
        "payment_method",
        "processing",
        "review",
        "setup_future_usage",
        "shipping",
        "source",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ];
    with_nulls(document, &empty)
}

/// A charge of an intent by a card: it went through, or it didn't.
pub fn charge(world: &World, intent: &Value, payment_method: &Value, paid: bool) -> Value {
    let id = ids::fresh(Kind::Charge);
    let amount = intent["amount"].clone();
    let document = json!({
        "receipt_url": paid.then(|| format!("{}/receipt/{id}", world.base)),
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": if paid { amount.clone() } else { json!(0) },
        "amount_refunded": 0,
        "balance_transaction": paid.then(|| ids::part("txn_")),
        "billing_details": payment_method["billing_details"],
        "calculated_statement_descriptor": "PRETEND",
        "captured": paid,
        "created": world.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": false,
        "failure_code": if paid { None } else { Some("card_declined") },
        "failure_message": if paid { None } else { Some("Your card was declined.") },
        "fraud_details": {},
        "livemode": world.live,
        "metadata": intent["metadata"],
        "outcome": outcome(paid),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": payment_method["id"],
        "payment_method_details": { "card": card_details(intent, payment_method), "type": "card" },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "refunded": false,
        "status": if paid { "succeeded" } else { "failed" },
    });
    let empty = [
        "application",
        "application_fee",
        "application_fee_amount",
        "failure_balance_transaction",
        "on_behalf_of",
        "receipt_number",
        "review",
        "shipping",
        "source",
        "source_transfer",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    ];
    with_nulls(document, &empty)
}

fn outcome(paid: bool) -> Value {
    json!({
        "advice_code": if paid { None } else { Some("try_again_later") },
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": if paid { "approved_by_network" } else { "declined_by_network" },
        "reason": if paid { None } else { Some("generic_decline") },
        "risk_level": "normal",
        "risk_score": 7,
        "seller_message": if paid { "Payment complete." } else { "The bank did not return any further details." },
        "type": if paid { "authorized" } else { "issuer_declined" },
    })
}

fn card_details(intent: &Value, payment_method: &Value) -> Value {
    let card = &payment_method["card"];
    json!({
        "amount_authorized": intent["amount"],
        "authorization_code": null,
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": { "status": "disabled" },
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": { "status": "unavailable" },
        "installments": null,
        "last4": card["last4"],
        "mandate": null,
        "multicapture": { "status": "unavailable" },
        "network": "visa",
        "network_token": { "used": false },
        "network_transaction_id": null,
        "overcapture": { "maximum_amount_capturable": intent["amount"], "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": null,
        "wallet": null,
    })
}

pub fn refund(world: &World, charge: &Value, amount: i64, reason: Option<&str>) -> Value {
    json!({
        "id": ids::fresh(Kind::Refund),
        "object": "refund",
        "amount": amount,
        "balance_transaction": ids::part("txn_"),
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "destination_details": { "card": {
            "reference": null,
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }, "type": "card" },
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    })
}
