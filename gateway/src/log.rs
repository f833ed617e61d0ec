//! How the gateway's own log is written; the line of each request is `request_log`'s.

use config::ConfigError;
use config::gateway::Log;
use config::log::Format;
use tracing_subscriber::EnvFilter;

/// pingora quotes whole headers at lower levels, and a header holds the caller's key; what breaks in a request stands in
/// the request's own line.
const NEVER_QUOTE: [&str; 2] = ["pingora_proxy=off", "pingora_core=error"];

/// Checks the level that the settings name.
pub fn filter(log: &Log) -> Result<EnvFilter, ConfigError> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| ConfigError::about_key("log.level", format!("`{}`: {error}", log.level)))?;
    // These come last, and so win over whatever the operator's filter says about pingora.
    Ok(NEVER_QUOTE.iter().filter_map(|directive| directive.parse().ok()).fold(filter, EnvFilter::add_directive))
}

pub fn start(format: Format, filter: EnvFilter) {
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        Format::Json => builder.json().flatten_event(true).init(),
        Format::Pretty => builder.with_ansi(false).init(),
    }
}
