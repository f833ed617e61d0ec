//! Checkout sessions and their line items.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;
use crate::world::read::number;

/// How long a session stays open unless it says otherwise.
pub const OPEN_S: i64 = 86_400;

/// What is bought: a price, so many times.
pub struct Bought {
    pub price: Value,
    pub name: String,
    pub quantity: i64,
}

impl Bought {
    pub fn total(&self) -> i64 {
        number(&self.price, "/unit_amount").saturating_mul(self.quantity)
    }
}

/// What was asked for with a session.
#[derive(Default)]
pub struct Asked {
    pub mode: String,
    pub customer: Option<String>,
    pub customer_email: Option<String>,
    pub client_reference_id: Option<String>,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    pub expires_at: Option<i64>,
    pub invoice_creation: bool,
    pub customer_creation: Option<String>,
    pub trial_days: i64,
}

pub fn session(world: &World, asked: &Asked, bought: &[Bought]) -> Value {
    let id = ids::fresh(Kind::Session);
    let total: i64 = bought.iter().map(Bought::total).sum();
    // A trial costs nothing today.
    let due = if asked.trial_days > 0 { 0 } else { total };
    let currency = bought.first().map(|first| first.price["currency"].clone());
    let payment = asked.mode == "payment";
    let document = json!({
        "url": format!("{}/pay/{id}", world.base),
        "line_items": items(&id, bought, asked.trial_days > 0),
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": { "enabled": false },
        "amount_subtotal": due,
        "amount_total": due,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "cancel_url": asked.cancel_url,
        "client_reference_id": asked.client_reference_id,
        "collected_information": null,
        "created": world.now(),
        "currency": currency,
        "custom_fields": [],
        "custom_text":
            { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
        "customer": asked.customer,
        "customer_creation": payment.then(|| asked.customer_creation.as_deref().unwrap_or("if_required")),
        "customer_email": asked.customer_email,
        "discounts": [],
        "expires_at": asked.expires_at.unwrap_or(world.now() + OPEN_S),
        "invoice_creation": payment.then(|| invoice_creation(asked.invoice_creation)),
        "livemode": world.live,
        "metadata": {},
        "mode": asked.mode,
        "payment_method_collection": if payment { "if_required" } else { "always" },
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "payment_status": if due == 0 { "no_payment_required" } else { "unpaid" },
        "phone_number_collection": { "enabled": false },
        "shipping_options": [],
        "status": "open",
        "success_url": asked.success_url,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page",
    });
    let empty = [
        "after_expiration",
        "allow_promotion_codes",
        "billing_address_collection",
        "client_secret",
        "consent",
        "consent_collection",
        "currency_conversion",
        "customer_account",
        "customer_details",
        "invoice",
        "locale",
        "origin_context",
        "payment_intent",
        "payment_link",
        "payment_method_configuration_details",
        "permissions",
        "recovered_from",
        "saved_payment_method_options",
        "setup_intent",
        "shipping_address_collection",
        "shipping_cost",
        "submit_type",
        "subscription",
        "wallet_options",
    ];
    with_nulls(document, &empty)
}

fn invoice_creation(enabled: bool) -> Value {
    json!({ "enabled": enabled, "invoice_data": {
        "account_tax_ids": null,
        "custom_fields": null,
        "description": null,
        "footer": null,
        "issuer": null,
        "metadata": {},
        "rendering_options": null,
    } })
}

fn items(session: &str, bought: &[Bought], free: bool) -> Value {
    let items: Vec<Value> = bought
        .iter()
        .map(|bought| {
            let total = if free { 0 } else { bought.total() };
            json!({
                "id": ids::part("li_"),
                "object": "item",
                "adjustable_quantity": null,
                "amount_discount": 0,
                "amount_subtotal": total,
                "amount_tax": 0,
                "amount_total": total,
                "currency": bought.price["currency"],
                "description": bought.name,
                "metadata": {},
                "price": bought.price,
                "quantity": bought.quantity,
            })
        })
        .collect();
    json!({
        "object": "list",
        "data": items,
        "has_more": false,
        "url": format!("/v1/checkout/sessions/{session}/line_items"),
    })
}

/// Who bought, as a completed session tells.
pub fn customer_details(email: Option<&str>, name: Option<&str>) -> Value {
    json!({
        "address": super::customer::address(),
        "business_name": null,
        "email": email,
        "individual_name": null,
        "name": name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}
