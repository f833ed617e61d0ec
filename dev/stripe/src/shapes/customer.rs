//! Customers and their cards.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;

/// The cards that a customer can have, told apart by their last four digits as Stripe's test cards are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// Pays.
    #[default]
    Good,
    /// Can be saved, and is declined.
    Failing,
    /// Pays while its owner is there; else it waits for them.
    NeedsAction,
}

impl Card {
    pub fn last4(self) -> &'static str {
        match self {
            Card::Good => "4242",
            Card::Failing => "0341",
            Card::NeedsAction => "3184",
        }
    }

    pub fn of(payment_method: &Value) -> Card {
        match payment_method["card"]["last4"].as_str() {
            Some("0341") => Card::Failing,
            Some("3184") => Card::NeedsAction,
            _ => Card::Good,
        }
    }
}

pub fn customer(world: &World, email: Option<&str>, name: Option<&str>) -> Value {
    let id = ids::fresh(Kind::Customer);
    let prefix = id[id.len() - 8..].to_uppercase();
    let document = json!({
        "id": id,
        "object": "customer",
        "balance": 0,
        "created": world.now(),
        "delinquent": false,
        "email": email,
        "invoice_prefix": prefix,
        "invoice_settings":
            { "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null },
        "livemode": world.live,
        "metadata": {},
        "name": name,
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    });
    let empty = ["address", "currency", "default_source", "description", "discount", "phone", "shipping", "test_clock"];
    with_nulls(document, &empty)
}

pub fn address() -> Value {
    json!({ "city": null, "country": "DE", "line1": null, "line2": null, "postal_code": null, "state": null })
}

pub fn billing_details(email: Option<&str>) -> Value {
    json!({ "address": address(), "email": email, "name": null, "phone": null, "tax_id": null })
}

pub fn payment_method(world: &World, card: Card, customer: Option<&str>, email: Option<&str>) -> Value {
    json!({
        "id": ids::fresh(Kind::PaymentMethod),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(email),
        "card": {
            "brand": "visa",
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "country": "US",
            "display_brand": "visa",
            "exp_month": 12,
            "exp_year": 2040,
            "fingerprint": format!("pretend{}", card.last4()),
            "funding": "credit",
            "generated_from": null,
            "last4": card.last4(),
            "networks": { "available": ["visa"], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        },
        "created": world.now(),
        "customer": customer,
        "customer_account": null,
        "livemode": world.live,
        "metadata": {},
        "type": "card",
    })
}
