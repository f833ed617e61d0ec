//! Stylesheet, script and icon: compiled in, named by what they hold so that browsers may keep them.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::refusal::Refusal;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// Where a file is, with the start of its digest: a new release is a new address.
pub fn address(name: &str) -> String {
    let digest = Files::get(name).map_or(0, |file| {
        let hash = file.metadata.sha256_hash();
        u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
    });
    format!("/assets/{name}?v={digest:016x}")
}

pub async fn serve(Path(name): Path<String>) -> Result<Response, Refusal> {
    let file = Files::get(&name).ok_or_else(|| Refusal::not_found("file"))?;
    let kind = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let lines = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((lines, file.data).into_response())
}
