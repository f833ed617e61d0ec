//! A request's place at one server of a group. It counts for as long as it lives, and may move while nothing was sent.

use std::sync::Arc;
use std::time::Instant;

use config::routes::Timeouts;
use http::HeaderValue;
use pingora::prelude::HttpPeer;

use super::group::Group;
use crate::wire::gathered;

pub struct Place {
    group: Arc<Group>,
    server: usize,
    /// The servers that could not be reached, a bit each.
    tried: u64,
    tries_left: u32,
    connecting_since: Option<Instant>,
}

impl Place {
    /// Whoever calls this has counted it at the server.
    pub(super) fn new(group: Arc<Group>, server: usize) -> Self {
        let tries_left = group.connect_tries();
        Self { group, server, tried: 0, tries_left, connecting_since: None }
    }

    #[cfg(test)]
    pub(super) fn server(&self) -> usize {
        self.server
    }

    pub fn host(&self) -> &HeaderValue {
        self.group.server(self.server).host()
    }

    /// Where and how to connect; `None` while the server's name can't be resolved. What is left of the route's time is shared
    /// among the tries that are left, so that a server that is silent leaves time for another.
    pub fn peer(&mut self, timeouts: &Timeouts, now: Instant) -> Option<Box<HttpPeer>> {
        let since = *self.connecting_since.get_or_insert(now);
        let left = timeouts.connect.saturating_sub(now.saturating_duration_since(since));
        let timeouts = Timeouts { connect: left / self.tries_left.max(1), ..*timeouts };
        let mut peer = self.group.server(self.server).peer(self.group.manner(), &timeouts)?;
        if !peer.is_tls() && !self.group.manner().h2 {
            peer.options.alpn = gathered();
        }
        Some(peer)
    }

    /// Its server could not be reached: moves to another one, or to another address of the same; `false` when there is none.
    pub fn move_on(&mut self) -> bool {
        self.group.failed(self.server);
        self.tried |= 1 << self.server;
        self.tries_left = self.tries_left.saturating_sub(1);
        if self.tries_left == 0 {
            return false;
        }
        let Some(other) = self.group.place_elsewhere(self.tried) else {
            return self.group.server(self.server).has_another_socket();
        };
        self.group.server(self.server).leave_place();
        self.server = other;
        true
    }

    /// A connection stands. Should a free request need another one later, its time begins anew.
    pub fn reached(&mut self) {
        self.connecting_since = None;
    }

    /// The server's answer has begun.
    pub fn answered(&self, status: u16) {
        if status >= 500 {
            self.group.failed(self.server);
        } else {
            self.group.server(self.server).standing.good();
        }
    }

    /// The server took the request and did not answer.
    pub fn broke(&self) {
        self.group.failed(self.server);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.group.server(self.server).leave_place();
    }
}
