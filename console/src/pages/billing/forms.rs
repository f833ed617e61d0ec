//! The forms of the Billing screen: budget, checkout, customer portal.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::budget::Typed;
use crate::api::once::fresh_key;
use crate::billing::{budget, checkout, portal};
use crate::caller::AccountAdmin;
use crate::input::Form;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

/// A budget as it was typed, or a preset.
#[derive(Deserialize)]
pub struct BudgetForm {
    limit: String,
    /// The limit that the page showed.
    seen: Option<String>,
}

/// A plan that was chosen.
#[derive(Deserialize)]
pub struct CheckoutForm {
    plan: String,
    key: Option<String>,
}

/// Leads on to a page of Stripe's: forms may not, by our policy for browsers.
#[derive(Template)]
#[template(path = "billing/leading.html")]
struct Leading {
    shell: Shell,
    url: String,
}

pub async fn save_budget(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Form(form): Form<BudgetForm>,
) -> Result<Response, Refusal> {
    let limit = match budget::typed(&form.limit) {
        Ok(limit) => limit,
        Err(wrong) => {
            let typed = Typed { text: form.limit, wrong };
            return super::again(&service, &caller, typed, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let seen = form.seen.and_then(|seen| seen.parse().ok());
    match budget::save(&service, &caller, seen, limit).await {
        Ok(()) => Ok(shell::see_other("/billing?done=budget_saved")),
        Err(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => {
            let wrong = "Somebody has changed the budget meanwhile, to what stands above. Save again to overwrite it.";
            let typed = Typed { text: form.limit, wrong: wrong.to_owned() };
            super::again(&service, &caller, typed, refusal.status).await
        }
        Err(refusal) => Err(refusal),
    }
}

pub async fn open_checkout(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Form(form): Form<CheckoutForm>,
) -> Result<Response, Refusal> {
    let key = form.key.unwrap_or_else(fresh_key);
    let opened = checkout::open(&service, &caller, &form.plan, &key).await?;
    leading(Shell::new(&service, Some(&caller), Section::Billing), opened.url)
}

pub async fn open_portal(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
) -> Result<Response, Refusal> {
    let url = portal::open(&service, &caller).await?;
    leading(Shell::new(&service, Some(&caller), Section::Billing), url)
}

fn leading(shell: Shell, url: String) -> Result<Response, Refusal> {
    shell::page(&Leading { shell, url })
}
