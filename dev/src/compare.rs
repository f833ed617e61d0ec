//! `cargo dev loadtest compare`: what a request costs, beside others who do the same or less, and how long it takes.
//!
//! Bare pingora, the gateway, Envoy, nginx, and nginx with Lua and a Redis of its own stand before the same upstream. They are loaded
//! in turn, in rounds; CPU time is read from `/proc` for each process and its children over each window. Whatever slows the machine
//! meanwhile slows a whole round: ratios are taken within rounds.

mod costs;
mod goals;
mod latency;
mod machine;
mod metered;
mod peers;
mod priority;
mod report;
mod results;
mod wish;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bench::{Bare, Load, QUIET, RedisSide, Target, WARM_UP, Window, median};
use crate::layout::Layout;
use crate::process::{self, Record};
use crate::report::Report as Standing;
use crate::state::{self, Wish};
use crate::{build, http, interrupt, ports, tools, up, words};
use costs::{Costs, Who};
use goals::Found;
use latency::{OneConnection, OpenLoop};
use machine::Circumstances;
use metered::Metered;
use peers::{Peer, Starter};
use report::Report;

pub use wish::CompareWish;

const PATH: &str = "/v1/messages";
const BODY: &str = r#"{"messages":[{"role":"user","content":"hello"}]}"#;

/// One who is measured: where it is asked, and what runs for it: the proxy, and its Redis.
struct Side {
    who: Who,
    target: Target,
    processes: Vec<Record>,
}

/// The two whose latencies are compared.
struct Both<'a> {
    load: &'a Load,
    book: &'a Book,
    gateway: &'a Target,
    bare: &'a Target,
}

/// On a machine that others share, a window may fall into a second in which nobody got a core, and callers were told to come back.
const TRIES: u32 = 4;

/// Measures a window again when something went wrong in it; how often that happened is told beside the figures.
fn steadily<T>(disturbed: &mut u32, mut window: impl FnMut() -> Result<T>) -> Result<T> {
    let mut tries = 1;
    loop {
        match window() {
            Err(error) if tries < TRIES && interrupt::check().is_ok() => {
                words::note(&format!("once more, since {error:#}"));
                (*disturbed, tries) = (*disturbed + 1, tries + 1);
            }
            ended => return ended,
        }
    }
}

/// The owner of shards, by its admin listener.
struct Book {
    admin: u16,
}

/// Events that are not in the book by then never will be.
const CALM_LIMIT: Duration = Duration::from_mins(3);

impl Book {
    /// Waits until the book has all that the last window drew: who comes next shares the machine with nobody's work but its own.
    fn calm(&self) -> Result<()> {
        let is_calm = || http::metric(self.admin, "tollgate_sync_backlog_events") == Some(0) || interrupt::requested();
        ensure!(process::wait_until(CALM_LIMIT, is_calm), "the book does not take in what was drawn");
        interrupt::check()
    }
}

pub fn run(layout: &Layout, wish: &CompareWish) -> Result<ExitCode> {
    let layout = &layout.aside("compare");
    let turn = state::lock(layout)?;
    tools::install_missing(&tools::absent(&["wrk", "redis-cli", "redis-benchmark"]))?;
    let (modules, envoy) = (tools::nginx::modules()?, tools::envoy::fetch(layout)?);
    if !wish.bench.as_built {
        build::release(layout)?;
    }
    let workers = if wish.workers == 0 { process::cores() } else { usize::try_from(wish.workers)? };
    let mut circumstances = Circumstances::now(layout, &envoy, wish, workers)?;

    let starter = Starter { layout, workers };
    let upstream = starter.upstream()?;
    let threads = workers.to_string();
    let variables = [QUIET, &[("TOLLGATE_GATEWAY_THREADS", threads.as_str())]].concat();
    let setup_wish = Wish { release: true, upstream: Some(upstream.url()), no_fault_upstream: false };
    let (house, standing) = up::bring_up(layout, setup_wish, &variables)?;
    priority::give_way(&standing)?;
    let bare = Bare::start(layout, &upstream.address(), workers)?;
    let proxy = starter.proxy(&upstream.address())?;
    let envoy = starter.envoy(&envoy, &upstream)?;
    let metered = Metered::start(&starter, &tools::servers()?, &modules, &upstream.address())?;

    let sides = sides(&standing, &bare, &proxy, &envoy, &metered)?;
    for side in &sides {
        side.answers_as_it_must()?;
    }
    let book = Book { admin: ports::of(&standing.ledger_sync_admin)? };
    let found = measure(layout, wish, &sides, &RedisSide::new(&standing.redis)?, &book)?;
    circumstances.ended();
    let report = Report::new(circumstances, &found);
    report.print(wish.bench.json)?;
    if wish.write {
        results::write(&layout.root.join("loadtest/RESULTS.md"), &report.text())?;
    }
    drop((metered, envoy, proxy, bare, house, upstream, turn));
    Ok(ExitCode::SUCCESS)
}

