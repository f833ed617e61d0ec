//! Money that goes back: refunds and disputes.

use serde_json::Value;

use crate::api::error::ApiError;
use crate::shapes::{dispute, payment};
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

/// The charge behind a charge, a payment intent or an invoice.
pub fn charge_of(world: &World, id: &str) -> Result<String, ApiError> {
    match world.shelves.any(id) {
        Some((Kind::Charge, _)) => Ok(id.to_owned()),
        Some((Kind::PaymentIntent, intent)) if !text(intent, "/latest_charge").is_empty() => {
            Ok(text(intent, "/latest_charge").to_owned())
        }
        Some((Kind::Invoice, invoice)) => charge_of(world, super::bill::intent_of(invoice)),
        _ => Err(ApiError::invalid(format!("'{id}' has no charge that succeeded."))),
    }
}

/// `charge.refunded`, `refund.created`; without an amount what is left of the charge.
pub fn refund(world: &mut World, charge: &str, amount: Option<i64>, reason: Option<&str>) -> Result<Value, ApiError> {
    let paid = world.get(Kind::Charge, charge)?;
    if paid["paid"] != true {
        return Err(ApiError::invalid("This charge did not succeed."));
    }
    let left = number(&paid, "/amount") - number(&paid, "/amount_refunded");
    if left <= 0 {
        let message = format!("Charge {charge} has already been refunded.");
        return Err(ApiError::invalid(message).code("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(left);
    if amount <= 0 || amount > left {
        let message = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).");
        return Err(ApiError::invalid(message).param("amount"));
    }
    let refund = payment::refund(world, &paid, amount, reason);
    world.update("charge.refunded", charge, |charge| {
        charge["amount_refunded"] = (number(charge, "/amount_refunded") + amount).into();
        charge["refunded"] = (amount == left).into();
    })?;
    world.announce("refund.created", Kind::Refund, refund.clone())?;
    Ok(refund)
}

/// `charge.dispute.created`, `charge.dispute.funds_withdrawn`.
pub fn dispute(world: &mut World, charge: &str, amount: Option<i64>, reason: &str) -> Result<Value, ApiError> {
    let paid = world.get(Kind::Charge, charge)?;
    if paid["paid"] != true || paid["disputed"] == true {
        return Err(ApiError::invalid("Only a charge that succeeded can be disputed, and only once."));
    }
    let amount = amount.unwrap_or(number(&paid, "/amount"));
    let made = dispute::dispute(world, &paid, amount, reason);
    let id = text(&made, "/id").to_owned();
    world.edit(charge, |charge| charge["disputed"] = true.into())?;
    world.announce("charge.dispute.created", Kind::Dispute, made)?;
    world.tell("charge.dispute.funds_withdrawn", Kind::Dispute, &id)?;
    world.get(Kind::Dispute, &id)
}

/// `charge.dispute.closed`, and `charge.dispute.funds_reinstated` where it was won.
pub fn close(world: &mut World, id: &str, won: bool) -> Result<Value, ApiError> {
    let open = world.get(Kind::Dispute, id)?;
    if ["won", "lost"].contains(&text(&open, "/status")) {
        return Err(ApiError::invalid("This dispute is already closed."));
    }
    let charge = world.get(Kind::Charge, text(&open, "/charge"))?;
    let back = won.then(|| dispute::money(world, &charge, number(&open, "/amount"), "Chargeback reversal"));
    let closed = world.edit(id, |dispute| {
        dispute["status"] = if won { "won" } else { "lost" }.into();
        if let (Some(back), Some(money)) = (back, dispute["balance_transactions"].as_array_mut()) {
            money.push(back);
        }
    })?;
    world.tell("charge.dispute.closed", Kind::Dispute, id)?;
    if won {
        world.tell("charge.dispute.funds_reinstated", Kind::Dispute, id)?;
    }
    Ok(closed)
}
