//! One server: where it is, how it is connected to, how many requests it has.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use config::UpstreamAddress;
use config::routes::Timeouts;
use config::upstream;
use http::HeaderValue;
use pingora::protocols::ALPN;
use pingora::protocols::tls::CaType;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};

use super::standing::Standing;
use crate::metrics::ServerMetrics;

/// Requests that share one HTTP/2 connection.
const H2_STREAMS_MAX: usize = 100;
/// How often an HTTP/2 connection is asked whether it still lives.
const H2_PING: Duration = Duration::from_secs(10);

pub struct Server {
    pub address: UpstreamAddress,
    pub weight: u32,
    pub standing: Standing,
    pub metrics: ServerMetrics,
    host: HeaderValue,
    sockets: RwLock<Arc<[SocketAddr]>>,
    next: AtomicUsize,
}

/// What all servers of a group have in common.
pub struct Manner {
    pub h2: bool,
    pub ca: Option<Arc<CaType>>,
    pub idle: Duration,
    /// Keeps connections that were made in another manner apart.
    pub pool: u64,
}

impl Server {
    pub fn new(settings: &upstream::Server, metrics: ServerMetrics) -> anyhow::Result<Self> {
        let address = &settings.address;
        let bare = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
        let default_port = if address.tls { 443 } else { 80 };
        let host = if address.port == default_port { bare } else { format!("{bare}:{}", address.port) };
        let known: Vec<SocketAddr> =
            address.host.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, address.port)).into_iter().collect();
        metrics.up.set(1);
        Ok(Self {
            address: address.clone(),
            weight: settings.weight,
            standing: Standing::new(Instant::now()),
            metrics,
            host: HeaderValue::from_str(&host)?,
            sockets: RwLock::new(known.into()),
            next: AtomicUsize::new(0),
        })
    }

    /// What the server gets as `Host`.
    pub fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Counts one more request, unless it has as many as it may.
    pub fn take_place(&self, requests_max: u32) -> bool {
        self.metrics.requests.inc();
        let fits = self.metrics.requests.get() <= i64::from(requests_max);
        if !fits {
            self.metrics.requests.dec();
        }
        fits
    }

    pub fn leave_place(&self) {
        self.metrics.requests.dec();
    }

    /// Whether its addresses must be asked for.
    pub fn has_name(&self) -> bool {
        self.address.host.parse::<IpAddr>().is_err()
    }

    pub fn has_another_socket(&self) -> bool {
        self.sockets.read().unwrap_or_else(PoisonError::into_inner).len() > 1
    }

    /// The next of its addresses; `None` while its name can't be resolved.
    pub fn socket(&self) -> Option<SocketAddr> {
        let sockets = self.sockets.read().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        sockets.get(turn.checked_rem(sockets.len())?).copied()
    }

    /// Where and how to connect.
    pub fn peer(&self, manner: &Manner, timeouts: &Timeouts) -> Option<Box<HttpPeer>> {
        let sni = if self.address.tls { self.address.host.clone() } else { String::new() };
        let mut peer = HttpPeer::new(self.socket()?, self.address.tls, sni);
        peer.group_key = manner.pool;
        let options = &mut peer.options;
        options.connection_timeout = Some(timeouts.connect);
        options.total_connection_timeout = Some(timeouts.connect);
        options.read_timeout = Some(timeouts.response);
        options.write_timeout = Some(timeouts.write);
        options.idle_timeout = Some(manner.idle);
        options.ca.clone_from(&manner.ca);
        if manner.h2 {
            options.alpn = if self.address.tls { ALPN::H2H1 } else { ALPN::H2 };
            options.max_h2_streams = H2_STREAMS_MAX;
            options.h2_ping_interval = Some(H2_PING);
        }
        // A connection that was upgraded carries what nobody meters.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Some(Box::new(peer))
    }

    pub async fn resolve(&self) {
        if !self.has_name() {
            return;
        }
        match tokio::net::lookup_host((self.address.host.as_str(), self.address.port)).await {
            Ok(found) => {
                let found: Arc<[SocketAddr]> = found.collect();
                // An empty answer is a fault of the resolver more often than the end of a server.
                if !found.is_empty() {
                    *self.sockets.write().unwrap_or_else(PoisonError::into_inner) = found;
                }
            }
            Err(error) => {
                let host = &self.address.host;
                tracing::warn!(%error, %host, "upstream {host} can't be resolved");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn server(text: &str) -> Server {
        let metrics = Metrics::new().unwrap().upstreams.server("a", text);
        Server::new(&upstream::Server { address: text.parse().unwrap(), weight: 1 }, metrics).unwrap()
    }

    #[test]
    fn an_address_needs_no_resolving_and_a_name_does() {
        assert!(server("http://127.0.0.1:7070").socket().is_some());
        assert!(server("http://chat.example").socket().is_none());
        assert_eq!(server("https://chat.example").host(), "chat.example");
        assert_eq!(server("http://[::1]:9").host(), "[::1]:9");
    }

    #[test]
    fn a_server_has_no_more_requests_than_it_may() {
        let server = server("http://127.0.0.1:1");
        assert!(server.take_place(2) && server.take_place(2) && !server.take_place(2));
        server.leave_place();
        assert!(server.take_place(2));
    }
}
