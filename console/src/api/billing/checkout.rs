//! `POST /api/billing/checkout` and `/portal`: ways to Stripe's pages. What happens there counts by signed deliveries only.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::once::fresh_key;
use crate::api::refused::WriteRefused;
use crate::billing::{checkout, portal};
use crate::caller::AccountAdmin;
use crate::input::Json;
use crate::refusal::Refusal;
use crate::service::Service;

const KEY: &str = "idempotency-key";

/// What shall be bought.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckout {
    /// The code of a plan.
    #[schema(max_length = 40)]
    plan: String,
}

/// A checkout that its payer can be sent to.
#[derive(Serialize, ToSchema)]
pub struct CheckoutOpened {
    /// Stripe's page.
    url: String,
    /// Stripe's id of it.
    session: String,
}

/// A way into the customer portal.
#[derive(Serialize, ToSchema)]
pub struct PortalOpened {
    /// Stripe's page; it opens for a few minutes.
    url: String,
}

/// Opens a checkout for a plan. Under the same `Idempotency-Key` it is the same one. For admins and the billing owner.
#[utoipa::path(post, path = "/api/billing/checkout", tag = "billing", operation_id = "checkout_open", request_body = NewCheckout,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 100 printable letters. Without one, each call opens another checkout.")),
    responses(WriteRefused, (status = 200, body = CheckoutOpened)))]
pub async fn open(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    headers: HeaderMap,
    Json(asked): Json<NewCheckout>,
) -> Result<axum::Json<CheckoutOpened>, Refusal> {
    let key = match headers.get(KEY) {
        // What is no text is no key either: the checkout refuses the empty one.
        Some(key) => key.to_str().unwrap_or_default().to_owned(),
        None => fresh_key(),
    };
    let opened = checkout::open(&service, &caller, &asked.plan, &key).await?;
    Ok(axum::Json(CheckoutOpened { url: opened.url, session: opened.session }))
}

/// Opens Stripe's customer portal, for cards, invoices and cancelling. For admins and the billing owner.
#[utoipa::path(post, path = "/api/billing/portal", tag = "billing", operation_id = "portal_open",
    responses(WriteRefused, (status = 200, body = PortalOpened)))]
pub async fn open_portal(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
) -> Result<axum::Json<PortalOpened>, Refusal> {
    Ok(axum::Json(PortalOpened { url: portal::open(&service, &caller).await? }))
}
