//! Subscriptions and their items.

use serde_json::{Value, json};

use super::{offer, with_nulls};
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;

pub struct Begin<'a> {
    pub customer: &'a str,
    /// Prices and how many of each.
    pub items: &'a [(Value, i64)],
    pub period: (i64, i64),
    pub trial_end: Option<i64>,
    pub payment_method: Option<&'a str>,
    pub missing_payment_method: &'a str,
}

pub fn subscription(world: &World, begin: &Begin<'_>) -> Value {
    let id = ids::fresh(Kind::Subscription);
    let (start, end) = begin.period;
    let items: Vec<Value> =
        begin.items.iter().map(|(price, quantity)| item(world, &id, price, *quantity, (start, end))).collect();
    let document = json!({
        "items": {
            "object": "list",
            "data": items,
            "has_more": false,
            "total_count": items.len(),
            "url": format!("/v1/subscription_items?subscription={id}"),
        },
        "id": id,
        "object": "subscription",
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
        "billing_cycle_anchor": begin.trial_end.unwrap_or(start),
        "billing_mode": {
            "flexible": { "proration_discounts": "included" },
            "type": "flexible",
            "updated_at": world.now(),
        },
        "billing_schedules": [],
        "cancel_at_period_end": false,
        "cancellation_details": { "comment": null, "feedback": null, "reason": null },
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": begin.items.first().map(|(price, _)| price["currency"].clone()),
        "customer": begin.customer,
        "default_payment_method": begin.payment_method,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } },
        "livemode": world.live,
        "metadata": {},
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "pending_lines": [],
        "start_date": start,
        "status": if begin.trial_end.is_some() { "trialing" } else { "incomplete" },
        "trial_end": begin.trial_end,
        "trial_settings": { "end_behavior": { "missing_payment_method": begin.missing_payment_method } },
        "trial_start": begin.trial_end.map(|_| start),
    });
    let empty = [
        "application",
        "application_fee_percent",
        "billing_cycle_anchor_config",
        "billing_thresholds",
        "cancel_at",
        "canceled_at",
        "customer_account",
        "days_until_due",
        "default_source",
        "description",
        "ended_at",
        "latest_invoice",
        "next_pending_invoice_item_invoice",
        "on_behalf_of",
        "pause_collection",
        "pending_invoice_item_interval",
        "pending_setup_intent",
        "pending_update",
        "schedule",
        "test_clock",
        "transfer_data",
    ];
    with_nulls(document, &empty)
}

pub fn item(world: &World, subscription: &str, price: &Value, quantity: i64, (start, end): (i64, i64)) -> Value {
    json!({
        "id": ids::part("si_"),
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": world.now(),
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": {},
        "plan": offer::plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    })
}