/// Everybody, in the order of a round.
fn sides(standing: &Standing, bare: &Bare, proxy: &Peer, envoy: &Peer, metered: &Metered) -> Result<Vec<Side>> {
    let key = |name: &str| standing.keys.get(name).cloned().with_context(|| format!("the setup has an account {name}"));
    let ours = [standing.process("gateway")?, standing.process("redis")?];
    let side = |who, url: &str, key: String, processes: &[Record]| {
        let refused = matches!(who, Who::Unknown | Who::Exhausted);
        Side {
            who,
            target: Target { url: format!("{url}{PATH}"), key: Some(key), refused },
            processes: processes.to_vec(),
        }
    };
    let (bench, gateway) = (key("bench")?, standing.gateway.as_str());
    let alone = |peer: &Peer| [peer.service.record.clone()];
    let both = [metered.peer.service.record.clone(), metered.redis.record.clone()];
    Ok(vec![
        side(Who::BarePingora, &bare.url(), bench.clone(), &[bare.record().clone()]),
        side(Who::Gateway, gateway, bench.clone(), &ours),
        side(Who::BareEnvoy, &envoy.url(), bench.clone(), &alone(envoy)),
        side(Who::NginxProxy, &proxy.url(), bench, &alone(proxy)),
        side(Who::NginxLua, &metered.peer.url(), metered.key.clone(), &both),
        side(Who::Unknown, gateway, key("revoked")?, &ours),
        side(Who::Exhausted, gateway, key("exhausted")?, &ours),
    ])
}

impl Side {
    /// Nobody is measured who does something else.
    fn answers_as_it_must(&self) -> Result<()> {
        let expected = match self.who {
            Who::Unknown => 401,
            Who::Exhausted => 402,
            _ => 200,
        };
        let key = self.target.key.as_deref().unwrap_or_default();
        let answer = http::post(ports::of(&self.target.url)?, PATH, key, BODY)?;
        let (title, status) = (self.who.title(), answer.status);
        ensure!(status == expected, "{title} answers {status} instead of {expected}: {}", answer.body.trim());
        Ok(())
    }
}

fn measure(layout: &Layout, wish: &CompareWish, sides: &[Side], redis: &RedisSide, book: &Book) -> Result<Found> {
    let load = Load::new(layout)?;
    words::step("warming up");
    for side in sides {
        load.run(&side.target, wish.bench.connections, WARM_UP)?;
    }
    let seconds = Duration::from_secs(wish.bench.seconds);
    let costs = rounds(&load, wish, sides, redis, book)?;
    let of = |who| sides.iter().find(|side| side.who == who).context("a side is missing");
    let (gateway, bare) = (of(Who::Gateway)?, of(Who::BarePingora)?);
    let both = Both { load: &load, book, gateway: &gateway.target, bare: &bare.target };
    let one = OneConnection::measure(&both, redis, wish.bench.windows, seconds)?;
    let half = median(&costs.requests_per_second(Who::Gateway)) / 2.0;
    let open = OpenLoop::measure(layout, &both, half, wish.bench.windows, seconds)?;
    Ok(Found { costs, one, open })
}

/// A window of load on each, round after round; every second one the other way round, so that nobody always comes after the same one.
fn rounds(load: &Load, wish: &CompareWish, sides: &[Side], redis: &RedisSide, book: &Book) -> Result<Costs> {
    let mut costs = Costs::default();
    for round in 1..=wish.bench.windows {
        words::step(&format!("round {round} of {}", wish.bench.windows));
        let mut order: Vec<&Side> = sides.iter().collect();
        if round % 2 == 0 {
            order.reverse();
        }
        for side in order {
            let window = steadily(&mut costs.disturbed, || {
                book.calm()?;
                let calls = redis.script_calls()?;
                let seconds = Duration::from_secs(wish.bench.seconds);
                let mut window = Window::measure(load, &side.target, wish.bench.connections, seconds, &side.processes)?;
                window.script_calls = redis.script_calls()?.saturating_sub(calls);
                Ok(window)
            })?;
            costs.add(side.who, window);
            if side.who == Who::Gateway {
                book.calm()?; // what it reads for the owner is none of an increment's
                costs.increments_us.push(redis.pipelined_increment_us(side.processes[1].pid)?);
            }
        }
    }
    Ok(costs)
}
