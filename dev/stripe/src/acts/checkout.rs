//! A checkout session: paid at once, paid by a method that takes days, declined, expired.

use serde_json::{Value, json};

use super::subscribe::{self, Wish};
use super::{bill, card, pay};
use crate::api::error::ApiError;
use crate::shapes::customer::{self, Card};
use crate::shapes::invoice::{self, Bill, Line};
use crate::shapes::payment::Due;
use crate::shapes::session::customer_details;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};

const DAY_S: i64 = 86_400;

/// How somebody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Now(Card),
    /// By a method that tells days later whether the money came.
    Later,
}

pub struct Buyer {
    pub how: How,
    /// Typed into the page where the session knows none.
    pub email: Option<String>,
}

pub fn open_session(world: &World, id: &str) -> Result<Value, ApiError> {
    let session = world.get(Kind::Session, id)?;
    match text(&session, "/status") {
        "open" => Ok(session),
        status => Err(ApiError::invalid(format!("This checkout session is {status}."))),
    }
}

/// Pays a session; a declined card leaves it open.
pub fn pay(world: &mut World, id: &str, buyer: &Buyer) -> Result<Value, ApiError> {
    let session = open_session(world, id)?;
    let email = email_of(world, &session, buyer);
    if buyer.how == How::Now(Card::Failing) && number(&session, "/amount_total") > 0 {
        return declined(world, &session, &email);
    }
    let customer = customer_of(world, &session, &email)?;
    world.edit(id, |session| {
        session["customer"] = customer.clone().into();
        session["customer_details"] = customer_details(Some(&email), None);
    })?;
    match text(&session, "/mode") {
        "subscription" => subscribe_by(world, &session, customer.as_deref().unwrap_or_default(), buyer.how)?,
        _ => pay_once(world, &session, customer.as_deref(), &email, buyer.how)?,
    }
    world.get(Kind::Session, id)
}

fn email_of(world: &World, session: &Value, buyer: &Buyer) -> String {
    let known = world.shelves.get(Kind::Customer, text(session, "/customer"));
    let email = known.and_then(|customer| customer["email"].as_str()).or_else(|| session["customer_email"].as_str());
    email.map(str::to_owned).or_else(|| buyer.email.clone()).unwrap_or_else(|| "buyer@example.com".to_owned())
}

/// The session's customer; one is made where its mode needs one.
fn customer_of(world: &mut World, session: &Value, email: &str) -> Result<Option<String>, ApiError> {
    if let Some(customer) = session["customer"].as_str() {
        return Ok(Some(customer.to_owned()));
    }
    let needed = session["mode"] == "subscription"
        || session["customer_creation"] == "always"
        || session["invoice_creation"]["enabled"] == true;
    if !needed {
        return Ok(None);
    }
    let made = customer::customer(world, Some(email), None);
    let id = text(&made, "/id").to_owned();
    world.announce("customer.created", Kind::Customer, made)?;
    Ok(Some(id))
}

fn due(session: &Value, customer: Option<&str>, email: &str) -> Due {
    Due {
        amount: number(session, "/amount_total"),
        currency: text(session, "/currency").to_owned(),
        customer: customer.map(str::to_owned),
        email: Some(email.to_owned()),
        description: session["payment_intent_data"]["description"].as_str().map(str::to_owned),
        metadata: session["payment_intent_data"]["metadata"].clone(),
    }
}

/// The session's intent, opened by the first attempt.
fn intent_of(world: &mut World, session: &Value, due: &Due) -> Result<String, ApiError> {
    if let Some(intent) = session["payment_intent"].as_str() {
        return Ok(intent.to_owned());
    }
    let intent = pay::open(world, due)?;
    if session["mode"] == "payment" {
        world.edit(text(session, "/id"), |session| session["payment_intent"] = intent.clone().into())?;
    }
    Ok(intent)
}

fn declined(world: &mut World, session: &Value, email: &str) -> Result<Value, ApiError> {
    let due = due(session, session["customer"].as_str(), email);
    let intent = intent_of(world, session, &due)?;
    let method = loose_card(world, Card::Failing, None, email)?;
    pay::decline(world, &intent, Some(&method))?;
    Err(ApiError::declined())
}

