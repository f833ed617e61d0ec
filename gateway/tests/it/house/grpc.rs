//! A server and a caller of gRPC, as far as the gateway can tell: messages in frames of their own, the status in trailers.

use std::sync::{Arc, Mutex};

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The header of a call that came to its end, and its trailers.
type Call = (HeaderMap, Option<HeaderMap>);

/// Ends each call as its `x-do` says, and echoes every message before.
pub struct GrpcUpstream {
    port: u16,
    seen: Arc<Mutex<Vec<Call>>>,
    _tasks: JoinSet<()>,
}

impl GrpcUpstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Call>>>::default();
        let remembered = seen.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, remembered.clone()));
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    /// The settings of the group that it is.
    pub fn settings(&self) -> String {
        let port = self.port;
        format!(
            "[http2]\nplain = true\n[upstreams.group]\nservers = [{{ url = \"http://localhost:{port}\" }}]\nh2 = true\n"
        )
    }

    pub fn seen(&self) -> Vec<Call> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Mutex<Vec<Call>>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        calls.spawn(answer(request, respond, seen.clone()));
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    seen: Arc<Mutex<Vec<Call>>>,
) -> Option<()> {
    let (parts, mut body) = request.into_parts();
    let order = parts.headers.get("x-do").map_or("", |order| order.to_str().unwrap()).to_owned();
    let (kind, status) = order.split_once('=').unwrap_or((&order, "0"));
    let head = || Response::builder().header("content-type", "application/grpc");
    if kind == "only" {
        seen.lock().unwrap().push((parts.headers.clone(), None));
        let head = head().header("grpc-status", status).header("grpc-message", "as told");
        respond.send_response(head.body(()).unwrap(), true).ok()?;
        return None;
    }
    let mut sending = respond.send_response(head().body(()).unwrap(), false).ok()?;
    while let Some(Ok(message)) = body.data().await {
        body.flow_control().release_capacity(message.len()).ok()?;
        sending.send_data(message, false).ok()?;
    }
    let trailers = body.trailers().await.ok()?;
    seen.lock().unwrap().push((parts.headers, trailers));
    end(&mut sending, kind, status);
    Some(())
}

fn end(sending: &mut SendStream<Bytes>, kind: &str, status: &str) {
    match kind {
        // A clean end, but without a status.
        "cut" => sending.send_data(Bytes::new(), true).unwrap(),
        "reset" => sending.send_reset(h2::Reason::INTERNAL_ERROR),
        _ => {
            let lines = [
                ("grpc-status", status),
                ("grpc-message", "as told"),
                ("x-own", "kept"),
                ("tollgate-account", "forged"),
                ("x-forwarded-for", "forged"),
                ("credits-remaining", "999"),
                ("request-id", "forged"),
                ("x_own", "dropped"),
            ];
            sending.send_trailers(lines_of(&lines)).unwrap();
        }
    }
}

pub fn lines_of(lines: &[(&'static str, &str)]) -> HeaderMap {
    let line =
        |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    lines.iter().map(line).collect()
}

/// One message in its frame: not compressed, its length, itself.
pub fn message(text: &str) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(text.len()).unwrap());
    frame.put_slice(text.as_bytes());
    frame.freeze()
}
