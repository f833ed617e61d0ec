//! The other pretend paths: an artifact, a usage page, a batch, and the answer for everything else.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::answer;
use crate::fault::Kind;

pub async fn artifact(Extension(kind): Extension<Kind>, Path(id): Path<String>) -> Response {
    answer::json(&json!({ "artifact": id, "content": "A page that was made earlier." }), kind)
}

/// Says whom the gateway named, which is the only thing a pretend upstream can know about usage.
pub async fn usage(Extension(kind): Extension<Kind>, headers: HeaderMap) -> Response {
    let account = headers.get("tollgate-account").and_then(|value| value.to_str().ok());
    answer::json(&json!({ "account": account, "requests": 0 }), kind)
}

pub async fn batch(Extension(kind): Extension<Kind>, headers: HeaderMap, body: Bytes) -> Response {
    let size = headers.get("batch-size").and_then(|value| value.to_str().ok());
    answer::json(&json!({ "accepted": size, "received_bytes": body.len() }), kind)
}

pub async fn unknown(uri: Uri) -> Response {
    let error = format!("the pretend upstream has no {}", uri.path());
    (StatusCode::NOT_FOUND, axum::Json(json!({ "error": error }))).into_response()
}
