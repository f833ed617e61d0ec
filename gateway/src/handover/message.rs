//! What the two gateways say to each other: one message with the sockets and their addresses, and one byte back.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, bail, ensure};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::process::geteuid;

use crate::sockets::Sockets;

const SOCKETS_MAX: usize = 32;
const TEXT_BYTES_MAX: usize = 4_096;
const READY: u8 = b'r';

/// Listening sockets are for nobody but a process of the same user.
pub fn refuse_strangers(stream: &UnixStream) -> anyhow::Result<()> {
    let other = socket_peercred(stream).context("the other side is not known")?.uid;
    if other != geteuid() {
        bail!("the other side runs as user {}, this one as {}", other.as_raw(), geteuid().as_raw());
    }
    Ok(())
}

/// The addresses, a line each, and the sockets in the same order.
pub fn send(stream: &UnixStream, sockets: &Sockets) -> anyhow::Result<()> {
    let (addresses, sockets): (Vec<String>, Vec<BorrowedFd<'_>>) =
        sockets.each().map(|(address, socket)| (address.to_string(), socket)).unzip();
    let text = addresses.join("\n");
    ensure!(sockets.len() <= SOCKETS_MAX && text.len() <= TEXT_BYTES_MAX, "too many sockets to hand over");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    ensure!(control.push(SendAncillaryMessage::ScmRights(&sockets)), "too many sockets to hand over");
    let sent = sendmsg(stream, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    ensure!(sent == text.len(), "the sockets were sent in part");
    Ok(())
}

pub fn receive(stream: &UnixStream) -> anyhow::Result<Vec<(SocketAddr, OwnedFd)>> {
    let mut text = vec![0; TEXT_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC)
        .context("the gateway that runs does not answer")?;
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = message {
            sockets.extend(more);
        }
    }
    let text = std::str::from_utf8(text.get(..received.bytes).unwrap_or_default())?;
    let addresses: Vec<SocketAddr> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(
        !sockets.is_empty() && addresses.len() == sockets.len(),
        "the gateway that runs has handed over no sockets"
    );
    Ok(addresses.into_iter().zip(sockets).collect())
}

pub fn say_ready(mut stream: &UnixStream) -> std::io::Result<()> {
    stream.write_all(&[READY])
}

/// `false` when the other side has gone.
pub fn await_ready(mut stream: &UnixStream) -> anyhow::Result<bool> {
    let mut said = [0];
    let bytes = stream.read(&mut said).context("the new gateway was not ready in time")?;
    Ok(bytes == 1 && said == [READY])
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn sockets_arrive_with_their_addresses_and_are_the_same_sockets() {
        let address: SocketAddr = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap()
        };
        let here = Sockets::open(&[address], Vec::new()).unwrap();
        let (from, to) = UnixStream::pair().unwrap();
        send(&from, &here).unwrap();
        let mut there = receive(&to).unwrap();
        assert_eq!(there.len(), 1);
        let (name, socket) = there.pop().unwrap();
        assert_eq!(name, address);
        // Waits in the queue that both share.
        let waiting = TcpStream::connect(address).unwrap();
        drop(here);
        let listener = TcpListener::from(socket);
        assert_eq!(listener.accept().unwrap().1, waiting.local_addr().unwrap());
    }

    #[test]
    fn who_goes_away_is_not_ready_and_who_hands_over_nothing_is_refused() {
        let (from, to) = UnixStream::pair().unwrap();
        say_ready(&from).unwrap();
        assert!(await_ready(&to).unwrap());
        drop(from);
        assert!(!await_ready(&to).unwrap());
        let (mut from, to) = UnixStream::pair().unwrap();
        from.write_all(b"127.0.0.1:1").unwrap();
        assert!(receive(&to).is_err());
    }
}
