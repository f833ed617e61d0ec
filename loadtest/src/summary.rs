//! What a run found, as JSON has it; README.md describes each field.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::balances::Balances;
use crate::cli::{Arrivals, RunArgs};
use crate::mix::Kind;
use crate::record::{Record, Second, Side, Streams};
use crate::spread::Spread;
use crate::watch::Watched;

#[derive(Serialize)]
pub struct Summary {
    pub loadtest: &'static str,
    pub targets: Vec<String>,
    /// Calls a second that were to be made; null where callers waited for answers.
    pub rate: Option<String>,
    pub arrivals: &'static str,
    pub connections: usize,
    pub seed: u64,
    /// From the end of the warm-up to the last answer.
    pub seconds: f64,
    /// Calls a second that came to an end.
    pub per_second: f64,
    pub all: Figures,
    pub kinds: BTreeMap<&'static str, Figures>,
    /// How late calls were sent.
    pub late_us: Spread,
    pub streams: Option<StreamFigures>,
    pub over_time: Vec<Second>,
    #[serde(flatten)]
    pub watched: Watched,
    /// Null unless it was asked for.
    pub balances: Option<Balances>,
}

#[derive(Serialize)]
pub struct Figures {
    pub calls: u64,
    pub served: u64,
    pub failed: u64,
    pub credits: u64,
    pub answers: BTreeMap<String, u64>,
    pub latency_us: Spread,
    pub service_us: Spread,
    /// Percent and µs, for a plot.
    #[serde(skip)]
    pub curve: Vec<(f64, f64)>,
}

#[derive(Serialize)]
pub struct StreamFigures {
    pub whole: u64,
    pub broken: u64,
    pub events: u64,
    pub gaps_us: Spread,
}

impl Summary {
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
    pub fn of(args: &RunArgs, record: Record, seconds: f64, watched: Watched, balances: Option<Balances>) -> Summary {
        let all = Side::all(&record.kinds);
        let kinds = Kind::ALL.into_iter().map(|kind| (kind.name(), &record.kinds[kind.place()]));
        let rate = args.rate.as_ref().map(ToString::to_string);
        Summary {
            loadtest: env!("CARGO_PKG_VERSION"),
            targets: args.target.iter().map(|target| target.url.clone()).collect(),
            arrivals: match (&rate, args.arrivals) {
                (None, _) => "on answer",
                (_, Arrivals::Constant) => "constant",
                (_, Arrivals::Poisson) => "poisson",
            },
            rate,
            connections: args.connections.get(),
            seed: args.seed,
            seconds,
            per_second: all.calls as f64 / seconds,
            kinds: kinds.filter(|(_, side)| side.calls > 0).map(|(name, side)| (name, Figures::of(side))).collect(),
            all: Figures::of(&all),
            late_us: record.late.spread(),
            streams: StreamFigures::of(&record.events),
            over_time: record.seconds,
            watched,
            balances,
        }
    }
}

impl Figures {
    fn of(side: &Side) -> Figures {
        Figures {
            calls: side.calls,
            served: side.served,
            failed: side.failed,
            credits: side.credits,
            answers: side.answers.clone(),
            latency_us: side.latency.spread(),
            service_us: side.service.spread(),
            curve: side.latency.curve(),
        }
    }
}

impl StreamFigures {
    fn of(streams: &Streams) -> Option<StreamFigures> {
        let Streams { whole, broken, events, ref gaps } = *streams;
        (whole + broken > 0).then(|| StreamFigures { whole, broken, events, gaps_us: gaps.spread() })
    }
}
