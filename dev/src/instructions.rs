//! `cargo dev instructions`: how many instructions a request takes, and whether that is more than it was.
//!
//! Gateway and bare pingora run under callgrind, one after the other, on one connection unless more are asked for. Instructions are
//! counted, not timed, so a busy machine changes little (what a program does by the clock goes on while fewer requests are served); and the
//! two come from one build, so the compiler's share cancels out of their ratio.

mod counted;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::bench::{Load, Target};
use crate::cli::InstructionsWish;
use crate::layout::Layout;
use crate::state::{self, Wish};
use crate::{build, ports, tools, up, words};
use counted::Counted;

/// The guard: the most that the gateway may take of what bare pingora takes. Measured over 20 s: 2.033 and 2.034; beside
/// two builds, over 10 s, 0.04 to 0.06 more. Callgrind has no instructions for SHA, so a key's digest counts for more than it costs.
/// Raise it only with a reason in `loadtest/RESULTS.md`, lower it with each gain.
const MOST: f64 = 2.09;

#[derive(Serialize)]
struct Figures {
    gateway: f64,
    bare_pingora: f64,
    ratio: f64,
    /// `None` where nothing is held against the guard.
    most: Option<f64>,
}

pub fn run(layout: &Layout, wish: &InstructionsWish) -> Result<ExitCode> {
    let layout = layout.aside("instructions");
    let turn = state::lock(&layout)?;
    tools::install_missing(&tools::absent(&["wrk", "valgrind"]))?;
    if !wish.as_built {
        build::release(&layout)?;
    }
    let setup_wish = Wish { release: true, upstream: None, no_fault_upstream: true };
    let (house, standing) = up::bring_up(&layout, setup_wish, &[])?;
    let upstream = standing.upstream.strip_prefix("http://").context("the upstream's URL")?;
    let load = Load::new(&layout)?;
    let key = standing.keys.get("bench").context("the setup has a bench account")?;
    let target =
        |port| Target { url: format!("{}/v1/messages", ports::local(port)), key: Some(key.clone()), refused: false };
    let seconds = Duration::from_secs(wish.seconds);

    words::step("the gateway, under callgrind");
    let ours = Counted::gateway(&layout)?;
    let gateway = ours.a_request(&load, &target(ours.port), wish.connections, seconds)?;
    drop(ours);
    words::step("bare pingora, under callgrind");
    let theirs = Counted::bare(&layout, upstream)?;
    let bare_pingora = theirs.a_request(&load, &target(theirs.port), wish.connections, seconds)?;
    drop((theirs, house, turn));

    let most = (wish.connections == 1).then_some(MOST); // what it was measured with
    let figures = Figures { gateway, bare_pingora, ratio: gateway / bare_pingora, most };
    if wish.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        println!("instructions a request: gateway {gateway:.0}, bare pingora {bare_pingora:.0}");
        let guard = most.map_or_else(String::new, |most| format!(", at most {most}"));
        println!("ratio {:.3}{guard}", figures.ratio);
    }
    if most.is_some_and(|most| figures.ratio > most) {
        let profile = |name: &str| layout.log(&format!("callgrind-{name}")).display().to_string();
        let (ours, theirs) = (profile("gateway"), profile("bare-proxy"));
        words::note(&format!("more than it was: callgrind_annotate reads the profiles {ours} and {theirs}"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
