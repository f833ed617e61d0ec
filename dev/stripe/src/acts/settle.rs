//! A payment that took days is decided: the money came, or it didn't.

use serde_json::Value;

use super::bill::{self, Collected};
use super::{checkout, pay, subscribe};
use crate::api::error::ApiError;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::text;

/// `checkout.session.async_payment_succeeded` or `…_failed`, behind what happens to the payment itself.
pub fn settle(world: &mut World, id: &str, succeeds: bool) -> Result<Value, ApiError> {
    let session = world.get(Kind::Session, id)?;
    if session["status"] != "complete" || session["payment_status"] != "unpaid" {
        return Err(ApiError::invalid("Only a completed session that is unpaid waits for its payment."));
    }
    match session["subscription"].as_str() {
        Some(_) => settle_invoice(world, text(&session, "/invoice"), succeeds)?,
        None => settle_intent(world, &session, succeeds)?,
    }
    if succeeds {
        world.edit(id, |session| session["payment_status"] = "paid".into())?;
    }
    let event =
        if succeeds { "checkout.session.async_payment_succeeded" } else { "checkout.session.async_payment_failed" };
    world.tell(event, Kind::Session, id)?;
    world.get(Kind::Session, id)
}

fn settle_intent(world: &mut World, session: &Value, succeeds: bool) -> Result<(), ApiError> {
    let intent = text(session, "/payment_intent");
    let method = method_of(world, intent)?;
    if !succeeds {
        return pay::decline(world, intent, Some(&method));
    }
    pay::succeed(world, intent, &method)?;
    match session["customer"].as_str() {
        Some(customer) if session["invoice_creation"]["enabled"] == true => {
            checkout::invoice_for(world, session, customer, intent)
        }
        _ => Ok(()),
    }
}

fn settle_invoice(world: &mut World, invoice: &str, succeeds: bool) -> Result<(), ApiError> {
    let intent = bill::intent_of(&world.get(Kind::Invoice, invoice)?).to_owned();
    let method = method_of(world, &intent)?;
    let collected = if succeeds {
        pay::succeed(world, &intent, &method)?;
        bill::mark_paid(world, invoice)?;
        Collected::Paid
    } else {
        pay::decline(world, &intent, Some(&method))?;
        bill::mark_failed(world, invoice)?;
        Collected::NeedsAction
    };
    subscribe::follow(world, invoice, collected)
}

fn method_of(world: &World, intent: &str) -> Result<String, ApiError> {
    Ok(text(&world.get(Kind::PaymentIntent, intent)?, "/payment_method").to_owned())
}
