//! `streams`: server-sent events through the gateway and through a bare pingora, in turn: how evenly they arrive, and whether all do (P12).

use anyhow::{Context, Result};

use super::caller::Load;
use super::found::{Found, Streams};
use super::plant::Group;
use super::report::Outcome;
use super::stand::Stand;
use crate::bench::{Bare, median};
use crate::{interrupt, words};

const GROUP: Group = Group { name: "load", accounts: 100, lots: 1, credits: 1 << 40, keys: 100, audited: false };
const WINDOWS: usize = 4;
/// Events of a stream and the last one behind them.
const CHUNKS: u64 = 50;
const GAP_US: f64 = 20_000.0;

pub fn play(stand: &Stand) -> Result<bool> {
    let keys = stand.planter()?.plant(&[GROUP])?;
    let keys = keys.first().context("a group has keys")?;
    let upstream = stand.standing.upstream.strip_prefix("http://").context("the upstream's URL")?;
    let bare = Bare::start(stand.layout, upstream, 0)?;
    let load = Load {
        mix: "sse=1",
        rate: Some("100".to_owned()),
        connections: 512,
        headers: vec![format!("Pretend-Stream: chunks={CHUNKS}, gap={}", GAP_US / 1_000.0)],
        ..Load::default()
    };
    let load = load.or(stand.wish);
    let (mut ours, mut theirs, mut lost) = (Vec::new(), Vec::new(), 0);
    for window in 1..=WINDOWS {
        interrupt::check()?;
        words::step(&format!("window {window} of {WINDOWS}: bare pingora, then the gateway"));
        theirs.push(beyond_the_gap(&streams(stand.caller().quietly(&load, &bare.url(), keys)?)?));
        let through = streams(stand.caller().quietly(&load, &stand.standing.gateway, keys)?)?;
        lost += frames_lost(&through);
        ours.push(beyond_the_gap(&through));
    }
    let (ours, theirs) = (median(&ours), median(&theirs));
    let notes = vec![
        format!(
            "events {} ms apart; 99 of 100 came within {:.2} ms more by the gateway, {:.2} ms by bare pingora",
            GAP_US / 1_000.0,
            ours / 1_000.0,
            theirs / 1_000.0
        ),
        format!("P12  inter-frame p99 beyond the gap, gateway / bare pingora   {:.2}   goal 1.5", ours / theirs),
        format!("P12  frames lost                                              {lost}   goal 0"),
    ];
    let wrong = if lost > 0 { vec![format!("{lost} frames were lost")] } else { Vec::new() };
    Outcome::of_figures("streams", notes, wrong).print(stand.wish.json)
}

fn streams(found: Found) -> Result<Streams> {
    found.streams.context("no stream came to its end")
}

/// By how much 99 of 100 events came later after the one before than the upstream sent them.
fn beyond_the_gap(streams: &Streams) -> f64 {
    (streams.gaps_us.p99 - GAP_US).max(1.0)
}

/// A stream that broke off has lost its last event at least.
fn frames_lost(streams: &Streams) -> u64 {
    (streams.whole * (CHUNKS + 1)).saturating_sub(streams.events) + streams.broken
}
