//! One key: how it stands, and what it is held to.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ledger::KeyView;
use metering::KeyId;

use super::Standing;
use super::fields::{Fields, Typed, fingerprint};
use super::row::KeyRow;
use crate::caller::{AccountAdmin, Caller};
use crate::input::{Form, Path, Query};
use crate::keys::{change, seen};
use crate::pages::notice::NoticeQuery;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Template)]
#[template(path = "keys/one.html")]
struct Page {
    shell: Shell,
    standing: Standing,
    key: KeyRow,
    fields: Fields,
    /// Somebody else has changed it since the form was shown.
    changed: bool,
}

pub async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(key): Path<KeyId>,
    Query(asked): Query<NoticeQuery>,
) -> Result<Response, Refusal> {
    let view = change::own(&service, &caller, key).await?;
    let fields = Fields::of(&view.policy);
    let shell = Shell::new(&service, Some(&caller), Section::Keys).with_notice(asked.notice());
    shell::page(&page(&service, &caller, shell, view, fields, false).await?)
}

pub async fn hold(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let view = change::own(&service, &caller, key).await?;
    let held_to = fingerprint(&view.policy);
    let again = async |view: KeyView, fields: Fields, changed: bool, status: StatusCode| {
        let shell = Shell::new(&service, Some(&caller), Section::Keys);
        shell::page_as(status, &page(&service, &caller, shell, view, fields, changed).await?)
    };
    let policy = match Fields::read_policy(typed.clone(), &view.policy) {
        Ok(policy) => policy,
        Err(fields) => return again(view, *fields, false, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    if typed.held != held_to {
        let over = Typed { held: held_to, ..typed };
        return again(view, Fields::typed(over), true, StatusCode::PRECONDITION_FAILED).await;
    }
    change::hold(&service, &caller, &view, &policy).await?;
    Ok(shell::see_other(&format!("/keys/{key}?done=key_changed")))
}

async fn page(
    service: &Service,
    caller: &Caller,
    shell: Shell,
    view: KeyView,
    fields: Fields,
    changed: bool,
) -> Result<Page, Refusal> {
    let seen = seen::look(service, caller.account, vec![view]).await?;
    let key = seen.keys.first().map(|key| KeyRow::of(key, &seen)).ok_or_else(|| Refusal::not_found("key"))?;
    Ok(Page { shell, standing: Standing::of(&seen), key, fields, changed })
}
