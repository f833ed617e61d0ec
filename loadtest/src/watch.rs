//! What is looked at while calls are made: processes, metrics, and where the run stands.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use serde::Serialize;
use tokio::sync::watch::Receiver;
use tokio_util::task::TaskTracker;

use crate::cli::RunArgs;
use crate::line::{Line, Target};
use crate::process::{self, Process, Used};
use crate::scrape::{BACKLOG, Debits, Scrape};
use crate::stage::Stage;

const LOOK: Duration = Duration::from_secs(1);
/// A service that says nothing for so long is passed over this time.
const SCRAPE_LIMIT: Duration = Duration::from_secs(2);

/// What services and processes did meanwhile.
#[derive(Serialize)]
pub struct Watched {
    /// By the name each was given.
    pub processes: Vec<ProcessFigures>,
    /// How long debits took, as the gateway saw it.
    pub debits: Option<Debits>,
    /// The most events that were not in the book yet, and how many at the last answer.
    pub backlog_max: Option<f64>,
    pub backlog_end: Option<f64>,
}

#[derive(Serialize)]
pub struct ProcessFigures {
    pub name: String,
    /// CPU time for each call that came to an end; null where the process ended meanwhile.
    pub cpu_us_per_call: Option<f64>,
    pub rss_begin_bytes: Option<u64>,
    pub rss_end_bytes: Option<u64>,
    pub rss_max_bytes: Option<u64>,
}

/// One look at everything.
#[derive(Clone)]
struct Look {
    ended: u64,
    used: Vec<Option<Used>>,
    scrapes: Vec<Scrape>,
}

pub struct Watch {
    processes: Vec<Process>,
    admins: Vec<Line>,
    lasts: Duration,
    shows: bool,
}

impl Watch {
    pub fn new(args: &RunArgs, tracker: &TaskTracker) -> Watch {
        Watch {
            processes: args.pid.clone(),
            admins: args.admin.iter().map(|admin| Line::to(admin, tracker)).collect(),
            lasts: args.warm_up + args.duration,
            shows: std::io::stderr().is_terminal(),
        }
    }

    /// Looks once the warm-up is over, each second, and at the end, when `over` says so.
    pub async fn follow(mut self, stage: &Stage, from: Instant, mut over: Receiver<bool>) -> Watched {
        let is_over = |over: &Receiver<bool>| *over.borrow();
        while Instant::now() < from && !is_over(&over) {
            self.wait(stage, &mut over, from).await;
        }
        let first = self.look(stage).await;
        let mut rss_max: Vec<Option<u64>> = first.used.iter().map(|used| used.map(|used| used.rss_bytes)).collect();
        let mut backlog_max = first.backlog();
        let mut last = first.clone();
        while !is_over(&over) {
            self.wait(stage, &mut over, Instant::now() + LOOK).await;
            last = self.look(stage).await;
            for (most, used) in rss_max.iter_mut().zip(&last.used) {
                *most = (*most).max(used.map(|used| used.rss_bytes));
            }
            backlog_max = backlog_max.into_iter().chain(last.backlog()).reduce(f64::max);
        }
        if self.shows {
            eprintln!();
        }
        self.compare(&first, &last, &rss_max, backlog_max)
    }

    async fn wait(&self, stage: &Stage, over: &mut Receiver<bool>, until: Instant) {
        let next = (Instant::now() + LOOK).min(until);
        // An error says that nobody is left to say that it is over: then it is.
        let _ = tokio::time::timeout_at(next.into(), over.changed()).await;
        if self.shows {
            let line = stage.standing(self.lasts);
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r{line}\x1b[K").and_then(|()| err.flush()); // a closed terminal is nothing to stop for
        }
    }

    async fn look(&mut self, stage: &Stage) -> Look {
        let used = process::used(&self.processes);
        let ended = stage.record().ended;
        let mut scrapes = Vec::new();
        for admin in &mut self.admins {
            let request = metrics_of(admin.target());
            let said = admin.ask(request, SCRAPE_LIMIT).await;
            scrapes.push(said.map(|(_, body)| Scrape::read(&String::from_utf8_lossy(&body))).unwrap_or_default());
        }
        Look { ended, used, scrapes }
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls")]
    fn compare(&self, first: &Look, last: &Look, rss_max: &[Option<u64>], backlog_max: Option<f64>) -> Watched {
        let calls = last.ended.saturating_sub(first.ended).max(1) as f64;
        let figures = |(place, process): (usize, &Process)| {
            let (before, after) = (first.used[place], last.used[place]);
            // Less than before is another process by the same number.
            let cpu = before.zip(after).map(|(before, after)| after.cpu_us - before.cpu_us).filter(|us| *us >= 0.0);
            ProcessFigures {
                name: process.name.clone(),
                cpu_us_per_call: cpu.map(|us| us / calls),
                rss_begin_bytes: before.map(|used| used.rss_bytes),
                rss_end_bytes: after.map(|used| used.rss_bytes),
                rss_max_bytes: rss_max[place],
            }
        };
        let mut pairs = last.scrapes.iter().zip(&first.scrapes);
        Watched {
            processes: self.processes.iter().enumerate().map(figures).collect(),
            debits: pairs.find_map(|(after, before)| after.debits_since(before)),
            backlog_max,
            backlog_end: last.backlog(),
        }
    }
}

impl Look {
    fn backlog(&self) -> Option<f64> {
        self.scrapes.iter().filter_map(|scrape| scrape.sum(BACKLOG)).reduce(|one, other| one + other)
    }
}

fn metrics_of(target: &Target) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = Uri::from_static("/metrics");
    request.headers_mut().insert(HOST, HeaderValue::clone(&target.host));
    request
}
