//! Requests of the gateway's own, to servers that its settings name: HTTP/1.1, no redirect followed, within a time and a size.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use config::UpstreamAddress;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;

/// Who is asked.
pub struct Endpoint {
    address: UpstreamAddress,
    path: String,
    limit: Duration,
    connector: Connector,
}

/// What it is asked.
pub struct Ask<'a> {
    pub method: &'static str,
    /// The line that its header has beside those about the host, the body and the connection.
    pub line: (&'static str, &'a str),
    pub body: Option<Bytes>,
    pub answer_bytes_max: usize,
    /// What is wrong with an answer that is longer.
    pub too_long: &'static str,
}

impl fmt::Display for Endpoint {
    /// Without the query, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.path.split('?').next().unwrap_or_default())
    }
}

impl Endpoint {
    pub fn new(address: UpstreamAddress, path: String, limit: Duration) -> Self {
        Self { address, path, limit, connector: Connector::new(None) }
    }

    /// The body of an answer with status 200.
    pub async fn ask(&self, ask: Ask<'_>) -> anyhow::Result<Vec<u8>> {
        tokio::time::timeout(self.limit, self.send(ask)).await.context("it did not answer in time")?
    }

    async fn send(&self, ask: Ask<'_>) -> anyhow::Result<Vec<u8>> {
        let (mut session, _) = self.connector.get_http_session(&self.peer().await?).await?;
        session.write_request_header(Box::new(self.header(&ask)?)).await?;
        if let Some(body) = ask.body {
            session.write_request_body(body, true).await?;
        }
        session.finish_request_body().await?;
        session.read_response_header().await?;
        let status = session.response_header().map_or(0, |header| header.status.as_u16());
        ensure!(status == 200, "it answered {status}");
        let mut answer = Vec::new();
        while let Some(piece) = session.read_response_body().await? {
            answer.extend_from_slice(&piece);
            ensure!(answer.len() <= ask.answer_bytes_max, ask.too_long);
        }
        Ok(answer)
    }

    async fn peer(&self) -> anyhow::Result<HttpPeer> {
        let UpstreamAddress { tls, host, port } = &self.address;
        let socket =
            tokio::net::lookup_host((host.as_str(), *port)).await?.next().context("its name has no address")?;
        let mut peer = HttpPeer::new(socket, *tls, if *tls { host.clone() } else { String::new() });
        peer.options.connection_timeout = Some(self.limit);
        peer.options.total_connection_timeout = Some(self.limit);
        peer.options.set_http_version(1, 1);
        Ok(peer)
    }

    fn header(&self, ask: &Ask<'_>) -> anyhow::Result<RequestHeader> {
        let mut header = RequestHeader::build(ask.method, self.path.as_bytes(), None)?;
        let shown = self.address.to_string();
        header.insert_header("Host", shown.split_once("://").map_or(shown.as_str(), |(_, host)| host))?;
        header.insert_header(ask.line.0, ask.line.1)?;
        if let Some(body) = &ask.body {
            header.insert_header("Content-Length", body.len())?;
        }
        header.insert_header("Connection", "close")?;
        Ok(header)
    }
}
