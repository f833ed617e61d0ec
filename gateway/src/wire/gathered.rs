//! A connection that keeps a request's header back until its body comes, or until somebody waits for the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use async_trait::async_trait;
use pingora::protocols::{Shutdown, Ssl, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream_parts::delegate_stream_parts;

/// What is gathered at most; what is longer goes as it comes.
const GATHERED_MAX: usize = 16 * 1024;
/// An idle connection is looked at by a read of one byte.
const LOOK: usize = 1;

pub struct Gathered {
    inner: Stream,
    state: State,
    held: Vec<u8>,
}

#[derive(Clone, Copy)]
enum State {
    /// Between two requests: what is written next is a header.
    Idle,
    /// A header was flushed, and is still here.
    Held { asked: bool },
    /// What is written goes.
    Open,
}

impl Gathered {
    pub fn new(inner: Stream) -> Self {
        Self { inner, state: State::Idle, held: Vec::new() }
    }

    /// Sends what was kept back.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let sent = ready!(Pin::new(&mut self.inner).poll_write(context, &self.held))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..sent);
        }
        self.state = State::Open;
        Pin::new(&mut self.inner).poll_flush(context)
    }
}

impl Gathered {
    /// Sends a header that was flushed, as far as nobody needs to wait for it: a fresh or idle connection has room for one.
    fn send_now(&mut self) {
        if matches!(self.state, State::Held { .. }) {
            let _ = self.poll_send(&mut Context::from_waker(Waker::noop())); // who hangs up does not ask whether it went
        }
    }
}

/// Whether it is a whole header after which a body is likely.
fn awaits_body(header: &[u8]) -> bool {
    header.ends_with(b"\r\n\r\n") && !header.starts_with(b"GET ") && !header.starts_with(b"HEAD ")
}

impl AsyncRead for Gathered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.state {
            // Whoever sends the body may be next in the same turn. If it was not, the answer is waited for once more.
            State::Held { asked: false } => {
                this.state = State::Held { asked: true };
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            State::Held { asked: true } => ready!(this.poll_send(context))?,
            State::Idle | State::Open => {}
        }
        let looks = buffer.remaining() == LOOK;
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if looks && read.is_pending() {
            this.state = State::Idle;
        }
        read
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if !matches!(this.state, State::Open) {
            if this.held.len() + bytes.len() <= GATHERED_MAX {
                this.held.extend_from_slice(bytes);
                return Poll::Ready(Ok(bytes.len()));
            }
            ready!(this.poll_send(context))?;
        }
        Pin::new(&mut this.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.state {
            State::Idle if awaits_body(&self.held) => {
                self.state = State::Held { asked: false };
                Poll::Ready(Ok(()))
            }
            State::Idle if self.held.is_empty() => Poll::Ready(Ok(())),
            State::Idle | State::Held { .. } => self.poll_send(context),
            State::Open => Pin::new(&mut self.inner).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

delegate_stream_parts!(Gathered);

impl Ssl for Gathered {}

#[async_trait]
impl Shutdown for Gathered {
    async fn shutdown(&mut self) {
        self.send_now();
        self.inner.shutdown().await;
    }
}

/// Its request counts as sent from the flush on, and somebody may have paid for it.
impl Drop for Gathered {
    fn drop(&mut self) {
        self.send_now();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use pingora::protocols::l4::stream::Stream as Socket;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const POST: &[u8] = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n";
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    async fn pair() -> (Gathered, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let near = near.unwrap();
        near.set_nodelay(true).unwrap();
        (Gathered::new(Box::new(Socket::from(near))), far.unwrap().0)
    }

    async fn send(near: &mut Gathered, bytes: &[u8]) {
        near.write_all(bytes).await.unwrap();
        near.flush().await.unwrap();
    }

    /// What arrives next, in one piece.
    async fn arrives(far: &mut TcpStream) -> Vec<u8> {
        let mut piece = vec![0; 64 * 1024];
        let length = far.read(&mut piece).await.unwrap();
        piece.truncate(length);
        piece
    }

    /// As pingora looks at a connection before it is used again.
    async fn look(near: &mut Gathered) {
        let mut byte = [0];
        let looked = poll_fn(|context| {
            Poll::Ready(Pin::new(&mut *near).poll_read(context, &mut ReadBuf::new(&mut byte)).is_pending())
        });
        assert!(looked.await, "an idle connection says nothing");
    }

    #[tokio::test]
    async fn a_header_leaves_with_its_body_on_each_use_of_the_connection() {
        let (mut near, mut far) = pair().await;
        for _ in 0..3 {
            send(&mut near, POST).await;
            send(&mut near, b"body").await;
            assert_eq!(arrives(&mut far).await, [POST, b"body"].concat());
            far.write_all(b"answer").await.unwrap();
            let mut answer = [0; 6];
            near.read_exact(&mut answer).await.unwrap();
            look(&mut near).await;
        }
    }

    #[tokio::test]
    async fn a_header_whose_body_is_late_leaves_when_its_answer_is_waited_for() {
        let (mut near, mut far) = pair().await;
        send(&mut near, POST).await;
        let mut answer = [0; 8];
        let answered = async {
            assert_eq!(arrives(&mut far).await, POST);
            far.write_all(b"go ahead").await.unwrap();
        };
        tokio::join!(answered, async { near.read_exact(&mut answer).await.unwrap() });
        send(&mut near, b"body").await;
        assert_eq!((&answer, arrives(&mut far).await), (b"go ahead", b"body".to_vec()));
    }

    #[tokio::test]
    async fn a_header_without_a_body_leaves_at_once_and_so_does_all_that_is_no_header() {
        let (mut near, mut far) = pair().await;
        send(&mut near, GET).await;
        assert_eq!(arrives(&mut far).await, GET);
        // Part of what an upgraded connection carries, however much it looks like a header.
        send(&mut near, POST).await;
        assert_eq!(arrives(&mut far).await, POST);
        look(&mut near).await;
        send(&mut near, b"no header").await;
        assert_eq!(arrives(&mut far).await, b"no header");
    }

    #[tokio::test]
    async fn a_header_that_was_flushed_leaves_even_if_its_request_is_given_up() {
        let (mut near, mut far) = pair().await;
        send(&mut near, POST).await;
        drop(near);
        assert_eq!(arrives(&mut far).await, POST);
        let (mut near, mut far) = pair().await;
        send(&mut near, POST).await;
        Shutdown::shutdown(&mut near).await;
        assert_eq!(arrives(&mut far).await, POST);
    }

    #[tokio::test]
    async fn a_long_body_follows_its_header_and_a_shutdown_sends_what_is_left() {
        let (mut near, mut far) = pair().await;
        send(&mut near, POST).await;
        let long = vec![b'x'; 5 * GATHERED_MAX];
        let mut all = Vec::new();
        let sent = async {
            send(&mut near, &long).await;
            look(&mut near).await;
            send(&mut near, POST).await;
            AsyncWriteExt::shutdown(&mut near).await.unwrap();
        };
        tokio::join!(sent, async { far.read_to_end(&mut all).await.unwrap() });
        assert_eq!(all, [POST, &long, POST].concat());
    }
}
