//! What came, for people (`/`) and for tests (`/_mails`), and the orders of faults (`/_fault`).

mod html;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::Stage;
use crate::faults::Fault;
use crate::mails::Mail;

const ORDER_BYTES_MAX: usize = 16 * 1024;
/// A mail's HTML runs nothing, fetches nothing and goes nowhere.
const NOTHING_RUNS: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";
const PAGE: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'";

pub fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/mails/{number}", get(one))
        .route("/mails/{number}/html", get(frame))
        .route("/mails/{number}/raw", get(raw))
        .route("/_mails", get(list).delete(clear))
        .route("/_fault", get(faults).post(order).delete(forgive))
        .layer(DefaultBodyLimit::max(ORDER_BYTES_MAX))
        .with_state(stage)
}

async fn index(State(stage): State<Arc<Stage>>) -> Response {
    let mails: Vec<_> = stage.mails.list().iter().rev().map(Mail::read).collect();
    page(html::index(&mails))
}

async fn one(State(stage): State<Arc<Stage>>, Path(number): Path<u64>) -> Response {
    stage.mails.find(number).map_or_else(missing, |mail| page(html::mail(&mail.read())))
}

async fn frame(State(stage): State<Arc<Stage>>, Path(number): Path<u64>) -> Response {
    let Some(mail) = stage.mails.find(number) else { return missing() };
    ([(header::CONTENT_SECURITY_POLICY, NOTHING_RUNS)], Html(mail.read().html)).into_response()
}

async fn raw(State(stage): State<Arc<Stage>>, Path(number): Path<u64>) -> Response {
    let Some(mail) = stage.mails.find(number) else { return missing() };
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], mail.raw).into_response()
}

async fn list(State(stage): State<Arc<Stage>>) -> Response {
    let mails: Vec<_> = stage.mails.list().iter().map(Mail::read).collect();
    Json(json!({ "mails": mails })).into_response()
}

async fn clear(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.mails.clear();
    StatusCode::NO_CONTENT
}

async fn faults(State(stage): State<Arc<Stage>>) -> Response {
    Json(json!({ "faults": stage.faults.list() })).into_response()
}

/// Takes an order as JSON, whatever content type a hurried `curl -d` gave it.
async fn order(State(stage): State<Arc<Stage>>, body: Bytes) -> Response {
    let ordered = serde_json::from_slice::<Fault>(&body).map_err(|error| error.to_string());
    match ordered.and_then(|fault| stage.faults.order(fault)) {
        Ok(()) => faults(State(stage)).await,
        Err(why) => (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response(),
    }
}

async fn forgive(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.faults.clear();
    StatusCode::NO_CONTENT
}

fn page(body: String) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, PAGE)], Html(body)).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, "There is no such mail here.\n").into_response()
}
