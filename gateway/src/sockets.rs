//! The listening sockets: bound here, or taken over from the gateway that runs, and kept to be handed on.
//!
//! Old and new gateway share the very same sockets, so that a connection that waits to be accepted is never lost: whoever of the two
//! accepts takes it.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use async_trait::async_trait;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::{ServiceReadyNotifier, ServiceWithDependents};

pub struct Sockets(Vec<(SocketAddr, OwnedFd)>);

impl Sockets {
    /// Takes what was handed over, and binds what was not. Found out before anything else starts: pingora would go on without a
    /// listener.
    pub fn open(addresses: &[SocketAddr], handed_over: Vec<(SocketAddr, OwnedFd)>) -> anyhow::Result<Self> {
        let mut handed_over = handed_over;
        let open = addresses.iter().map(|address| {
            let known = handed_over.iter().position(|(known, _)| known == address);
            let socket = match known {
                Some(number) => handed_over.swap_remove(number).1,
                None => bind(*address).with_context(|| format!("can't listen on {address}"))?,
            };
            Ok((*address, socket))
        });
        open.collect::<anyhow::Result<_>>().map(Self)
    }

    pub fn each(&self) -> impl Iterator<Item = (SocketAddr, BorrowedFd<'_>)> {
        self.0.iter().map(|(address, socket)| (*address, socket.as_fd()))
    }

    /// The same sockets, as pingora wants them.
    pub fn lend(&self) -> anyhow::Result<Lent> {
        let copies = self.0.iter().map(|(address, socket)| Ok((address.to_string(), socket.try_clone()?)));
        Ok(Lent(copies.collect::<std::io::Result<_>>().context("a socket can't be copied")?))
    }
}

/// The sockets as long as this gateway may hand them on: a copy that stays open would take in callers whom nobody serves.
#[derive(Clone)]
pub struct Kept(Arc<Mutex<Option<Sockets>>>);

impl Kept {
    pub fn new(sockets: Sockets) -> Self {
        Self(Arc::new(Mutex::new(Some(sockets))))
    }

    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// `None` once they are closed.
    pub fn with<T>(&self, use_them: impl FnOnce(&Sockets) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(use_them)
    }
}

fn bind(address: SocketAddr) -> std::io::Result<OwnedFd> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}

/// Tells pingora about the sockets before a service that listens looks for its own.
pub struct Lent(Vec<(String, OwnedFd)>);

#[async_trait]
impl ServiceWithDependents for Lent {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        _shutdown: ShutdownWatch,
        _listeners_per_fd: usize,
        ready: ServiceReadyNotifier,
    ) {
        if let Some(fds) = fds {
            for (address, socket) in self.0.drain(..) {
                fds.lock().add(address, socket.into_raw_fd());
            }
        }
        ready.notify_ready();
    }

    fn name(&self) -> &'static str {
        "sockets"
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }
}
