//! Every request of `/v1` that this double answers.

use axum::http::Method;
use serde_json::Value;

use super::error::ApiError;
use super::form::{self, Expand};
use super::{Request, customers, expand, invoices, list, offers, refunds, sessions, subscriptions};
use crate::world::World;
use crate::world::kind::Kind;

pub fn answer(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let path = request.path.trim_start_matches("/v1/").trim_end_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    // A resource's own name may take two parts.
    let (resource, rest) = match parts.as_slice() {
        ["checkout" | "billing_portal", _, rest @ ..] => (&path[..path.len() - tail(rest)], rest),
        [first, rest @ ..] => (*first, rest),
        [] => ("", &[][..]),
    };
    let form = if request.method == Method::POST { request.body } else { request.query };
    match (request.method.as_str(), kind(resource), rest) {
        ("POST", Some(kind), rest) => {
            let document = write(world, kind, rest, form)?.ok_or_else(|| no_path(request))?;
            shown(world, kind, &document, form)
        }
        ("DELETE", Some(Kind::Customer), [id]) => customers::delete(world, id),
        ("DELETE", Some(Kind::Product), [id]) => offers::delete_product(world, id),
        ("DELETE", Some(Kind::Subscription), [id]) => {
            let document = subscriptions::cancel(world, id)?;
            shown(world, Kind::Subscription, &document, form)
        }
        ("GET", Some(kind), []) => list::page(world, kind, form),
        ("GET", Some(Kind::Invoice), [id, "lines"]) => invoices::lines(world, id),
        ("GET", Some(Kind::Session), [id, "line_items"]) => sessions::line_items(world, id),
        ("GET", Some(Kind::Charge), [id, "refunds"]) => list::page(world, Kind::Refund, &format!("charge={id}")),
        ("GET", Some(kind), [id]) => {
            let document = world.get(kind, id)?;
            shown(world, kind, &document, form)
        }
        _ => Err(no_path(request)),
    }
}

/// What a `POST` does; nothing where there is no such path.
fn write(world: &mut World, kind: Kind, rest: &[&str], form: &str) -> Result<Option<Value>, ApiError> {
    Ok(Some(match (kind, rest) {
        (Kind::Customer, []) => customers::create(world, form)?,
        (Kind::Customer, [id]) => customers::update(world, id, form)?,
        (Kind::Product, []) => offers::create_product(world, form)?,
        (Kind::Product, [id]) => offers::update_product(world, id, form)?,
        (Kind::Price, []) => offers::create_price(world, form)?,
        (Kind::Price, [id]) => offers::update_price(world, id, form)?,
        (Kind::Session, []) => sessions::create(world, form)?,
        (Kind::Session, [id, "expire"]) => sessions::expire(world, id)?,
        (Kind::PortalSession, []) => customers::open_portal(world, form)?,
        (Kind::Subscription, []) => subscriptions::create(world, form)?,
        (Kind::Subscription, [id]) => subscriptions::update(world, id, form)?,
        (Kind::Subscription, [id, "pause"]) => subscriptions::pause(world, id)?,
        (Kind::Subscription, [id, "resume"]) => subscriptions::resume(world, id)?,
        (Kind::Invoice, [id, "pay"]) => invoices::pay(world, id)?,
        (Kind::Invoice, [id, "void"]) => invoices::void(world, id)?,
        (Kind::Refund, []) => refunds::create(world, form)?,
        (Kind::Dispute, [id, "close"]) => refunds::close_dispute(world, id)?,
        _ => return Ok(None),
    }))
}

fn shown(world: &World, kind: Kind, document: &Value, form: &str) -> Result<Value, ApiError> {
    let Expand { expand } = form::read(form)?;
    expand::show(world, kind, document, &expand)
}

fn kind(resource: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.path().strip_prefix("/v1/") == Some(resource))
}

/// How many characters of a path its rest takes, with the slashes before each part.
fn tail(rest: &[&str]) -> usize {
    rest.iter().map(|part| part.len() + 1).sum()
}

fn no_path(request: &Request<'_>) -> ApiError {
    ApiError::no_path(request.method.as_str(), request.path)
}
