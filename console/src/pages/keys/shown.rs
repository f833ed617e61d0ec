//! A key's secret, once: the answer to the form that made it, which no address leads to. The same form sent again is told so.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

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
            shell::page_as(StatusCode::CONFLICT, &MadeBefore { shell, name, id })
        }
        Err(refusal) => Err(refusal),
    }
}
