//! Making a key: the form, and the page that shows its secret once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::fields::{Fields, Typed};
use super::shown;
use crate::api::once::{OnceKey, fresh_key};
use crate::caller::{AccountAdmin, Caller};
use crate::input::Form;
use crate::keys::{change, seen};
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Template)]
#[template(path = "keys/new.html")]
struct Page {
    shell: Shell,
    /// Why keys of this account are refused now.
    why: Option<&'static str>,
    fields: Fields,
}

pub async fn form(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
) -> Result<Response, Refusal> {
    page(&service, &caller, Fields::empty(fresh_key()), StatusCode::OK).await
}

pub async fn send(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let (asked, typed) = match Fields::read_new(typed, service.clock.now()) {
        Ok(read) => read,
        Err(fields) => return page(&service, &caller, *fields, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    let (once, name) = (OnceKey::of_form(&typed.nonce)?, asked.name.clone());
    let made = Box::pin(change::create(&service, &caller, once, asked)).await;
    shown::page(Shell::new(&service, Some(&caller), Section::Keys), &name, made)
}

async fn page(service: &Service, caller: &Caller, fields: Fields, status: StatusCode) -> Result<Response, Refusal> {
    let why = seen::why(service.book.account_view(caller.account, service.clock.now()).await?.status);
    shell::page_as(status, &Page { shell: Shell::new(service, Some(caller), Section::Keys), why, fields })
}
