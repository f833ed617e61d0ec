//! A refusal as a page: what is wrong, what was not changed, and the way out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::pages::shell::{Section, Shell};
use crate::refusal::Refusal;
use crate::service::Service;

#[derive(Template)]
#[template(path = "refused.html")]
struct Page {
    shell: Shell,
    title: &'static str,
    detail: String,
    code: &'static str,
    /// Where to sign in; empty where that is not what is missing, or nobody says where.
    sign_in: String,
    back: String,
}

/// Shows refusals as pages, but to those who asked the API.
pub async fn dressed(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let back = back(&request);
    let response = next.run(request).await;
    let Some(refusal) = response.extensions().get::<Refusal>().cloned() else { return response };
    let page = Page {
        shell: Shell::new(&service, None, Section::Elsewhere),
        title: title(&refusal),
        detail: refusal.detail.clone(),
        code: refusal.code,
        sign_in: if refusal.status.as_u16() == 401 {
            service.settings.brand.sign_in_url.clone()
        } else {
            String::new()
        },
        back,
    };
    match page.render() {
        Ok(html) => {
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(header::CONTENT_TYPE);
            parts.headers.remove(header::CONTENT_LENGTH);
            (parts.status, parts.headers, Html(html)).into_response()
        }
        Err(_) => response,
    }
}

fn title(refusal: &Refusal) -> &'static str {
    match refusal.status.as_u16() {
        401 => "Please sign in",
        403 => "This is not open to you",
        404 => "Not found",
        400 | 405 | 409 | 412 | 413 | 415 | 422 => "This could not be done",
        _ => "Not right now",
    }
}

/// The page that somebody came from, if it is one of ours; else the Billing screen.
fn back(request: &Request) -> String {
    let referer = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let path = referer.zip(host).and_then(|(referer, host)| {
        let (_, rest) = referer.split_once("://")?;
        let path = rest.strip_prefix(host)?;
        (path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
    });
    path.unwrap_or_else(|| "/billing".to_owned())
}
