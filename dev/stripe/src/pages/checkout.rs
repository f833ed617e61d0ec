//! The checkout page: pay, pay later, be declined, or go back.

use std::collections::HashMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::sheet;
use crate::acts::checkout::{self, Buyer, How};
use crate::api::error::ApiError;
use crate::shapes::customer::Card;
use crate::stage::Stage;
use crate::world::kind::Kind;
use crate::world::read::{list, number, text};

pub async fn show(State(stage): State<Stage>, Path(id): Path<String>) -> Response {
    match stage.look(|world| world.get(Kind::Session, &id)) {
        Ok(session) => sheet::page("Checkout", &body(&session, "")).into_response(),
        Err(err) => sheet::refused(&err),
    }
}

pub async fn act(
    State(stage): State<Stage>,
    Path((id, act)): Path<(String, String)>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let how = match act.as_str() {
        "pay" => How::Now(Card::Good),
        "fail" => How::Now(Card::Failing),
        "later" => How::Later,
        "confirm" => How::Now(Card::NeedsAction),
        _ => return sheet::refused(&ApiError::no_path("POST", &format!("/pay/{id}/{act}"))),
    };
    let email = form.get("email").map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
    match stage.act(|world| checkout::pay(world, &id, &Buyer { how, email })) {
        Ok(session) => sheet::back_to(&success_url(&session)),
        Err(err) if err.status == StatusCode::PAYMENT_REQUIRED => declined(&stage, &id, &err),
        Err(err) => sheet::refused(&err),
    }
}

fn declined(stage: &Stage, id: &str, err: &ApiError) -> Response {
    match stage.look(|world| world.get(Kind::Session, id)) {
        Ok(session) => sheet::page("Checkout", &body(&session, err.message())).into_response(),
        Err(err) => sheet::refused(&err),
    }
}

fn success_url(session: &Value) -> String {
    text(session, "/success_url").replace("{CHECKOUT_SESSION_ID}", text(session, "/id"))
}

fn body(session: &Value, complaint: &str) -> String {
    let status = text(session, "/status");
    if status != "open" {
        return format!("<p>This session is {}.</p>", sheet::escape(status));
    }
    let complaint = if complaint.is_empty() {
        String::new()
    } else {
        format!("<p class=\"bad\" role=\"alert\">{}</p>", sheet::escape(complaint))
    };
    let pay = format!("/pay/{}", text(session, "/id"));
    let cancel = text(session, "/cancel_url").replace("{CHECKOUT_SESSION_ID}", text(session, "/id"));
    let email = sheet::escape(text(session, "/customer_email"));
    let email = if session["customer"].is_null() {
        format!(
            "<label>Email <input type=\"email\" name=\"email\" value=\"{email}\" placeholder=\"buyer@example.com\" \
             autocomplete=\"off\"></label>"
        )
    } else {
        String::new()
    };
    format!(
        "{complaint}{}<form method=\"post\" action=\"{pay}/pay\">{email}<button class=\"first\">Pay</button>\
         <button formaction=\"{pay}/confirm\">Pay with a card that asks its owner each time</button>\
         <button formaction=\"{pay}/later\">Pay by a method that takes days</button>\
         <button formaction=\"{pay}/fail\">Fail: a card that is declined</button></form>{}",
        items(session),
        sheet::link(&cancel, "Cancel and go back"),
    )
}

fn items(session: &Value) -> String {
    let currency = text(session, "/currency");
    let rows = list(session, "/line_items/data").iter().map(|item| {
        let name = sheet::escape(text(item, "/description"));
        let amount = sheet::money(number(item, "/amount_total"), currency);
        format!("<tr><td>{} × {name}</td><td>{amount}</td></tr>", number(item, "/quantity"))
    });
    let rows = rows.collect::<Vec<_>>().concat();
    let total = sheet::money(number(session, "/amount_total"), currency);
    format!("<table>{rows}<tr><th scope=\"row\">Due today</th><th>{total}</th></tr></table>")
}
