//! One request of `/v1`: its key, the outage it may meet, its idempotency key, its answer.

pub mod error;
pub mod expand;
pub mod form;
pub mod idempotency;
pub mod list;
pub mod outage;
pub mod seen;

mod customers;
mod invoices;
mod offers;
mod refunds;
mod sessions;
mod subscriptions;
mod table;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::world::clock::wall_ms;
use crate::world::{Asker, World, ids};
use error::ApiError;
use idempotency::Answer;
use outage::Fault;

/// One request, taken apart.
pub struct Request<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    pub body: &'a str,
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Stripe's own limit.
const KEY_LENGTH_MAX: usize = 255;

pub async fn serve(State(stage): State<Stage>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let id = ids::part("req_");
    let request = Request {
        method: &method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        body: &String::from_utf8_lossy(&body),
    };
    let fault = stage.act(|world| {
        note(world, &id, &request, &headers);
        world.outage.meet(request.path)
    });
    let answer = match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Status(status)) => Err(ApiError::out_of_order(status)),
        None | Some(Fault::AnswerLost) => {
            let key = &stage.api_key;
            stage.act(|world| authorize(key, &headers).and_then(|()| once(world, &id, &request, &headers)))
        }
    };
    if matches!(fault, Some(Fault::AnswerLost)) {
        std::future::pending::<()>().await;
    }
    respond(&id, &headers, answer)
}

fn note(world: &mut World, id: &str, request: &Request<'_>, headers: &HeaderMap) {
    world.seen.record(json!({
        "id": id,
        "at_ms": wall_ms(),
        "method": request.method.as_str(),
        "path": request.path,
        "query": request.query,
        "body": request.body,
        "idempotency_key": header(headers, IDEMPOTENCY_KEY),
        "stripe_version": header(headers, "stripe-version"),
    }));
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn authorize(key: &str, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = header(headers, AUTHORIZATION.as_str()) else {
        return Err(ApiError::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth.",
        ));
    };
    if given.strip_prefix("Bearer ") == Some(key) {
        return Ok(());
    }
    Err(ApiError::unauthorized("Invalid API Key provided."))
}

/// Does a request, or says again what was said to it the first time.
fn once(world: &mut World, id: &str, request: &Request<'_>, headers: &HeaderMap) -> Result<(Answer, bool), ApiError> {
    let key = header(headers, IDEMPOTENCY_KEY).filter(|_| request.method == Method::POST);
    if key.is_some_and(|key| key.len() > KEY_LENGTH_MAX) {
        return Err(ApiError::invalid(format!("Idempotency keys are at most {KEY_LENGTH_MAX} characters.")));
    }
    let print = format!("{} {}?{} {}", request.method, request.path, request.query, request.body);
    if let Some(answer) = key.map(|key| world.answers.find(key, &print)).transpose()?.flatten() {
        return Ok((answer, true));
    }
    world.asker = Asker { request: Some(id.to_owned()), idempotency_key: key.map(str::to_owned) };
    let answer = match table::answer(world, request) {
        Ok(body) => Answer { status: StatusCode::OK, body },
        // What was refused before anything was done may be asked again with the same key.
        Err(err) if err.status != StatusCode::PAYMENT_REQUIRED => return Err(err),
        Err(err) => Answer { status: err.status, body: err.body() },
    };
    if let Some(key) = key {
        world.answers.keep(key.to_owned(), print, answer.clone());
    }
    Ok((answer, false))
}

fn respond(id: &str, headers: &HeaderMap, answer: Result<(Answer, bool), ApiError>) -> Response {
    let (status, body, again) = match answer {
        Ok((answer, again)) => (answer.status, answer.body, again),
        Err(err) => (err.status, err.body(), false),
    };
    let mut response: Response = (status, Json::<Value>(body)).into_response();
    let version = header(headers, "stripe-version").unwrap_or(crate::shapes::API_VERSION);
    let said = [
        ("request-id", Some(id)),
        ("stripe-version", Some(version)),
        (IDEMPOTENCY_KEY, header(headers, IDEMPOTENCY_KEY)),
        ("idempotent-replayed", again.then_some("true")),
    ];
    for (name, value) in said {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
