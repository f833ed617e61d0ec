//! The limits on what a caller may send and how long it may take.

use std::time::Duration;

use pingora::proxy::Session;

pub struct Limits {
    pub header: HeaderLimits,
    /// From a request's header to the end of its body.
    pub body: Duration,
    /// The largest body that is read before the draw because its request has an `Idempotency-Key`.
    pub idempotent_body_bytes_max: usize,
    /// A keep-alive connection without a request.
    pub idle_seconds: u64,
    /// A caller who takes no bytes of an answer.
    pub write: Duration,
}

impl Limits {
    /// Sets what pingora keeps by itself, on a request whose header has been read.
    pub fn apply(&self, session: &mut Session) {
        session.set_read_timeout(Some(self.body));
        session.set_write_timeout(Some(self.write));
        // `None` is a caller who wants the connection closed.
        if session.get_keepalive().is_some() {
            session.set_keepalive(Some(self.idle_seconds));
        }
    }
}

/// Largest header, and most lines of one.
#[derive(Clone, Copy, Debug)]
pub struct HeaderLimits {
    pub bytes_max: usize,
    pub count_max: usize,
}
