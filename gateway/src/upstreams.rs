//! The servers behind, by name. Their addresses come from settings only; names are resolved anew now and then.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use config::UpstreamAddress;
use config::routes::Timeouts;
use http::HeaderValue;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};

/// How often names are resolved.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

pub struct Upstream {
    address: UpstreamAddress,
    host: HeaderValue,
    sockets: RwLock<Arc<[SocketAddr]>>,
    next: AtomicUsize,
}

impl Upstream {
    fn new(address: &UpstreamAddress) -> anyhow::Result<Self> {
        let bare = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
        let default_port = if address.tls { 443 } else { 80 };
        let host = if address.port == default_port { bare } else { format!("{bare}:{}", address.port) };
        let known: Vec<SocketAddr> =
            address.host.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, address.port)).into_iter().collect();
        Ok(Self {
            address: address.clone(),
            host: HeaderValue::from_str(&host)?,
            sockets: RwLock::new(known.into()),
            next: AtomicUsize::new(0),
        })
    }

    /// What the upstream gets as `Host`.
    pub fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Where and how to connect; `None` while the name can't be resolved.
    pub fn peer(&self, timeouts: &Timeouts) -> Option<Box<HttpPeer>> {
        let sockets = self.sockets.read().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let socket = *sockets.get(turn.checked_rem(sockets.len())?)?;
        let sni = if self.address.tls { self.address.host.clone() } else { String::new() };
        let mut peer = HttpPeer::new(socket, self.address.tls, sni);
        let options = &mut peer.options;
        options.connection_timeout = Some(timeouts.connect);
        options.total_connection_timeout = Some(timeouts.connect);
        options.read_timeout = Some(timeouts.response);
        options.write_timeout = Some(timeouts.write);
        // Below what servers commonly keep, so that a pooled connection is seldom one the upstream is just closing.
        options.idle_timeout = Some(Duration::from_secs(50));
        // A connection that was upgraded carries what nobody meters.
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Some(Box::new(peer))
    }

    async fn resolve(&self) {
        if self.address.host.parse::<IpAddr>().is_ok() {
            return;
        }
        match tokio::net::lookup_host((self.address.host.as_str(), self.address.port)).await {
            Ok(found) => {
                let found: Arc<[SocketAddr]> = found.collect();
                // An empty answer is a fault of the resolver more often than the end of an upstream.
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

/// All upstreams of the settings.
#[derive(Clone)]
pub struct Upstreams(Arc<BTreeMap<String, Arc<Upstream>>>);

impl Upstreams {
    pub fn new(addresses: &BTreeMap<String, UpstreamAddress>) -> anyhow::Result<Self> {
        let upstreams = addresses.iter().map(|(name, address)| Ok((name.clone(), Arc::new(Upstream::new(address)?))));
        Ok(Self(Arc::new(upstreams.collect::<anyhow::Result<_>>()?)))
    }

    pub fn get(&self, name: &str) -> Option<Arc<Upstream>> {
        self.0.get(name).cloned()
    }

    /// Resolves every name once.
    pub async fn resolve(&self) {
        futures::future::join_all(self.0.values().map(|upstream| upstream.resolve())).await;
    }

    pub async fn keep_resolving(self) {
        loop {
            tokio::time::sleep(RESOLVE_EVERY).await;
            self.resolve().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_resolving_and_a_name_does() {
        let upstream = |text: &str| Upstream::new(&text.parse().unwrap()).unwrap();
        let timeouts = Timeouts {
            connect: Duration::from_secs(1),
            response: Duration::from_secs(1),
            write: Duration::from_secs(1),
        };
        assert!(upstream("http://127.0.0.1:7070").peer(&timeouts).is_some());
        assert!(upstream("http://chat.example").peer(&timeouts).is_none());
        assert_eq!(upstream("https://chat.example").host(), "chat.example");
        assert_eq!(upstream("http://[::1]:9").host(), "[::1]:9");
    }
}
