//! What holds for every request: a time, a size, writes from our own pages only, and what a browser may do with an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tracing::error;

use crate::pages::refused;
use crate::refusal::Refusal;
use crate::service::Service;

/// Nothing but our own files: no inline script or style, no other host, no frame around us. Where a form leads on to another
/// site there is a page of ours between.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The browsable description of the API is a library's page, which styles itself.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Where that page is.
pub const DOCS: &str = "/api/docs";

/// Puts the guards before the routes.
pub fn guarded(routes: Router, service: &Arc<Service>) -> Router {
    let limits = service.settings.limits;
    let csrf = CsrfLayer::new();
    // Settings have been checked; an origin that the library does not take after all is trusted by nobody.
    let csrf = csrf.clone().add_trusted_origin(&service.settings.public_url).unwrap_or(csrf);
    let csrf = csrf.with_rejection_response(|_: ProtectionError| Refusal::cross_site().into_response());
    let wait = Duration::from_millis(limits.request_ms_max);
    routes
        .layer(DefaultBodyLimit::max(limits.body_bytes_max))
        .layer(csrf)
        .layer(middleware::from_fn(move |request: Request, next: Next| in_time(wait, request, next)))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(service), refused::dressed))
        .layer(middleware::from_fn_with_state(Arc::clone(service), answered))
}

async fn in_time(wait: Duration, request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(wait, next.run(request)).await {
        return response;
    }
    let detail = "This took too long and was given up. Look whether it happened before you try again.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail).into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    error!("a request panicked; what it said stands above");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke here. It has been written down.")
        .into_response()
}

/// Counts, and tells browsers what they may do with the answer.
async fn answered(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_asset = path.starts_with("/assets/");
    let is_docs = path.starts_with(DOCS);
    let kind = match path {
        _ if is_asset || is_docs => "asset",
        path if path.starts_with("/api/") => "api",
        _ => "page",
    };
    let began = Instant::now();
    let mut response = next.run(request).await;
    service.metrics.answered(kind, response.status().as_u16(), began.elapsed());
    let headers = response.headers_mut();
    let policy = if is_docs { DOCS_POLICY } else { POLICY };
    let lines: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in lines {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What one person sees is kept by nobody, unless an answer says otherwise.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
