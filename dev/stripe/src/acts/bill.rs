//! Invoices: issued, collected, paid, failed, voided.

use serde_json::Value;

use super::{card, pay};
use crate::api::error::ApiError;
use crate::shapes::customer::Card;
use crate::shapes::invoice::{self, Bill};
use crate::shapes::payment::Due;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};

/// Stripe's own rhythm of trying again, in days after each failure.
const RETRY_AFTER_DAYS: [i64; 3] = [3, 5, 7];
const DAY_S: i64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    Paid,
    Declined,
    NeedsAction,
}

/// Draws an invoice up and opens it, with a payment intent where something is due.
pub fn issue(world: &mut World, bill: Bill<'_>) -> Result<String, ApiError> {
    let (id, invoice) = draft(world, bill)?;
    let due = number(&invoice, "/amount_due");
    finalize(world, &id)?;
    if due > 0 {
        let owed = Due {
            amount: due,
            currency: text(&invoice, "/currency").to_owned(),
            customer: invoice["customer"].as_str().map(str::to_owned),
            description: Some("Subscription".to_owned()),
            ..Due::default()
        };
        let intent = pay::open(world, &owed)?;
        attach(world, &invoice, &intent)?;
    }
    Ok(id)
}

/// The invoice for a payment that has been made already.
pub fn record_paid(world: &mut World, bill: Bill<'_>, intent: &str) -> Result<String, ApiError> {
    let (id, invoice) = draft(world, bill)?;
    finalize(world, &id)?;
    attach(world, &invoice, intent)?;
    mark_paid(world, &id)?;
    Ok(id)
}

fn draft(world: &mut World, bill: Bill<'_>) -> Result<(String, Value), ApiError> {
    let customer = text(bill.customer, "/id").to_owned();
    let invoice = invoice::invoice(world, bill);
    let id = text(&invoice, "/id").to_owned();
    world.announce("invoice.created", Kind::Invoice, invoice.clone())?;
    world.edit(&customer, |customer| {
        customer["next_invoice_sequence"] = (number(customer, "/next_invoice_sequence") + 1).into();
        customer["currency"] = invoice["currency"].clone();
    })?;
    // Credit that an invoice leaves over stays with the customer.
    let rest = number(&invoice, "/total") + number(&invoice, "/starting_balance") - number(&invoice, "/amount_due");
    world.update("customer.updated", &customer, |customer| customer["balance"] = rest.into())?;
    Ok((id, invoice))
}

fn finalize(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    world.edit(id, |invoice| {
        let left = number(invoice, "/total") + number(invoice, "/starting_balance") - number(invoice, "/amount_due");
        invoice["status"] = "open".into();
        invoice["effective_at"] = now.into();
        invoice["ending_balance"] = left.into();
        invoice["status_transitions"]["finalized_at"] = now.into();
    })?;
    world.tell("invoice.finalized", Kind::Invoice, id)
}

fn attach(world: &mut World, invoice: &Value, intent: &str) -> Result<(), ApiError> {
    let payment = invoice::invoice_payment(world, invoice, intent);
    world.add(Kind::InvoicePayment, payment.clone())?;
    world.edit(text(invoice, "/id"), |invoice| {
        if let Some(payments) = invoice["payments"]["data"].as_array_mut() {
            payments.push(payment);
        }
    })?;
    Ok(())
}

