//! Where Redis is and how it is spoken to: the URL, TLS, and what may not be said in the clear.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redis::io::tcp::TcpSettings;
use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, TlsCertificates};
use thiserror::Error;

use super::slots::NodeAddress;

/// Where Redis is. Its parts may be secrets, so it shows none of them.
#[derive(Clone)]
pub struct Place {
    url: String,
    tls: TlsCertificates,
    plaintext: bool,
    known: Arc<Known>,
}

/// Other nodes of a cluster, told of since the process started: any of them can tell of the rest when one is gone.
#[derive(Default)]
struct Known {
    nodes: RwLock<Vec<NodeAddress>>,
    turn: AtomicUsize,
}

/// A place that can't be used. No text of it holds the URL, which may hold a password.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// Nothing can be made of the URL.
    #[error("the URL can't be used; it is redis://user:password@host:port, or rediss:// for TLS")]
    Url,
    /// Somebody could listen.
    #[error("without TLS `{0}` is refused, because it is another machine: use rediss://, or set plaintext = true")]
    Plaintext(String),
    /// Anybody could answer.
    #[error("TLS without verification (#insecure) is refused: name the authority in ca_file")]
    Unverified,
    /// Files of TLS, but no TLS.
    #[error("ca_file and certificate_file are for rediss:// URLs only")]
    TlsUnused,
    /// The files can't be used.
    #[error("the files for TLS can't be used: {0}")]
    Tls(String),
}

impl From<PlaceError> for RedisError {
    fn from(error: PlaceError) -> Self {
        (redis::ErrorKind::InvalidClientConfig, "the place of Redis can't be used", error.to_string()).into()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

impl Place {
    /// As a URL says; another machine only by TLS, whose certificate a public authority vouches for.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let tls = TlsCertificates { client_tls: None, root_cert: None };
        Self { url: url.to_owned(), tls, plaintext: false, known: Arc::default() }
    }

    /// Believes only the authorities in this PEM.
    #[must_use]
    pub fn with_ca(mut self, ca_pem: Option<Vec<u8>>) -> Self {
        self.tls.root_cert = ca_pem;
        self
    }

    /// Shows this certificate, which has this key; both are PEM.
    #[must_use]
    pub fn with_identity(mut self, certificate_pem: Vec<u8>, key_pem: &str) -> Self {
        let client_key = key_pem.as_bytes().to_vec();
        self.tls.client_tls = Some(ClientTlsConfig { client_cert: certificate_pem, client_key });
        self
    }

    /// Whether another machine may be spoken to without TLS.
    #[must_use]
    pub fn with_plaintext(self, plaintext: bool) -> Self {
        Self { plaintext, ..self }
    }

    /// Refuses what can't be used, before anything is asked of Redis.
    pub fn check(&self) -> Result<(), PlaceError> {
        self.open(None).map(drop)
    }

    /// A client for it.
    pub(crate) fn client(&self) -> Result<Client, PlaceError> {
        self.open(None)
    }

    /// A client for a node of the same cluster: the same user, the same TLS, the same rules.
    pub(super) fn node(&self, node: &NodeAddress) -> Result<Client, PlaceError> {
        self.open(Some(node))
    }

    /// Clients for whoever may know the cluster: what the URL names and the nodes told of, beginning with another one each time.
    pub(super) fn anybody(&self) -> Vec<Result<Client, PlaceError>> {
        let nodes = self.known.nodes.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut clients: Vec<_> =
            std::iter::once(self.client()).chain(nodes.iter().map(|node| self.node(node))).collect();
        let turn = self.turn(clients.len());
        clients.rotate_left(turn);
        clients
    }

    /// Remembers the nodes of a cluster.
    pub(super) fn know(&self, nodes: &HashSet<NodeAddress>) {
        *self.known.nodes.write().unwrap_or_else(PoisonError::into_inner) = nodes.iter().cloned().collect();
    }

    /// Another number below `count` each time; 0 of none.
    pub(super) fn turn(&self, count: usize) -> usize {
        self.known.turn.fetch_add(1, Ordering::Relaxed).checked_rem(count).unwrap_or(0)
    }

    fn open(&self, node: Option<&NodeAddress>) -> Result<Client, PlaceError> {
        let info = self.url.as_str().into_connection_info().map_err(|_| PlaceError::Url)?;
        let addr = match node {
            Some(node) => elsewhere(info.addr(), node),
            None => info.addr().clone(),
        };
        let encrypted = self.admit(&addr)?;
        // TCP_NODELAY, because a debit is one small packet and must not wait for the next one.
        let info = info.set_addr(addr).set_tcp_settings(TcpSettings::default().set_nodelay(true));
        if encrypted { self.open_tls(info) } else { Client::open(info).map_err(|_| PlaceError::Url) }
    }

    /// Whether an address is reached by TLS; refuses one that may not be spoken to.
    fn admit(&self, addr: &ConnectionAddr) -> Result<bool, PlaceError> {
        let has_files = self.tls.root_cert.is_some() || self.tls.client_tls.is_some();
        match addr {
            ConnectionAddr::TcpTls { insecure: true, .. } => Err(PlaceError::Unverified),
            ConnectionAddr::TcpTls { .. } => Ok(true),
            _ if has_files => Err(PlaceError::TlsUnused),
            ConnectionAddr::Tcp(host, _) if !self.plaintext && !is_this_machine(host) => {
                Err(PlaceError::Plaintext(host.clone()))
            }
            _ => Ok(false),
        }
    }

    fn open_tls(&self, info: ConnectionInfo) -> Result<Client, PlaceError> {
        // Redis' library takes the process's provider. Where the program has set one it stands: it is ring's, too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A file without any would be taken, and every Redis refused.
        let empty = |pem: &[u8]| !pem.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE);
        let own = self.tls.client_tls.as_ref().map(|own| own.client_cert.as_slice());
        if self.tls.root_cert.as_deref().into_iter().chain(own).any(empty) {
            return Err(PlaceError::Tls("one that should hold a certificate holds none".to_owned()));
        }
        // The text, not the cause: it names what is wrong and quotes nothing.
        Client::build_with_tls(info, self.tls.clone()).map_err(|error| PlaceError::Tls(error.to_string()))
    }
}

