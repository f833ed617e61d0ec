//! Revoking a key, after a question: it can't be undone.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use metering::KeyId;

use crate::caller::AccountAdmin;
use crate::input::Path;
use crate::keys::change;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Template)]
#[template(path = "keys/revoke.html")]
struct Page {
    shell: Shell,
    id: String,
    name: String,
    prefix: String,
    last_used: Option<When>,
}

pub async fn ask(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
) -> Result<Response, Refusal> {
    let view = change::own(&service, &caller, key).await?;
    if view.revoked_at.is_some() {
        return Ok(shell::see_other(&format!("/keys/{key}")));
    }
    shell::page(&Page {
        shell: Shell::new(&service, Some(&caller), Section::Keys),
        id: key.to_string(),
        name: view.name,
        prefix: format!("{}…", view.prefix),
        last_used: view.last_used_at.map(When::instant),
    })
}

pub async fn send(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
) -> Result<Response, Refusal> {
    change::revoke(&service, &caller, key).await?;
    Ok(shell::see_other("/keys?done=key_revoked"))
}
