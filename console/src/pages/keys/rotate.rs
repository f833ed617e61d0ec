//! Replacing a key: the form, and the page that shows the new secret once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ledger::KeyView;
use metering::{KeyId, TimeMs};
use serde::Deserialize;

use super::fields::{Fields, Typed};
use super::shown;
use crate::api::once::{OnceKey, fresh_key};
use crate::caller::{AccountAdmin, Caller};
use crate::input::{Form, Path};
use crate::keys::change::{self, Replace};
use crate::keys::seen::State as Standing;
use crate::pages::shell::{self, Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

const HOUR_MS: u64 = 3_600_000;

/// How long the old key may still be good, each with its words.
const GRACES: [(&str, u64, &str); 4] = [
    ("0", 0, "It ends at once"),
    ("1h", HOUR_MS, "1 hour"),
    ("24h", 24 * HOUR_MS, "24 hours"),
    ("7d", change::GRACE_MS_MAX, "7 days"),
];
const USUAL: &str = "24h";

/// As sent.
#[derive(Deserialize)]
pub struct Sent {
    grace: String,
    #[serde(default)]
    expires: String,
    nonce: String,
}

/// One choice.
struct Grace {
    word: &'static str,
    text: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "keys/rotate.html")]
struct Page {
    shell: Shell,
    id: String,
    name: String,
    graces: Vec<Grace>,
    fields: Fields,
}

pub async fn form(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
) -> Result<Response, Refusal> {
    let view = change::own(&service, &caller, key).await?;
    let now = service.clock.now();
    if !Standing::of(&view, now).is_good() || view.rotated_to.is_some() {
        return Ok(shell::see_other(&format!("/keys/{key}"))); // which says how it stands
    }
    let expires = view.expires_at.filter(|at| *at > next_day(now)).map(show::day).unwrap_or_default();
    let typed = Typed { expires, nonce: fresh_key(), ..Typed::default() };
    shell::page(&page(&service, &caller, &view, USUAL, Fields::typed(typed)))
}

pub async fn send(
    State(service): State<Arc<Service>>,
    AccountAdmin(caller): AccountAdmin,
    Path(key): Path<KeyId>,
    Form(sent): Form<Sent>,
) -> Result<Response, Refusal> {
    let view = change::own(&service, &caller, key).await?;
    let known = GRACES.iter().find(|(word, ..)| *word == sent.grace);
    let (word, grace_ms, _) = *known.ok_or_else(|| Refusal::invalid("There is no such grace."))?;
    let typed = Typed { expires: sent.expires, nonce: sent.nonce, ..Typed::default() };
    let (expires_at, typed) = match Fields::read_expiry(typed, service.clock.now()) {
        Ok(read) => read,
        Err(fields) => {
            let page = page(&service, &caller, &view, word, *fields);
            return shell::page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let once = OnceKey::of_form(&typed.nonce)?;
    let replace = Replace::of(&view, grace_ms, expires_at);
    let made = Box::pin(change::rotate(&service, &caller, once, replace)).await;
    shown::page(Shell::new(&service, Some(&caller), Section::Keys), &view.name, made)
}

fn page(service: &Service, caller: &Caller, view: &KeyView, chosen: &str, fields: Fields) -> Page {
    let graces = GRACES.iter().map(|&(word, _, text)| Grace { word, text, chosen: word == chosen });
    Page {
        shell: Shell::new(service, Some(caller), Section::Keys),
        id: view.key.to_string(),
        name: view.name.clone(),
        graces: graces.collect(),
        fields,
    }
}

/// The first midnight from now on.
fn next_day(now: TimeMs) -> TimeMs {
    ledger::Day::of(now).plus(1).starts_at()
}
