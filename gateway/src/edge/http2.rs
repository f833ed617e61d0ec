//! The limits on HTTP/2, all of them said: what is left to a default may change with it.

use std::time::Duration;

use config::gateway::Http2;
use pingora::apps::HttpServerOptions;
use pingora::protocols::http::v2::server::H2Options;

/// Streams that the caller has reset and nobody has looked at yet; more end the connection.
const RESETS_UNSEEN_MAX: usize = 20;
/// Streams that the gateway has reset and remembers for late frames.
const RESETS_REMEMBERED_MAX: usize = 50;
/// Resets that the caller provokes by breaking the protocol; more end the connection.
const RESETS_PROVOKED_MAX: usize = 256;
/// What may be in flight towards us on one stream, and on the connection.
const WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Of one answer, waiting for a caller who reads slowly.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

pub fn http2_limits(settings: &Http2) -> H2Options {
    let mut options = H2Options::default();
    options
        .max_concurrent_streams(settings.streams_max)
        .max_header_list_size(settings.header_bytes_max)
        .max_pending_accept_reset_streams(RESETS_UNSEEN_MAX)
        .max_concurrent_reset_streams(RESETS_REMEMBERED_MAX)
        .max_local_error_reset_streams(Some(RESETS_PROVOKED_MAX))
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buffer_size(ANSWER_BYTES_MAX);
    options
}

/// A connection without a request is closed after its idle time, whatever else it sends.
pub fn http2_options(idle: Duration) -> HttpServerOptions {
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(idle);
    options
}
