//! One request to the collector: OTLP over HTTP, protobuf.

use std::fmt;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use crate::own_request::{Ask, Endpoint};

/// More than any collector has to say.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub struct Collector(pub Endpoint);

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Collector {
    /// How many spans it refused of those it took.
    pub async fn send(&self, body: Vec<u8>) -> anyhow::Result<u64> {
        let ask = Ask {
            method: "POST",
            line: ("Content-Type", "application/x-protobuf"),
            body: Some(Bytes::from(body)),
            answer_bytes_max: ANSWER_BYTES_MAX,
            too_long: "its answer is too long",
        };
        let answer = self.0.ask(ask).await?;
        // It has taken them, whatever else it says.
        let answer = ExportTraceServiceResponse::decode(answer.as_slice()).unwrap_or_default();
        let refused = answer.partial_success.map_or(0, |partial| partial.rejected_spans);
        Ok(u64::try_from(refused).unwrap_or_default())
    }
}
