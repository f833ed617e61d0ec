//! One request to the collector: OTLP over HTTP, protobuf; no redirect followed, within a time.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use config::UpstreamAddress;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;
use prost::Message as _;

/// More than any collector has to say.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub struct Collector {
    address: UpstreamAddress,
    path: String,
    limit: Duration,
    connector: Connector,
}

impl fmt::Display for Collector {
    /// Without the query, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.address, self.path.split('?').next().unwrap_or_default())
    }
}

impl Collector {
    pub fn new(address: UpstreamAddress, path: String, limit: Duration) -> Self {
        Self { address, path, limit, connector: Connector::new(None) }
    }

    /// How many spans it refused of those it took.
    pub async fn send(&self, body: Vec<u8>) -> anyhow::Result<u64> {
        tokio::time::timeout(self.limit, self.post(body)).await.context("it did not answer in time")?
    }

    async fn post(&self, body: Vec<u8>) -> anyhow::Result<u64> {
        let UpstreamAddress { tls, host, port } = &self.address;
        let socket =
            tokio::net::lookup_host((host.as_str(), *port)).await?.next().context("its name has no address")?;
        let mut peer = HttpPeer::new(socket, *tls, if *tls { host.clone() } else { String::new() });
        peer.options.connection_timeout = Some(self.limit);
        peer.options.total_connection_timeout = Some(self.limit);
        peer.options.set_http_version(1, 1);
        let (mut session, _) = self.connector.get_http_session(&peer).await?;
        let mut request = RequestHeader::build("POST", self.path.as_bytes(), None)?;
        let shown = self.address.to_string();
        request.insert_header("Host", shown.split_once("://").map_or(shown.as_str(), |(_, host)| host))?;
        request.insert_header("Content-Type", "application/x-protobuf")?;
        request.insert_header("Content-Length", body.len())?;
        request.insert_header("Connection", "close")?;
        session.write_request_header(Box::new(request)).await?;
        session.write_request_body(Bytes::from(body), true).await?;
        session.finish_request_body().await?;
        session.read_response_header().await?;
        let status = session.response_header().map_or(0, |header| header.status.as_u16());
        ensure!(status == 200, "it answered {status}");
        let mut answer = Vec::new();
        while let Some(piece) = session.read_response_body().await? {
            answer.extend_from_slice(&piece);
            ensure!(answer.len() <= ANSWER_BYTES_MAX, "its answer is too long");
        }
        // It has taken them, whatever else it says.
        let answer = ExportTraceServiceResponse::decode(answer.as_slice()).unwrap_or_default();
        let refused = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
        Ok(u64::try_from(refused).unwrap_or_default())
    }
}
