//! A run from its beginning to its end: callers take calls that are due, and what became of each is written down.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_channel::Receiver;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::call::Requests;
use crate::cli::RunArgs;
use crate::keys::Keys;
use crate::line::Line;
use crate::pace::pace;
use crate::plan::{Call, Plan};
use crate::record::{Record, Timing};
use crate::stage::Stage;
use crate::summary::Summary;
use crate::watch::Watch;
use crate::{balances, html, table};

/// Balances are not what callers were told.
const UNTRUE: u8 = 2;

pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let keys = Keys::read(&args.keys)?;
    let runtime = Builder::new_multi_thread().worker_threads(args.threads.get()).enable_all().build();
    let summary = runtime.context("starting the runtime")?.block_on(whole(args, keys))?;
    ensure!(summary.all.calls > 0, "no call came to an end");
    if args.json.as_deref() != Some(Path::new("-")) {
        println!("{}", table::text(&summary));
    }
    if let Some(path) = &args.json {
        write_json(path, &summary)?;
    }
    if let Some(path) = &args.html {
        fs::write(path, html::page(&summary)?).with_context(|| format!("writing {}", path.display()))?;
    }
    let untrue = summary.balances.as_ref().is_some_and(|balances| !balances.wrong.is_empty());
    Ok(if untrue { ExitCode::from(UNTRUE) } else { ExitCode::SUCCESS })
}

/// The load, and the balances before and after it where they were asked for.
async fn whole(args: &RunArgs, keys: Keys) -> Result<Summary> {
    let tracker = TaskTracker::new();
    let requests = Requests::new(keys, args.header.clone());
    let mut line = Line::to(&args.target[0], &tracker);
    let before = if args.balances { balances::ask(&requests, &mut line).await? } else { Vec::new() };
    let began = Instant::now();
    let from = began + args.warm_up;
    let stage = Arc::new(Stage::new(requests, began, from, args.timeout, args.receipts.as_deref())?);
    let (over, is_over) = watch::channel(false);
    let watching = {
        let (watch, stage) = (Watch::new(args, &tracker), Arc::clone(&stage));
        tracker.spawn(async move { watch.follow(&stage, from, is_over).await })
    };
    load(args, &stage, &tracker).await?;
    let ended = Instant::now();
    over.send_replace(true);
    let watched = watching.await.context("who looked at the processes fell over")?;
    stage.close_receipts()?;
    let mut record = std::mem::replace(&mut *stage.record(), Record::new(ended, 0));
    record.finish();
    let balances = if args.balances {
        Some(balances::compare(&stage.requests, &mut line, &before, &record.drawn, args.settle).await?)
    } else {
        None
    };
    let seconds = ended.saturating_duration_since(from).as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(Summary::of(args, record, seconds, watched, balances))
}

/// Makes every call of the plan; returns when each has come to its end, or after a stop those that were under way.
async fn load(args: &RunArgs, stage: &Arc<Stage>, tracker: &TaskTracker) -> Result<()> {
    let lasts = args.warm_up + args.duration;
    let timing = args.rate.clone().map(|rate| (rate, args.arrivals, lasts));
    let plan = Plan::new(args.seed, args.mix.clone(), stage.requests.keys.credentials.len(), args.zipf, timing);
    // Calls that nobody can take yet wait here without a bound where they are due at a time; where callers wait for answers, a few
    // stand ready.
    let (hand_out, calls) =
        if args.rate.is_some() { async_channel::unbounded() } else { async_channel::bounded(args.connections.get()) };
    let mut callers = JoinSet::new();
    for number in 0..args.connections.get() {
        let line = Line::to(&args.target[number % args.target.len()], tracker);
        callers.spawn(call_on(line, calls.clone(), Arc::clone(stage)));
    }
    let (stop, began) = (Arc::new(AtomicBool::new(false)), stage.began);
    let pacer = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || pace(plan, began, began + lasts, &hand_out, &stop))
    };
    tokio::select! {
        () = all_ended(&mut callers) => {}
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            // What waits is not called any more, what is under way comes to its end.
            while calls.try_recv().is_ok() {}
        }
    }
    drop(calls);
    all_ended(&mut callers).await;
    pacer.join().ok().context("the thread that hands out calls fell over")
}

async fn all_ended(callers: &mut JoinSet<()>) {
    while callers.join_next().await.is_some() {}
}

/// One caller on one connection.
async fn call_on(mut line: Line, calls: Receiver<Call>, stage: Arc<Stage>) {
    while let Ok(call) = calls.recv().await {
        let request = stage.requests.of(call, line.target());
        let sent = Instant::now();
        let answer = line.call(request, stage.timeout).await;
        let due = call.due.map_or(sent, |due| stage.began + due);
        stage.add(call, Timing { due, sent, ended: Instant::now() }, &answer);
    }
}

fn write_json(path: &Path, summary: &Summary) -> Result<()> {
    let mut text = serde_json::to_string(summary).context("writing JSON")?;
    text.push('\n');
    if path == Path::new("-") {
        print!("{text}");
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
