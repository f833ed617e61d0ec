//! A pretend mail server: a test double that takes every mail, keeps it in memory and shows it, with faults to order.
//! It delivers nothing and protects nothing; never put it in front of people.

mod faults;
mod mails;
mod pages;
mod post;
mod smtp;
mod tls;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Parser;
use faults::Faults;
use mails::Mails;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A pretend mail server for trying and testing Tollgate. A test double: it delivers nothing.
#[derive(Parser)]
#[command(name = "pretend-mailbox", version)]
struct Args {
    /// Where mails come in, on loopback; port 0 takes a free one. All addresses are printed as one JSON line.
    #[arg(long, default_value = "127.0.0.1:0")]
    smtp: SocketAddr,
    /// Where mails are shown, on loopback.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where mails come in over TLS from the first byte; needs a certificate.
    #[arg(long, requires = "certificate")]
    smtps: Option<SocketAddr>,
    /// PEM: the server's certificates. With them STARTTLS is offered.
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// PEM: their key.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Takes mails only of this user, `name:password`.
    #[arg(long)]
    user: Option<String>,
}

/// What every connection has in common.
pub struct Stage {
    pub mails: Mails,
    pub faults: Faults,
    /// A name and a password, where mails are taken of one user only.
    pub user: Option<(String, String)>,
    pub tls: Option<TlsAcceptor>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let user = args.user.as_deref().map(|user| {
        user.split_once(':').map(|(name, word)| (name.to_owned(), word.to_owned())).context("a user is name:password")
    });
    let tls = match args.certificate.as_deref().zip(args.key.as_deref()) {
        Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
        None => None,
    };
    let stage = Stage { mails: Mails::default(), faults: Faults::default(), user: user.transpose()?, tls };
    let stage = Arc::new(stage);
    let (smtp, http) = (bind(args.smtp).await?, bind(args.listen).await?);
    let smtps = match args.smtps {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let listen = http.local_addr().context("reading an address")?;
    let line = json!({
        "listen": listen.to_string(), "url": format!("http://{listen}"),
        "smtp": smtp.local_addr().context("reading an address")?.to_string(),
        "smtps": smtps.as_ref().map(TcpListener::local_addr).transpose()?.map(|address| address.to_string()),
    });
    writeln!(std::io::stdout(), "{line}").context("printing the addresses")?;
    let shown = axum::serve(http, pages::router(Arc::clone(&stage)));
    let closed = async {
        match smtps {
            Some(listener) => smtp::serve(listener, Arc::clone(&stage), smtp::Line::Closed).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        shown = shown => shown.context("showing mails"),
        () = smtp::serve(smtp, Arc::clone(&stage), smtp::Line::Open) => Ok(()),
        () = closed => Ok(()),
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!("{address} is not on loopback: a test double is for this machine only");
    }
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}
