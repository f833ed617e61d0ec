//! Disputes.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;

/// How long there is to answer a dispute.
const ANSWER_S: i64 = 9 * 86_400;

pub fn dispute(world: &World, charge: &Value, amount: i64, reason: &str) -> Value {
    json!({
        "id": ids::fresh(Kind::Dispute),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [money(world, charge, -amount, "Chargeback withdrawal")],
        "charge": charge["id"],
        "created": world.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": evidence(),
        "evidence_details": {
            "due_by": world.now() + ANSWER_S,
            "enhanced_eligibility": {},
            "has_evidence": false,
            "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": false,
        "livemode": world.live,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    })
}

/// The money of a dispute, taken or given back.
pub fn money(world: &World, charge: &Value, amount: i64, description: &str) -> Value {
    json!({
        "id": ids::part("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": world.now(),
        "balance_type": "payments",
        "created": world.now(),
        "currency": charge["currency"],
        "description": description,
        "exchange_rate": null,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute",
        "source": charge["id"],
        "status": "available",
        "type": "adjustment",
    })
}

fn evidence() -> Value {
    let empty = [
        "access_activity_log",
        "billing_address",
        "cancellation_policy",
        "cancellation_policy_disclosure",
        "cancellation_rebuttal",
        "customer_communication",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
        "customer_signature",
        "duplicate_charge_documentation",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
        "product_description",
        "receipt",
        "refund_policy",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
        "service_date",
        "service_documentation",
        "shipping_address",
        "shipping_carrier",
        "shipping_date",
        "shipping_documentation",
        "shipping_tracking_number",
        "uncategorized_file",
        "uncategorized_text",
    ];
    with_nulls(json!({ "enhanced_evidence": {} }), &empty)
}
