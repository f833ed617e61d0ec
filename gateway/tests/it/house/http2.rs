//! A caller who speaks HTTP/2 well, and one who writes frames by hand.

use std::future::poll_fn;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// A good connection; ends when dropped.
pub struct Connection {
    requests: SendRequest<Bytes>,
    _driver: JoinSet<()>,
}

impl Connection {
    pub async fn new(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        Self { requests, _driver: driver }
    }

    pub async fn plain(port: u16) -> Self {
        Self::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()).await
    }

    /// Sends one request and reads its whole answer.
    pub async fn send(&self, request: Request<()>, body: &str) -> Result<Told, h2::Error> {
        let mut ready = self.requests.clone().ready().await?;
        let (answer, mut sending) = ready.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            sending.send_data(Bytes::copy_from_slice(body.as_bytes()), true)?;
        }
        let (head, body) = answer.await?.into_parts();
        let (body, trailers) = read(body).await?;
        Ok(Told { head: Response::from_parts(head, ()), body, trailers })
    }

    /// Opens a request whose body is sent bit by bit.
    pub async fn open(&self, request: Request<()>) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.requests.clone().ready().await?.send_request(request, false)
    }

    /// Sends a request's header and none of its body; the status of the answer.
    pub async fn send_header_only(&self, request: Request<()>) -> Result<u16, h2::Error> {
        let (answer, _sending) = self.requests.clone().ready().await?.send_request(request, false)?;
        Ok(answer.await?.status().as_u16())
    }

    pub async fn streams_max(&self) -> usize {
        poll_fn(|context| self.requests.clone().poll_ready(context)).await.unwrap();
        self.requests.current_max_send_streams()
    }
}

pub struct Told {
    pub head: Response<()>,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

impl Told {
    pub fn status(&self) -> u16 {
        self.head.status().as_u16()
    }
}

async fn read(mut body: RecvStream) -> Result<(Vec<u8>, HeaderMap), h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, body.trailers().await?.unwrap_or_default()))
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header line that goes into no table.
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// A string without compression; HPACK writes its length in seven bits, and in bytes of seven more from 127 on.
pub fn text(text: &str) -> Vec<u8> {
    let low = |number: usize| u8::try_from(number).unwrap();
    let mut bytes = vec![low(text.len().min(127))];
    if let Some(mut rest) = text.len().checked_sub(127) {
        while rest >= 128 {
            bytes.push(low(rest % 128) | 128);
            rest /= 128;
        }
        bytes.push(low(rest));
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The four fields of a request of the host `a`.
pub fn request(method: &str, path: &str) -> Vec<u8> {
    [literal(":method", method), literal(":scheme", "http"), literal(":path", path), literal(":authority", "a")]
        .concat()
}

/// A connection on which frames are written by hand; what comes back is read and forgotten.
pub struct Frames {
    stream: tokio::net::tcp::OwnedWriteHalf,
    reader: JoinSet<()>,
}

impl Frames {
    pub async fn connect(port: u16) -> Self {
        let (mut from, stream) = TcpStream::connect(("127.0.0.1", port)).await.unwrap().into_split();
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            let mut told = [0; 16 * 1024];
            while matches!(from.read(&mut told).await, Ok(1..)) {}
        });
        let mut frames = Self { stream, reader };
        frames.write(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        frames
    }

    /// Whether the gateway still takes bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Waits until the gateway closes the connection; whether it did in time.
    pub async fn until_closed(&mut self) -> bool {
        tokio::time::timeout(super::PATIENCE, self.reader.join_next()).await.is_ok()
    }
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The first byte of its answer's header block: HPACK has a byte of its own for the commonest statuses.
    Answered(u8),
    Reset,
    /// The whole connection ended.
    Closed,
}

/// Writes the frames on a connection of its own and waits for the fate of stream 1.
pub async fn fate(port: u16, frames: &[u8]) -> Fate {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), frames].concat()).await.ok();
    let reading = async {
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut payload).await.ok();
            let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match (head[3], number) {
                (HEADERS, 1) => return Fate::Answered(payload[0]),
                (RST_STREAM, 1) => return Fate::Reset,
                _ => {}
            }
        }
        Fate::Closed
    };
    tokio::time::timeout(super::PATIENCE, reading).await.expect("the stream has a fate")
}
