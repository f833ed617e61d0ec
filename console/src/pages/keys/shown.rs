//! A key's secret, once: the answer to the form that made it, which no address leads to. The same form sent again is told so.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use rand::RngExt;

use crate::api::once;
use crate::keys::change::Made;
use crate::pages::shell::{self, Section, Shell};
use crate::pages::when::When;
use crate::refusal::Refusal;

#[derive(Template)]
#[template(path = "keys/shown.html")]
struct Page<'a> {
    shell: Shell,
    name: &'a str,
    id: String,
    secret: &'a str,
    old_ends: Option<When>,
}

#[derive(Template)]
#[template(path = "keys/made_before.html")]
struct MadeBefore<'a> {
    shell: Shell,
    name: &'a str,
    id: &'a str,
}

/// A form's own number, by which it is known when it is sent again.
pub fn nonce() -> String {
    let number: u128 = rand::rng().random();
    format!("{number:032x}")
}

/// Shows what was made now, or says that it was made before.
pub fn page(shell: Shell, name: &str, made: Result<Made, Refusal>) -> Result<Response, Refusal> {
    match made {
        Ok(made) => shell::page(&Page {
            shell,
            name,
            id: made.key.to_string(),
            secret: made.secret.reveal(),
            old_ends: made.old_ends_at.map(When::instant),
        }),
        Err(refusal) if refusal.code == once::USED => {
            let id = refusal.numbers.get("made").and_then(|made| made.as_str()).unwrap_or_default();
            let mut response = shell::page(&MadeBefore { shell, name, id })?;
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}