const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// The host of an address; empty for a socket in a file.
pub(super) fn host_of(addr: &ConnectionAddr) -> &str {
    match addr {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
        _ => "",
    }
}

/// The address of another node, spoken to in the same way.
fn elsewhere(addr: &ConnectionAddr, node: &NodeAddress) -> ConnectionAddr {
    match addr {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host: node.host.clone(),
            port: node.port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(node.host.clone(), node.port),
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl From<&str> for Place {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<&String> for Place {
    fn from(url: &String) -> Self {
        Self::new(url)
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_place_is_called_in_a_log_holds_no_secret() {
        assert_eq!(format!("{:?}", Place::new("redis://u:secret@127.0.0.1")), "Place(..)");
    }

    #[test]
    fn another_machine_is_spoken_to_by_tls_or_by_order() {
        for url in ["redis://127.0.0.1:6379", "redis://u:secret@localhost", "redis://[::1]:6379", "rediss://redis.test"]
        {
            Place::new(url).check().unwrap();
        }
        for url in ["redis://redis.test", "redis://u:secret@10.0.0.1:6379", "redis://127.0.0.1.redis.test"] {
            let refused = Place::new(url).check().unwrap_err();
            assert!(
                matches!(refused, PlaceError::Plaintext(_)) && !refused.to_string().contains("secret"),
                "{refused}"
            );
            Place::new(url).with_plaintext(true).check().unwrap();
        }
    }

    #[test]
    fn a_place_that_nobody_could_trust_or_use_is_refused_without_its_secrets() {
        let tls = || Place::new("rediss://u:secret@redis.test");
        let refusals = [
            Place::new("rediss://u:secret@redis.test/#insecure"),
            Place::new("redis://u:secret@"),
            Place::new("redis://u:secret@0.0.0.0"),
            Place::new("redis://u:secret@127.0.0.1:port"),
            Place::new("redis://u:secret@127.0.0.1").with_ca(Some(CERTIFICATE.to_vec())),
            tls().with_ca(Some(b"no certificate".to_vec())),
            tls().with_ca(Some(b"words, and more of them than the line has that begins a certificate".to_vec())),
            tls().with_identity(CERTIFICATE.to_vec(), "secret"),
        ];
        for place in refusals {
            let refused = place.check().unwrap_err();
            assert!(!format!("{place:?} {refused} {refused:?}").contains("secret"), "{refused:?}");
        }
    }

    #[test]
    fn the_nodes_of_a_cluster_are_spoken_to_as_the_place_is_and_asked_by_turns() {
        let node = |port| NodeAddress { host: "127.0.0.1".to_owned(), port };
        let place = Place::new("redis://u:secret@localhost:1");
        place.know(&HashSet::from([node(2)]));
        let asked = || -> Vec<String> {
            let address =
                |client: Result<Client, _>| client.map(|client| client.get_connection_info().addr().to_string());
            place.anybody().into_iter().map(|client| address(client).unwrap()).collect()
        };
        let both = ["localhost:1", "127.0.0.1:2"];
        assert_eq!([asked(), asked(), asked()], [both, [both[1], both[0]], both]);
        assert_eq!((place.turn(7), place.turn(7), place.turn(0)), (3, 4, 0));

        let by_tls = Place::new("rediss://localhost:1").node(&node(2)).unwrap();
        let address = by_tls.get_connection_info().addr();
        assert!(
            matches!(address, ConnectionAddr::TcpTls { host, port: 2, insecure: false, .. } if host == "127.0.0.1")
        );
        assert_eq!(host_of(address), "127.0.0.1");
        assert!(Place::new("rediss://localhost").with_ca(Some(CERTIFICATE.to_vec())).admit(address).unwrap());
        assert!(!place.admit(&ConnectionAddr::Tcp("localhost".to_owned(), 1)).unwrap());
        assert_eq!(host_of(&ConnectionAddr::Unix("/run/redis.sock".into())), "");
    }
}
