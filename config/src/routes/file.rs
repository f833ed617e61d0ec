//! The route file as written, before it is checked; every value remembers where it stands.

use serde::Deserialize;
use toml::Spanned;

use super::{Auth, Durability, Failure, SessionCookie, Upgrade, WhenBlocked};
use crate::error::ConfigError;
use crate::lines::line_at;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    route: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub name: Spanned<String>,
    pub method: Spanned<String>,
    pub host: Option<Spanned<String>>,
    pub path: Spanned<String>,
    pub auth: Auth,
    pub price: Spanned<PriceEntry>,
    pub when_blocked: Option<Spanned<WhenBlocked>>,
    pub scope: Option<Spanned<String>>,
    pub upstream: Option<Spanned<String>>,
    pub answer: Option<Spanned<Answer>>,
    #[serde(default = "body_bytes_max")]
    pub body_bytes_max: u64,
    #[serde(default = "every_failure")]
    pub give_back: Vec<Failure>,
    pub grpc_server_errors: Option<Spanned<Vec<String>>>,
    pub terminal_event: Option<Spanned<String>>,
    pub upgrade: Option<Spanned<Upgrade>>,
    pub price_per_message: Option<Spanned<u64>>,
    pub durability: Option<Spanned<Durability>>,
    pub confirm: Option<Spanned<bool>>,
    pub confirm_ms: Option<Spanned<u64>>,
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    #[serde(default = "response_ms")]
    pub response_ms: u64,
    #[serde(default = "write_ms")]
    pub write_ms: u64,
    pub cors: Option<Spanned<CorsEntry>>,
    pub session_cookie: Option<Spanned<SessionCookie>>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a price is whole credits, { header = \"…\", min = …, max = … }, { json = \"/…\", when_true = …, otherwise = … }, or { hold = …, report = … }"
)]
pub(super) enum PriceEntry {
    Fixed(u64),
    FromHeader(HeaderPrice),
    FromJson(JsonPrice),
    Hold(HoldPrice),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderPrice {
    pub header: String,
    pub min: u64,
    pub max: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonPrice {
    pub json: String,
    pub when_true: u64,
    pub otherwise: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldPrice {
    pub hold: u64,
    pub report: ReportEntry,
    pub unreported: Option<u64>,
    pub hold_ms_max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ReportEntry {
    Word(ReportWord),
    Json(JsonReport),
    LastEvent(LastEventReport),
    Bytes(BytesReport),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReportWord {
    Header,
    Trailer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonReport {
    pub json: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LastEventReport {
    pub last_event: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BytesReport {
    pub bytes_per_credit: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorsEntry {
    pub origins: Vec<String>,
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub credentials: bool,
    #[serde(default = "max_age_seconds")]
    pub max_age_seconds: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Credits,
}

pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Spanned<Entry>>, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        ConfigError::at_line(name, line, error.message())
    })?;
    Ok(file.route)
}

/// 1 MiB: a chat message with its history.
fn body_bytes_max() -> u64 {
    1 << 20
}

fn every_failure() -> Vec<Failure> {
    vec![Failure::Unreachable, Failure::Timeout, Failure::ServerError, Failure::BrokenStream]
}

/// Ten minutes: a change of the route reaches pages soon.
fn max_age_seconds() -> u64 {
    600
}

fn connect_ms() -> u64 {
    2_000
}

/// A minute: a model may think for long before its first byte.
fn response_ms() -> u64 {
    60_000
}

fn write_ms() -> u64 {
    30_000
}