/// Charges what is open to the customer's card.
pub fn collect(world: &mut World, id: &str, owner_is_there: bool) -> Result<Collected, ApiError> {
    let invoice = world.get(Kind::Invoice, id)?;
    if number(&invoice, "/amount_due") == 0 {
        mark_paid(world, id)?;
        return Ok(Collected::Paid);
    }
    let intent = intent_of(&invoice).to_owned();
    let subscription = text(&invoice, "/parent/subscription_details/subscription");
    let method = card::charged(world, text(&invoice, "/customer"), subscription);
    match method.as_deref().map(|method| (method, card::kind_of(world, method))) {
        Some((method, Card::Good)) => paid_by(world, id, &intent, method),
        Some((method, Card::NeedsAction)) if owner_is_there => paid_by(world, id, &intent, method),
        Some((method, Card::NeedsAction)) => {
            pay::ask_owner(world, &intent, method)?;
            mark_failed(world, id)?;
            world.tell("invoice.payment_action_required", Kind::Invoice, id)?;
            Ok(Collected::NeedsAction)
        }
        _ => {
            pay::decline(world, &intent, method.as_deref())?;
            mark_failed(world, id)?;
            Ok(Collected::Declined)
        }
    }
}

fn paid_by(world: &mut World, id: &str, intent: &str, method: &str) -> Result<Collected, ApiError> {
    pay::succeed(world, intent, method)?;
    mark_paid(world, id)?;
    Ok(Collected::Paid)
}

pub fn intent_of(invoice: &Value) -> &str {
    text(invoice, "/payments/data/0/payment/payment_intent")
}

/// `invoice.paid`, `invoice.payment_succeeded`, and `invoice_payment.paid` where money moved.
pub fn mark_paid(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    let before = world.get(Kind::Invoice, id)?;
    let payments: Vec<String> =
        list(&before, "/payments/data").iter().map(|payment| text(payment, "/id").to_owned()).collect();
    for payment in &payments {
        world.edit(payment, |payment| {
            payment["status"] = "paid".into();
            payment["amount_paid"] = payment["amount_requested"].clone();
            payment["status_transitions"]["paid_at"] = now.into();
        })?;
    }
    let paid: Vec<Value> =
        payments.iter().map(|payment| world.get(Kind::InvoicePayment, payment)).collect::<Result<_, _>>()?;
    world.edit(id, |invoice| {
        invoice["status"] = "paid".into();
        invoice["attempted"] = true.into();
        invoice["attempt_count"] = (number(invoice, "/attempt_count") + i64::from(!paid.is_empty())).into();
        invoice["amount_paid"] = invoice["amount_due"].clone();
        invoice["amount_remaining"] = 0.into();
        invoice["auto_advance"] = false.into();
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["paid_at"] = now.into();
        invoice["payments"]["data"] = paid.into();
    })?;
    world.tell("invoice.paid", Kind::Invoice, id)?;
    world.tell("invoice.payment_succeeded", Kind::Invoice, id)?;
    payments.iter().try_for_each(|payment| world.tell("invoice_payment.paid", Kind::InvoicePayment, payment))
}

/// `invoice.payment_failed`, with the day of the next attempt while there is one.
pub fn mark_failed(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    world.edit(id, |invoice| {
        let attempts = number(invoice, "/attempt_count") + 1;
        let first = text(invoice, "/billing_reason") == "subscription_create";
        let wait = usize::try_from(attempts - 1).ok().and_then(|index| RETRY_AFTER_DAYS.get(index));
        invoice["attempted"] = true.into();
        invoice["attempt_count"] = attempts.into();
        // The first invoice is tried by whoever buys, not by Stripe.
        invoice["next_payment_attempt"] = wait.filter(|_| !first).map(|days| now + days * DAY_S).into();
    })?;
    world.tell("invoice.payment_failed", Kind::Invoice, id)
}

pub fn void(world: &mut World, id: &str) -> Result<(), ApiError> {
    let now = world.now();
    let invoice = world.edit(id, |invoice| {
        invoice["status"] = "void".into();
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["voided_at"] = now.into();
    })?;
    if world.shelves.get(Kind::PaymentIntent, intent_of(&invoice)).is_some() {
        world.update("payment_intent.canceled", intent_of(&invoice), |intent| {
            intent["status"] = "canceled".into();
            intent["canceled_at"] = now.into();
        })?;
    }
    world.tell("invoice.voided", Kind::Invoice, id)
}
