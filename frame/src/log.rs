//! The log: JSON for machines, text for people.

use config::log::{Format, Log};
use tracing_subscriber::EnvFilter;

/// Starts the log. Call once.
pub fn start(settings: &Log) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.format {
        Format::Json => log.json().flatten_event(true).init(),
        Format::Pretty => log.init(),
    }
}
