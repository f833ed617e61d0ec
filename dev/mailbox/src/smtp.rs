//! The line: reads commands, lets them be decided about, writes the answers; plain, over TLS, or over TLS from the middle.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mailin::{Action, AuthMechanism, Response, Session, SessionBuilder};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Stage;
use crate::faults::At;
use crate::post::{Post, Troubles};

/// How long a client may say nothing.
const PATIENCE: Duration = Duration::from_mins(5);
/// RFC 5321 allows text lines of a thousand bytes; a base64 credential may be longer.
const LINE_BYTES_MAX: u64 = 16 * 1024;
const CONNECTIONS_MAX: usize = 256;

/// Whether a connection is over TLS from its first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Open,
    Closed,
}

/// How a conversation went on.
enum Ended {
    /// It is over.
    Over,
    /// It goes on over TLS.
    Upgrade,
}

/// Takes connections for ever.
pub async fn serve(listener: TcpListener, stage: Arc<Stage>, line: Line) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        if let Ok((stream, peer)) = listener.accept().await {
            connections.spawn(connection(stream, peer.ip(), Arc::clone(&stage), line));
        }
    }
}

/// A conversation that breaks off is the client's business.
async fn connection(stream: TcpStream, peer: IpAddr, stage: Arc<Stage>, line: Line) {
    let _ = match (line, &stage.tls) {
        (Line::Closed, Some(tls)) => {
            let Ok(stream) = tls.accept(stream).await else { return };
            talk(&mut BufReader::new(stream), peer, &stage, true, true).await.map(drop)
        }
        (Line::Open, Some(tls)) => {
            let mut open = BufReader::new(stream);
            match talk(&mut open, peer, &stage, false, true).await {
                Ok(Ended::Upgrade) => {
                    let Ok(stream) = tls.accept(open.into_inner()).await else { return };
                    talk(&mut BufReader::new(stream), peer, &stage, true, false).await.map(drop)
                }
                ended => ended.map(drop),
            }
        }
        (_, None) => talk(&mut BufReader::new(stream), peer, &stage, false, true).await.map(drop),
    };
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    peer: IpAddr,
    stage: &Arc<Stage>,
    encrypted: bool,
    greets: bool,
) -> io::Result<Ended> {
    let troubles = Troubles::default();
    let mut session = session(stage, peer, &troubles, encrypted);
    if greets {
        if let Some(fault) = stage.faults.take(At::Connect, None) {
            tokio::time::sleep(Duration::from_millis(fault.wait_ms)).await;
            if fault.hang_up {
                return Ok(Ended::Over);
            }
            if let Some(reply) = fault.reply {
                stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await?;
                return Ok(Ended::Over);
            }
        }
        write(stream, &session.greeting()).await?;
    }
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut *stream).take(LINE_BYTES_MAX);
        let bytes = tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await??;
        if bytes == 0 || !line.ends_with(b"\n") {
            return Ok(Ended::Over);
        }
        let answer = session.process(&line);
        let trouble = troubles.take();
        tokio::time::sleep(trouble.wait).await;
        if trouble.hang_up {
            return Ok(Ended::Over);
        }
        match answer.action {
            Action::NoReply => {}
            Action::Reply => write(stream, &answer).await?,
            Action::Close => {
                write(stream, &answer).await?;
                return Ok(Ended::Over);
            }
            Action::UpgradeTls => {
                write(stream, &answer).await?;
                return Ok(Ended::Upgrade);
            }
        }
    }
}

fn session(stage: &Arc<Stage>, peer: IpAddr, troubles: &Troubles, encrypted: bool) -> Session<Post> {
    let mut rules = SessionBuilder::new("pretend-mailbox");
    if stage.tls.is_some() && !encrypted {
        rules.enable_start_tls();
    }
    if stage.user.is_some() {
        rules.enable_auth(AuthMechanism::Plain).enable_auth(AuthMechanism::Login).insecure_enable_plaintext_auth();
    }
    rules.build(peer, Post::new(Arc::clone(stage), troubles.clone(), encrypted))
}

async fn write<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, answer: &Response) -> io::Result<()> {
    let mut text = Vec::new();
    answer.write_to(&mut text)?;
    stream.get_mut().write_all(&text).await?;
    stream.get_mut().flush().await
}
