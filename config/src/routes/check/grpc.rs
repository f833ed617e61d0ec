//! The checks of a route's rules for gRPC answers.

use toml::Spanned;

use super::Source;
use crate::error::ConfigError;

/// The statuses of gRPC, each at its number.
const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Those that mean what 5xx means. `DEADLINE_EXCEEDED` does not count: its deadline is the caller's own (`grpc-timeout`), who could
/// set it so that the work is done and the credits come back.
const SERVER_ERRORS: [&str; 5] = ["UNKNOWN", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

pub(super) fn server_errors(
    source: &Source<'_>,
    written: Option<&Spanned<Vec<String>>>,
) -> Result<Vec<u8>, ConfigError> {
    let numbers = |names: &[&str]| names.iter().map(|name| number(name)).collect::<Result<Vec<u8>, String>>();
    match written {
        None => numbers(&SERVER_ERRORS).map_err(|what| ConfigError::at_line(source.name, 1, what)),
        Some(written) => {
            let names: Vec<&str> = written.get_ref().iter().map(String::as_str).collect();
            numbers(&names).map_err(|what| source.at(written, what))
        }
    }
}

fn number(name: &str) -> Result<u8, String> {
    let place = STATUSES.iter().skip(1).position(|known| *known == name);
    place.and_then(|place| u8::try_from(place + 1).ok()).ok_or_else(|| {
        format!("`{name}` is no status of gRPC that can be an error (known: {})", STATUSES[1..].join(", "))
    })
}
