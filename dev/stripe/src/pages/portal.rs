//! The billing portal: another card, cancel now or with the period, take that back, pay what is open.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::sheet;
use crate::acts::{card, renew, subscribe};
use crate::api::error::ApiError;
use crate::shapes::customer::Card;
use crate::stage::Stage;
use crate::world::World;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

pub async fn show(State(stage): State<Stage>, Path(id): Path<String>) -> Response {
    match stage.look(|world| body(world, &id)) {
        Ok(body) => sheet::page("Billing", &body).into_response(),
        Err(err) => sheet::refused(&err),
    }
}

pub async fn act(State(stage): State<Stage>, Path((id, act)): Path<(String, String)>) -> Response {
    match stage.act(|world| change(world, &id, &act)) {
        // A declined card shows on the page that comes next.
        Err(err) if err.status != StatusCode::PAYMENT_REQUIRED => sheet::refused(&err),
        _ => sheet::back_to(&format!("/portal/{id}")),
    }
}

fn change(world: &mut World, id: &str, act: &str) -> Result<(), ApiError> {
    let session = world.get(Kind::PortalSession, id)?;
    let customer = text(&session, "/customer");
    // What a button is about stands behind a dot: `cancel.sub_…`.
    let (act, about) = act.split_once('.').unwrap_or((act, ""));
    if !about.is_empty() {
        owned(world, customer, about)?;
    }
    match act {
        "good-card" => card::replace(world, customer, Card::Good).map(|_| ()),
        "failing-card" => card::replace(world, customer, Card::Failing).map(|_| ()),
        "careful-card" => card::replace(world, customer, Card::NeedsAction).map(|_| ()),
        "cancel" => subscribe::end(world, about, "cancellation_requested"),
        "cancel-later" => subscribe::end_with_period(world, about, true),
        "keep" => subscribe::end_with_period(world, about, false),
        "pay" => renew::retry(world, about, true).map(|_| ()),
        _ => Err(ApiError::no_path("POST", &format!("/portal/{id}/{act}"))),
    }
}

/// The portal of one customer reaches nothing of another's.
fn owned(world: &World, customer: &str, id: &str) -> Result<(), ApiError> {
    match world.shelves.any(id) {
        Some((_, document)) if document["customer"] == customer => Ok(()),
        _ => Err(ApiError::gone(id)),
    }
}

fn body(world: &World, id: &str) -> Result<String, ApiError> {
    let session = world.get(Kind::PortalSession, id)?;
    let customer = text(&session, "/customer");
    let path = format!("/portal/{id}");
    let mut body = String::from("<h2>Subscriptions</h2>");
    let subscriptions = card::live_subscriptions(world, customer);
    if subscriptions.is_empty() {
        body.push_str("<p>None.</p>");
    }
    for subscription in subscriptions {
        body.push_str(&row(&world.get(Kind::Subscription, &subscription)?, &path));
        for invoice in subscribe::open_invoices(world, &subscription) {
            let due = world.get(Kind::Invoice, &invoice)?;
            let amount = sheet::money(number(&due, "/amount_due"), text(&due, "/currency"));
            body.push_str(&sheet::button(&format!("{path}/pay.{invoice}"), &format!("Pay the open {amount}")));
        }
    }
    body.push_str("<h2>Card</h2>");
    for (act, words) in [
        ("good-card", "Use a card that pays"),
        ("failing-card", "Use a card that is declined"),
        ("careful-card", "Use a card that asks its owner each time"),
    ] {
        body.push_str(&sheet::button(&format!("{path}/{act}"), words));
    }
    body.push_str(&sheet::link(text(&session, "/return_url"), "Go back"));
    Ok(body)
}

fn row(subscription: &Value, path: &str) -> String {
    let id = text(subscription, "/id");
    let status = sheet::escape(text(subscription, "/status"));
    let ends = subscription["cancel_at_period_end"] == true;
    let note = if ends { ", ends with its period" } else { "" };
    let later = if ends {
        sheet::button(&format!("{path}/keep.{id}"), "Keep it after all")
    } else {
        sheet::button(&format!("{path}/cancel-later.{id}"), "Cancel at the end of the period")
    };
    let now = sheet::button(&format!("{path}/cancel.{id}"), "Cancel at once");
    format!(
        "<p>{} is {status}{note}.</p>{later}{now}",
        sheet::escape(text(subscription, "/items/data/0/price/product"))
    )
}
