//! Invoices, their lines, and the invoice payments that tie them to payment intents.

use serde_json::{Value, json};

use super::with_nulls;
use crate::world::World;
use crate::world::ids;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

/// One line before it stands on an invoice.
pub struct Line<'a> {
    pub price: &'a Value,
    pub quantity: i64,
    pub amount: i64,
    pub period: (i64, i64),
    pub description: String,
    /// The subscription and its item; none on an invoice for a single payment.
    pub of: Option<(&'a str, &'a str)>,
    pub proration: bool,
}

pub fn line(world: &World, line: &Line<'_>) -> Value {
    let (start, end) = line.period;
    let item = line.proration.then(|| ids::part("ii_"));
    let parent = match line.of {
        Some((subscription, subscription_item)) => json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": item,
                "proration": line.proration,
                "proration_details": { "credited_items": null },
                "subscription": subscription,
                "subscription_item": subscription_item,
            },
            "type": "subscription_item_details",
        }),
        None => json!({
            "invoice_item_details": {
                "invoice_item": ids::part("ii_"),
                "proration": false,
                "proration_details": { "credited_items": null },
                "subscription": null,
            },
            "subscription_item_details": null,
            "type": "invoice_item_details",
        }),
    };
    json!({
        "id": ids::part("il_"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": !line.proration,
        "discounts": [],
        "invoice": null,
        "livemode": world.live,
        "metadata": {},
        "parent": parent,
        "period": { "end": end, "start": start },
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": { "price": line.price["id"], "product": line.price["product"] },
            "type": "price_details",
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.to_string(),
        "subtotal": line.amount,
        "taxes": [],
    })
}

pub struct Bill<'a> {
    pub customer: &'a Value,
    pub currency: &'a str,
    pub reason: &'a str,
    pub subscription: Option<&'a Value>,
    pub lines: Vec<Value>,
    pub period: (i64, i64),
}

/// A draft, numbered and with its sums; what the customer's balance pays is taken off what is due.
pub fn invoice(world: &World, bill: Bill<'_>) -> Value {
    let id = ids::fresh(Kind::Invoice);
    let total: i64 = bill.lines.iter().map(|line| number(line, "/amount")).sum();
    let balance = number(bill.customer, "/balance");
    let due = total.saturating_add(balance).max(0);
    let number =
        format!("{}-{:04}", text(bill.customer, "/invoice_prefix"), number(bill.customer, "/next_invoice_sequence"));
    let document = json!({
        "lines": lines(&id, bill.lines),
        "payments": payments(&id),
        "hosted_invoice_url": format!("{}/invoice/{id}", world.base),
        "id": id,
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Pretend Stripe",
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": false,
        "auto_advance": true,
        "automatic_tax":
            { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
        "billing_reason": bill.reason,
        "collection_method": "charge_automatically",
        "created": world.now(),
        "currency": bill.currency,
        "customer": bill.customer["id"],
        "customer_email": bill.customer["email"],
        "customer_name": bill.customer["name"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": { "type": "self" },
        "livemode": world.live,
        "metadata": {},
        "number": number,
        "parent": bill.subscription.map(parent),
        "payment_settings":
            { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
        "period_end": bill.period.1,
        "period_start": bill.period.0,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": balance,
        "status": "draft",
        "status_transitions":
            { "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    });
    with_nulls(document, &EMPTY)
}

const EMPTY: [&str; 29] = [
    "account_tax_ids",
    "application",
    "automatically_finalizes_at",
    "custom_fields",
    "customer_account",
    "customer_address",
    "customer_phone",
    "customer_shipping",
    "default_payment_method",
    "default_source",
    "description",
    "due_date",
    "effective_at",
    "ending_balance",
    "footer",
    "from_invoice",
    "invoice_pdf",
    "last_finalization_error",
    "latest_revision",
    "next_payment_attempt",
    "on_behalf_of",
    "receipt_number",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "test_clock",
    "threshold_reason",
    "webhooks_delivered_at",
];

fn lines(invoice: &str, mut lines: Vec<Value>) -> Value {
    for line in &mut lines {
        line["invoice"] = invoice.into();
    }
    json!({
        "object": "list",
        "data": lines,
        "has_more": false,
        "total_count": lines.len(),
        "url": format!("/v1/invoices/{invoice}/lines"),
    })
}

/// None yet.
fn payments(invoice: &str) -> Value {
    json!({ "object": "list", "data": [], "has_more": false, "url": format!("/v1/invoices/{invoice}/payments") })
}

fn parent(subscription: &Value) -> Value {
    json!({
        "quote_details": null,
        "subscription_details": { "metadata": subscription["metadata"], "subscription": subscription["id"] },
        "type": "subscription_details",
    })
}

pub fn invoice_payment(world: &World, invoice: &Value, intent: &str) -> Value {
    json!({
        "id": ids::fresh(Kind::InvoicePayment),
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": invoice["amount_due"],
        "created": world.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": true,
        "livemode": world.live,
        "payment": { "payment_intent": intent, "type": "payment_intent" },
        "status": "open",
        "status_transitions": { "canceled_at": null, "paid_at": null },
    })
}
