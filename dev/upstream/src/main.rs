//! A pretend upstream: a test double for the chat app and the API behind the gateway, with faults to order.
//! It knows nothing, keeps nothing and protects nothing; it only shows what a caller of a metered route gets back.

mod answer;
mod api;
mod chat;
mod door;
mod fault;
mod faults;
mod seen;

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use door::{Breaker, Door};
use faults::Faults;
use seen::Seen;
use tokio::net::TcpListener;

/// A pretend chat and API server for trying and testing Tollgate. A test double: never put it in front of people.
#[derive(Parser)]
#[command(name = "pretend-upstream", version)]
struct Args {
    /// Where to listen; port 0 takes a free one. The address is printed as one JSON line.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Answer as asked, always: the header `Pretend-Fault` and `POST /_fault` do nothing.
    #[arg(long)]
    no_faults: bool,
}

/// What every request meets before its handler: it is written down, then its fault is looked up.
#[derive(Clone)]
pub struct Stage {
    seen: Arc<Seen>,
    /// `None` with `--no-faults`.
    faults: Option<Arc<Faults>>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind(&args.listen).await.with_context(|| format!("listening on {}", args.listen))?;
    let address = listener.local_addr().context("reading the bound address")?;
    let line = serde_json::json!({ "listen": address.to_string(), "url": format!("http://{address}") });
    writeln!(std::io::stdout(), "{line}").context("printing the bound address")?;
    let stage = Stage { seen: Arc::default(), faults: (!args.no_faults).then(Arc::default) };
    let service = router(stage).into_make_service_with_connect_info::<Breaker>();
    axum::serve(Door::new(listener), service).await.context("serving")
}

/// Every path this server knows.
fn router(stage: Stage) -> Router {
    let played = Router::new()
        .route("/v1/messages", post(chat::messages))
        .route("/chat", get(chat::page))
        .route("/chat/messages", post(chat::room))
        .route("/v1/artifacts/{id}", get(api::artifact))
        .route("/v1/usage", get(api::usage))
        .route("/v1/batch", post(api::batch))
        .fallback(api::unknown)
        // The gateway's limits are what is tested, not axum's.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(stage.clone(), faults::play));
    let seen = Arc::clone(&stage.seen);
    let forgotten = Arc::clone(&stage.seen);
    let watched =
        Router::new().route("/_seen", get(async move || Json(seen.report())).delete(async move || forgotten.clear()));
    let ordered = Router::new().route("/_fault", get(faults::show).post(faults::order).delete(faults::clear));
    watched.merge(ordered.with_state(stage)).merge(played)
}
