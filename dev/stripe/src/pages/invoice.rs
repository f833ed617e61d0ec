//! The page of one invoice, with a button that pays it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::sheet;
use crate::acts::bill::Collected;
use crate::acts::renew;
use crate::stage::Stage;
use crate::world::kind::Kind;
use crate::world::read::{number, text};

pub async fn show(State(stage): State<Stage>, Path(id): Path<String>) -> Response {
    match stage.look(|world| world.get(Kind::Invoice, &id)) {
        Ok(invoice) => sheet::page("Invoice", &body(&invoice, false)).into_response(),
        Err(err) => sheet::refused(&err),
    }
}

pub async fn pay(State(stage): State<Stage>, Path(id): Path<String>) -> Response {
    let paid = stage.act(|world| {
        let collected = renew::retry(world, &id, true)?;
        Ok((collected, world.get(Kind::Invoice, &id)?))
    });
    match paid {
        Ok((collected, invoice)) => {
            sheet::page("Invoice", &body(&invoice, collected != Collected::Paid)).into_response()
        }
        Err(err) => sheet::refused(&err),
    }
}

fn body(invoice: &Value, declined: bool) -> String {
    let status = text(invoice, "/status");
    let amount = sheet::money(number(invoice, "/amount_due"), text(invoice, "/currency"));
    let complaint = if declined { "<p class=\"bad\" role=\"alert\">The card was declined.</p>" } else { "" };
    let pay = if status == "open" {
        sheet::button(&format!("/invoice/{}/pay", text(invoice, "/id")), "Pay with the card on file")
    } else {
        String::new()
    };
    let number = sheet::escape(text(invoice, "/number"));
    format!("{complaint}<p>{number} over {amount} is {}.</p>{pay}", sheet::escape(status))
}
