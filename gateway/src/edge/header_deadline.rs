//! A connection on which a request's header must be complete within a time: pingora has a limit for each read only, so one
//! byte now and then would hold a connection for ever.
//!
//! Costs nothing where a header arrives in one piece: the timer is armed only when a read has to wait for the rest.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::protocols::tls::SslDigest;
use pingora::protocols::{ALPN, Shutdown, Ssl, Stream};
use pingora::proxy::Session;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::resets::Resets;
use crate::stream_parts::delegate_stream_parts;

/// Between two requests: the next byte starts a header.
const IDLE: u8 = 0;
/// In a header.
const HEADER: u8 = 1;
/// Past the header.
const BODY: u8 = 2;

pub struct HeaderDeadline {
    inner: Stream,
    limit: Duration,
    phase: AtomicU8,
    header_since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    /// What was read to tell the protocol, and is yet to be read.
    ahead: Vec<u8>,
    /// `None` unless it speaks HTTP/2.
    resets: Option<Resets>,
}

impl HeaderDeadline {
    /// The first header counts from here: a fresh connection has no excuse to be silent.
    pub fn new(inner: Stream, limit: Duration) -> Self {
        let (phase, header_since) = (AtomicU8::new(HEADER), Instant::now());
        Self { inner, limit, phase, header_since, timer: None, ahead: Vec::new(), resets: None }
    }

    /// For a connection whose reader has a deadline of its own.
    pub fn without_limit(inner: Stream) -> Self {
        Self { phase: AtomicU8::new(BODY), ..Self::new(inner, Duration::MAX) }
    }

    /// Takes back what was read to tell the protocol. Headers of HTTP/2 come in frames among others, so from here on it is the
    /// idle time of a connection that bounds them.
    pub fn read_ahead(&mut self, ahead: Vec<u8>, http2: bool) {
        self.ahead = ahead;
        if http2 {
            self.resets = Some(Resets::new(Instant::now()));
            self.timer = None;
            *self.phase.get_mut() = BODY;
        }
    }

    /// Says that a request's header has been read.
    pub fn header_complete(session: &Session) {
        Self::set_phase(session, BODY);
    }

    /// Says that a request is over and the next may begin.
    pub fn request_over(session: &Session) {
        Self::set_phase(session, IDLE);
    }

    fn set_phase(session: &Session, phase: u8) {
        if let Some(own) = session.stream().and_then(|stream| (**stream).as_any().downcast_ref::<Self>()) {
            own.phase.store(phase, Ordering::Relaxed);
        }
    }

    fn poll_in_time(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.limit.saturating_sub(self.header_since.elapsed());
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request's header took too long")))
    }
}

impl AsyncRead for HeaderDeadline {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.ahead.is_empty() {
            let taken = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(&this.ahead[..taken]);
            this.ahead.drain(..taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if let Some(resets) = &mut this.resets
            && !resets.allow(&buffer.filled()[before..], Instant::now)
        {
            return Poll::Ready(Err(io::Error::other("the caller resets too many streams")));
        }
        match *this.phase.get_mut() {
            IDLE => {
                this.timer = None;
                if read.is_ready() {
                    this.header_since = Instant::now();
                    *this.phase.get_mut() = HEADER;
                }
                read
            }
            HEADER if read.is_pending() => this.poll_in_time(context),
            // A byte that is always there in time must not outrun the clock either.
            HEADER if this.header_since.elapsed() > this.limit => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request's header took too long")))
            }
            _ => read,
        }
    }
}

impl AsyncWrite for HeaderDeadline {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

delegate_stream_parts!(HeaderDeadline);

#[async_trait]
impl Shutdown for HeaderDeadline {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl Ssl for HeaderDeadline {
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        if self.resets.is_some() { Some(ALPN::H2) } else { self.inner.selected_alpn_proto() }
    }
}
