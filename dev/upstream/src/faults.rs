//! Which fault a request meets: the one its header names, else the one ordered by `POST /_fault`.

use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Stage;
use crate::door::Breaker;
use crate::fault::{Fault, Kind};

/// The request header that orders a fault for this one request.
const HEADER: &str = "pretend-fault";

/// The standing order, if there is one.
#[derive(Default)]
pub struct Faults {
    standing: Mutex<Option<Standing>>,
}

struct Standing {
    fault: Fault,
    /// Requests that will still meet it; `None` = all, until it is taken back.
    times: Option<u64>,
}

impl Faults {
    fn find(&self, headers: &HeaderMap) -> Result<Fault, String> {
        if let Some(value) = headers.get(HEADER) {
            return Fault::parse(value.to_str().map_err(|_| "Pretend-Fault is not plain text".to_owned())?);
        }
        let mut standing = self.lock();
        let Some(order) = standing.as_mut() else { return Ok(Fault::default()) };
        let fault = order.fault;
        match order.times.as_mut() {
            Some(times) if *times <= 1 => *standing = None,
            Some(times) => *times -= 1,
            None => {}
        }
        Ok(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Standing>> {
        // The value is replaced whole, so a panic elsewhere leaves it sound.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the request down, plays what its fault does before an answer, and hands the rest of the fault to the handler.
pub async fn play(
    State(stage): State<Stage>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    mut request: Request,
    next: Next,
) -> Response {
    stage.seen.record(&request);
    let fault = match stage.faults.as_ref().map_or(Ok(Fault::default()), |faults| faults.find(request.headers())) {
        Ok(fault) => fault,
        Err(err) => return refused(&err),
    };
    tokio::time::sleep(fault.delay).await;
    match fault.kind {
        Kind::Status(status) => {
            (status, Json(json!({ "error": "an ordered fault", "status": status.as_u16() }))).into_response()
        }
        Kind::Silence => std::future::pending().await,
        Kind::Refuse => {
            breaker.break_connection();
            StatusCode::OK.into_response()
        }
        kind => {
            request.extensions_mut().insert(kind);
            next.run(request).await
        }
    }
}

/// The body of `POST /_fault`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    fault: String,
    times: Option<u64>,
}

/// Takes an order as JSON, whatever content type a hurried `curl -d` gave it.
pub async fn order(State(stage): State<Stage>, body: Bytes) -> Response {
    let Some(faults) = stage.faults else { return switched_off() };
    let order = match serde_json::from_slice::<Order>(&body) {
        Ok(order) => order,
        Err(err) => return refused(&err.to_string()),
    };
    match Fault::parse(&order.fault) {
        Ok(fault) if fault == Fault::default() || order.times == Some(0) => *faults.lock() = None,
        Ok(fault) => *faults.lock() = Some(Standing { fault, times: order.times }),
        Err(err) => return refused(&err),
    }
    Json(report(&faults)).into_response()
}

pub async fn show(State(stage): State<Stage>) -> Response {
    stage.faults.map_or_else(switched_off, |faults| Json(report(&faults)).into_response())
}

pub async fn clear(State(stage): State<Stage>) -> Response {
    let Some(faults) = stage.faults else { return switched_off() };
    *faults.lock() = None;
    Json(report(&faults)).into_response()
}

fn report(faults: &Faults) -> Value {
    match faults.lock().as_ref() {
        Some(order) => json!({ "fault": order.fault.to_json(), "times": order.times }),
        None => json!({ "fault": null }),
    }
}

fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}

fn switched_off() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "faults are switched off by --no-faults" }))).into_response()
}