/// A card that is used once and not saved.
fn loose_card(world: &mut World, card: Card, customer: Option<&str>, email: &str) -> Result<String, ApiError> {
    let method = customer::payment_method(world, card, customer, Some(email));
    let id = text(&method, "/id").to_owned();
    world.add(Kind::PaymentMethod, method)?;
    Ok(id)
}

fn pay_once(world: &mut World, session: &Value, customer: Option<&str>, email: &str, how: How) -> Result<(), ApiError> {
    let due = due(session, customer, email);
    if due.amount == 0 {
        return complete(world, session, "no_payment_required");
    }
    let intent = intent_of(world, session, &due)?;
    world.edit(&intent, |intent| intent["customer"] = customer.into())?;
    let How::Now(card) = how else {
        let method = loose_card(world, Card::Good, customer, email)?;
        pay::process(world, &intent, &method)?;
        return complete(world, session, "unpaid");
    };
    let method = loose_card(world, card, customer, email)?;
    pay::succeed(world, &intent, &method)?;
    if session["invoice_creation"]["enabled"] == true {
        invoice_for(world, session, customer.unwrap_or_default(), &intent)?;
    }
    complete(world, session, "paid")
}

/// The invoice that a session for a single payment was told to make.
pub fn invoice_for(world: &mut World, session: &Value, customer: &str, intent: &str) -> Result<(), ApiError> {
    let customer = world.get(Kind::Customer, customer)?;
    let now = world.now();
    let lines = list(session, "/line_items/data")
        .iter()
        .map(|item| {
            let line = Line {
                price: &item["price"],
                quantity: number(item, "/quantity"),
                amount: number(item, "/amount_total"),
                period: (now, now),
                description: text(item, "/description").to_owned(),
                of: None,
                proration: false,
            };
            invoice::line(world, &line)
        })
        .collect();
    let currency = text(session, "/currency");
    let bill = Bill { customer: &customer, currency, reason: "manual", subscription: None, lines, period: (now, now) };
    let invoice = bill::record_paid(world, bill, intent)?;
    world.edit(text(session, "/id"), |session| session["invoice"] = invoice.clone().into())?;
    Ok(())
}

fn subscribe_by(world: &mut World, session: &Value, customer: &str, how: How) -> Result<(), ApiError> {
    let data = &session["subscription_data"];
    let trial_days = number(data, "/trial_period_days");
    let card = if let How::Now(card) = how { card } else { Card::Good };
    let items = list(session, "/line_items/data");
    let wish = Wish {
        customer: customer.to_owned(),
        items: items.iter().map(|item| (item["price"].clone(), number(item, "/quantity"))).collect(),
        trial_end: (trial_days > 0).then(|| world.now() + trial_days * DAY_S),
        metadata: if data["metadata"].is_object() { data["metadata"].clone() } else { json!({}) },
        payment_method: Some(card::save(world, customer, card)?),
        missing_payment_method: "create_invoice".to_owned(),
    };
    let (subscription, invoice) = subscribe::begin(world, &wish)?;
    world.edit(text(session, "/id"), |session| {
        session["subscription"] = subscription.clone().into();
        session["invoice"] = invoice.clone().into();
    })?;
    if how == How::Later && number(session, "/amount_total") > 0 {
        let issued = world.get(Kind::Invoice, &invoice)?;
        pay::process(world, bill::intent_of(&issued), wish.payment_method.as_deref().unwrap_or_default())?;
        complete(world, session, "unpaid")?;
        return subscribe::set_status(world, &subscription, "active");
    }
    let collected = bill::collect(world, &invoice, true)?;
    complete(world, session, if number(session, "/amount_total") > 0 { "paid" } else { "no_payment_required" })?;
    subscribe::follow(world, &invoice, collected)
}

fn complete(world: &mut World, session: &Value, payment_status: &str) -> Result<(), ApiError> {
    let id = text(session, "/id");
    world.edit(id, |session| {
        session["status"] = "complete".into();
        session["payment_status"] = payment_status.into();
        session["url"] = Value::Null;
    })?;
    world.tell("checkout.session.completed", Kind::Session, id)
}

/// Nobody paid in time, or the session was taken back.
pub fn expire(world: &mut World, id: &str) -> Result<Value, ApiError> {
    open_session(world, id)?;
    let expired = world.edit(id, |session| {
        session["status"] = "expired".into();
        session["url"] = Value::Null;
    })?;
    world.tell("checkout.session.expired", Kind::Session, id)?;
    Ok(expired)
}
