//! The billing API: what the pages use, for programs. JSON, `application/problem+json`, pages by cursor, and a description that is made of the code.

pub mod activity;
pub mod billing;
pub mod etag;
pub mod keys;
pub mod list;
pub mod once;
pub mod operator;
pub mod refused;
pub mod settings;

use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::guard::DOCS;

/// Where programs find the description.
pub const DESCRIPTION: &str = "/api/openapi.json";

/// What the description begins with; `routes.rs` adds each operation.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tollgate billing API",
        description = "What the Billing screen shows and does, for programs. Errors are problem+json (RFC 9457) with a stable `code`. Credits are whole numbers.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    modifiers(&Schemes),
    security(("session" = []), ("bearer" = []))
)]
pub struct Description;

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let parts = description.components.get_or_insert_default();
        let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-tollgate-session"));
        parts.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        parts.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// What is wrong, as every refusal says it (RFC 9457). Beside these it holds the numbers that caused it.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `about:blank`: the code says which it is.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// A stable word for programs.
    code: String,
    /// A sentence for people.
    detail: String,
}

/// The description, and a page to browse it.
pub fn docs(description: &utoipa::openapi::OpenApi) -> Router {
    let text = serde_json::to_string(description).unwrap_or_default();
    let json = move || async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], text) };
    let browsable = SwaggerUi::new(DOCS).config(Config::new([DESCRIPTION]));
    Router::new().route(DESCRIPTION, get(json)).merge(browsable)
}

/// What `--openapi` prints; the committed copy is held against it.
#[expect(clippy::print_stdout, reason = "printing is what it was asked for")]
pub fn print_description() -> ExitCode {
    match crate::routes::description().to_pretty_json() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the description can't be written: {error}");
            ExitCode::FAILURE
        }
    }
}
