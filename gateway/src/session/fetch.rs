//! Reads the key set from its URL: one request, no redirect followed, within a time and a size.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use config::UpstreamAddress;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;

/// Where the key set is, and what of it is read at most.
pub struct Jwks {
    pub address: UpstreamAddress,
    pub path: String,
    pub limit: Duration,
    pub bytes_max: usize,
}

impl fmt::Display for Jwks {
    /// Without the query, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.path.split('?').next().unwrap_or_default())
    }
}

impl Jwks {
    pub async fn fetch(&self) -> anyhow::Result<Vec<u8>> {
        tokio::time::timeout(self.limit, self.ask()).await.context("it did not answer in time")?
    }

    async fn ask(&self) -> anyhow::Result<Vec<u8>> {
        let UpstreamAddress { tls, host, port } = &self.address;
        let socket =
            tokio::net::lookup_host((host.as_str(), *port)).await?.next().context("its name has no address")?;
        let mut peer = HttpPeer::new(socket, *tls, if *tls { host.clone() } else { String::new() });
        peer.options.connection_timeout = Some(self.limit);
        peer.options.total_connection_timeout = Some(self.limit);
        peer.options.set_http_version(1, 1);
        let (mut session, _) = Connector::new(None).get_http_session(&peer).await?;
        let mut request = RequestHeader::build("GET", self.path.as_bytes(), None)?;
        let shown = self.address.to_string();
        request.insert_header("Host", shown.split_once("://").map_or(shown.as_str(), |(_, host)| host))?;
        request.insert_header("Accept", "application/json")?;
        request.insert_header("Connection", "close")?;
        session.write_request_header(Box::new(request)).await?;
        session.finish_request_body().await?;
        session.read_response_header().await?;
        let status = session.response_header().map_or(0, |header| header.status.as_u16());
        if status != 200 {
            bail!("it answered {status}");
        }
        let mut text = Vec::new();
        while let Some(piece) = session.read_response_body().await? {
            text.extend_from_slice(&piece);
            ensure!(text.len() <= self.bytes_max, "its answer is larger than sessions.jwks_bytes_max");
        }
        Ok(text)
    }
}
