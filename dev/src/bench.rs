//! `cargo dev bench`: what a request costs, as ratios measured in one run.
//!
//! The gateway and a bare pingora stand side by side before the same upstream; windows of load alternate between them, and CPU
//! time is read from `/proc` for each process over each window. Absolute figures wander with the machine; ratios hold.

mod bare;
mod cost;
mod load;
mod redis_side;
mod report;

use std::process::ExitCode;
use std::slice::from_ref;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cli::BenchWish;
use crate::layout::Layout;
use crate::state::{self, Wish};
use crate::{build, interrupt, tools, up, words};
use report::Figures;

pub use bare::Bare;
pub use cost::{Window, median, tree_cpu_us};
pub use load::{Load, Target};
pub use redis_side::RedisSide;

/// Before the first window: connections, caches, branch predictors.
pub const WARM_UP: Duration = Duration::from_secs(3);

/// What a request costs is measured without its log line, the bare proxy writes none, and without the journal, which is off unless somebody
/// wants it.
pub const QUIET: &[(&str, &str)] = &[
    ("TOLLGATE_GATEWAY_LOG__LEVEL", "warn"),
    ("TOLLGATE_GATEWAY_LOG__REQUEST_ONE_IN", "0"),
    ("TOLLGATE_GATEWAY_JOURNAL__DIRECTORY", ""),
];

pub fn run(layout: &Layout, wish: &BenchWish) -> Result<ExitCode> {
    let layout = layout.aside("bench");
    let turn = state::lock(&layout)?;
    tools::install_missing(&tools::absent(&["wrk", "redis-cli", "redis-benchmark"]))?;
    if !wish.as_built {
        build::release(&layout)?;
    }
    let setup_wish = Wish { release: true, upstream: None, no_fault_upstream: true };
    let (house, standing) = up::bring_up(&layout, setup_wish, QUIET)?;
    let upstream = standing.upstream.strip_prefix("http://").context("the upstream's URL")?.to_owned();
    let bare = Bare::start(&layout, &upstream, 0)?;

    let key = standing.keys.get("bench").context("the setup has a bench account")?;
    let gateway = Target { url: format!("{}/v1/messages", standing.gateway), key: Some(key.clone()), refused: false };
    let plain = Target { url: format!("{}/v1/messages", bare.url()), key: Some(key.clone()), refused: false };
    let ours_are = [standing.process("gateway")?, standing.process("redis")?];
    let redis = RedisSide::new(&standing.redis)?;
    let load = Load::new(&layout)?;

    words::step("warming up");
    load.run(&gateway, wish.connections, WARM_UP)?;
    load.run(&plain, wish.connections, WARM_UP)?;
    let seconds = Duration::from_secs(wish.seconds);
    let (mut ours, mut theirs, mut increments) = (Vec::new(), Vec::new(), Vec::new());
    for window in 1..=wish.windows {
        interrupt::check()?;
        words::step(&format!("window {window} of {}: bare pingora, then the gateway", wish.windows));
        theirs.push(Window::measure(&load, &plain, wish.connections, seconds, from_ref(bare.record()))?);
        let calls = redis.script_calls()?;
        let mut window = Window::measure(&load, &gateway, wish.connections, seconds, &ours_are)?;
        window.script_calls = redis.script_calls()?.saturating_sub(calls);
        ours.push(window);
        increments.push(redis.pipelined_increment_us(ours_are[1].pid)?);
    }
    words::step("one connection: latency added, latency of the script");
    let (mut added, mut script) = (Vec::new(), Vec::new());
    for _ in 0..wish.windows {
        let metered = load.run(&gateway, 1, seconds)?.p50_us;
        added.push(metered - load.run(&plain, 1, seconds)?.p50_us);
        script.push(redis.debit_p50_us(|| load.one(&gateway))?);
    }
    let figures = Figures::new(&ours, &theirs, median(&added), median(&script), median(&increments));
    figures.print(wish.json)?;
    drop((bare, house, turn));
    Ok(ExitCode::SUCCESS)
}
