//! A pretend Stripe: a test double of the API, its hosted pages and its webhooks, on this machine only.
//! No money moves, nothing is protected, and nothing is kept unless it is asked for; it only does what Stripe would do next.

#![recursion_limit = "256"]

mod acts;
mod api;
mod control;
mod deliver;
mod keep;
mod pages;
mod shapes;
mod stage;
mod world;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use clap::Parser;
use deliver::endpoint::Endpoint;
use serde_json::json;
use stage::Stage;
use tokio::net::TcpListener;
use world::World;

/// Stripe's own requests are far smaller.
const BODY_MAX_BYTES: usize = 1 << 20;

/// A pretend Stripe for trying and testing Tollgate. A test double: no money moves; never put it in front of people.
#[derive(Parser)]
#[command(name = "pretend-stripe", version)]
struct Args {
    /// Where to listen, on loopback; port 0 takes a free one. The address is printed as one JSON line.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The only API key that is taken.
    #[arg(long, default_value = "sk_test_pretend")]
    api_key: String,
    /// Where events are delivered to, on loopback. More endpoints can be added while it runs.
    #[arg(long, requires = "webhook_secrets")]
    webhook: Option<String>,
    /// What signs for the endpoint; given more than once, all of them sign, as while a secret is rotated.
    #[arg(long = "webhook-secret")]
    webhook_secrets: Vec<String>,
    /// Objects and events say that they are live. No money moves all the same.
    #[arg(long)]
    live: bool,
    /// Objects are kept in this file, and are there again when the program is started anew.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    if !args.listen.ip().is_loopback() {
        bail!("{} is not on loopback: a test double is for this machine only", args.listen);
    }
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("listening on {}", args.listen))?;
    let address = listener.local_addr().context("reading the bound address")?;
    let base = format!("http://{address}");
    let mut world = World::new(base.clone(), args.live);
    if let Some(url) = args.webhook {
        let endpoint = Endpoint::new(url, args.webhook_secrets);
        endpoint.check().map_err(anyhow::Error::msg)?;
        world.post.endpoints.push(endpoint);
    }
    if let Some(file) = &args.keep {
        keep::read(file, &mut world)?;
    }
    let stage = Stage::new(world, &args.api_key);
    if let Some(file) = args.keep {
        stage.tasks.spawn(keep::keep(stage.clone(), file));
    }
    let client = deliver::client()?;
    stage.tasks.spawn(deliver::run(stage.clone(), client));
    stage.tasks.spawn(tick(stage.clone()));
    let line = json!({ "listen": address.to_string(), "url": base });
    writeln!(std::io::stdout(), "{line}").context("printing the bound address")?;
    axum::serve(listener, router(stage)).await.context("serving")
}

/// Every second, what has fallen due.
async fn tick(stage: Stage) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        stage.tick();
    }
}

/// The API, the pages for people, and the controls of this double.
fn router(stage: Stage) -> Router {
    Router::new()
        .route("/v1/{*path}", any(api::serve))
        .route("/_pretend", any(control::serve))
        .route("/_pretend/{*path}", any(control::serve))
        .merge(pages::router())
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(stage)
}
