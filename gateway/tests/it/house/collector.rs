//! A collector of traces: takes OTLP over HTTP and remembers the spans, or fails as a test wants it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::PATIENCE;

/// What it does with what it gets.
#[derive(Clone, Copy)]
pub enum Manner {
    Takes,
    /// Says that it has refused one span of each batch.
    TakesAllButOne,
    Refuses,
    /// Never answers.
    Silent,
}

pub struct Collector {
    port: u16,
    /// The bodies as they came.
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    _tasks: JoinSet<()>,
}

impl Collector {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let bodies = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = bodies.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, manner, kept.clone()));
            }
        });
        Self { port, bodies, _tasks: tasks }
    }

    /// Settings of a gateway that sends here soon; `more` are lines of `[traces]`.
    pub fn settings(&self, more: &str) -> String {
        let port = self.port;
        format!("[traces]\nendpoint = \"http://127.0.0.1:{port}/v1/traces\"\n{more}\n")
    }

    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.bodies.lock().unwrap().clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.bodies().into_iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Waits until so many spans have come.
    pub async fn until_spans(&self, count: usize) -> Vec<Span> {
        let started = Instant::now();
        while self.spans().len() < count {
            assert!(started.elapsed() < PATIENCE, "{} spans came, not {count}", self.spans().len());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.spans()
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, bodies: Arc<Mutex<Vec<Vec<u8>>>>) -> Option<()> {
    let mut buffer = Vec::new();
    let head_end = loop {
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n") && head.contains("content-type: application/x-protobuf"));
    let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    while buffer.len() < head_end + length {
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
    }
    let refused = match manner {
        Manner::Takes => 0,
        Manner::TakesAllButOne => 1,
        Manner::Refuses => {
            stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").await.ok()?;
            return Some(());
        }
        Manner::Silent => std::future::pending().await,
    };
    bodies.lock().unwrap().push(buffer.split_off(head_end));
    let partial_success = Some(ExportTracePartialSuccess { rejected_spans: refused, error_message: String::new() });
    let body = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()
}

/// An attribute as text; empty when it is not there.
pub fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}
