//! `cargo dev sizes`: how many bytes an account, a lot, a key and a call take up, in Redis, in the book, in the logs of both, and in a
//! gateway's journal. Bytes do not depend on how programs were optimised, so debug programs do. `docs/sizing.md` is built on what it says.

mod book;
mod calls;
mod live;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cli::SizesWish;
use crate::layout::Layout;
use crate::report::Report;
use crate::secret::Passwords;
use crate::state::{self, Wish};
use crate::{build, down, http, ports, process, tools, up, words};
use book::Book;
use calls::{Calls, Kind};
use live::Live;
use report::{Call, Figures};

/// The journal's files stay when nobody takes them, and can be measured; a line a request would only cost time.
const SETTINGS: &[(&str, &str)] = &[
    ("TOLLGATE_GATEWAY_JOURNAL__POST_TO", "[]"),
    ("TOLLGATE_GATEWAY_LOG__LEVEL", "warn"),
    ("TOLLGATE_GATEWAY_LOG__REQUEST_ONE_IN", "0"),
];
/// A machine that does much else may take its time.
const LIMIT: Duration = Duration::from_mins(15);
const INSTALLED: &str = "tollgate_sync_accounts_installed_total";

pub fn run(layout: &Layout, wish: &SizesWish) -> Result<ExitCode> {
    let layout = layout.aside("sizes");
    // What an earlier run has left would be measured, too.
    down::reset(&layout)?;
    let turn = state::lock(&layout)?;
    tools::install_missing(&tools::absent(&["wrk"]))?;
    if !wish.as_built {
        build::workspace(&layout, &[])?;
    }
    let setup = Wish { release: false, upstream: None, no_fault_upstream: false };
    let (house, standing) = up::bring_up(&layout, setup, SETTINGS)?;
    let figures = measure(&layout, &standing, wish)?;
    figures.print(wish.json)?;
    drop(house);
    drop(turn);
    Ok(ExitCode::SUCCESS)
}

fn measure(layout: &Layout, standing: &Report, wish: &SizesWish) -> Result<Figures> {
    let passwords = Passwords::kept(layout)?;
    let (redis, sync) = (ports::of(&standing.redis)?, ports::of(&standing.ledger_sync_admin)?);
    let live = Live::new(redis, &passwords.redis_admin);
    let tools = tools::servers()?;
    let book = Book::new(&tools, ports::of(&standing.postgres)?, &passwords.postgres);

    words::step(&format!("{} accounts in the book, and live state built anew from it", book::planted(wish.accounts)));
    live.only_append()?;
    let before = live.used_memory()?;
    let rows = book.plant(wish.accounts)?;
    let installed = http::metric(sync, INSTALLED).context("ledger-sync says nothing of installs")?;
    live.flush()?;
    let accounts = book::planted(wish.accounts);
    let ready = || http::is_good(sync, "/readyz");
    let done = || http::metric(sync, INSTALLED).is_some_and(|now| now.saturating_sub(installed) >= accounts);
    process::wait_for("live state", LIMIT, || ready() && done())?;
    let whole = live.used_memory()?.saturating_sub(before);
    let lots = book.groups()?.iter().map(|group| live.group(group)).collect::<Result<Vec<_>>>()?;
    let key = live.api_key()?;

    let callers = calls::callers(layout)?;
    let calls = Calls::new(layout, &standing.gateway, &callers, Duration::from_secs(wish.seconds))?;
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        words::step(&format!("calls: {}", kind.name()));
        kinds.push(one_kind(&live, &book, &calls, kind)?);
    }
    let small = book.small_tables()?;
    Ok(Figures { accounts, whole, lots, key, calls: kinds, rows, small })
}

/// What calls of one kind leave behind, once all of it is in the book.
fn one_kind(live: &Live, book: &Book, calls: &Calls, kind: Kind) -> Result<Call> {
    let (stream, entries, others) = (live.streams()?, book.entries()?, live.marks(kind)?);
    let (aof, journal, wal) = (live.aof_bytes()?, calls.journal_bytes()?, book.wal()?);
    let made = calls.run(kind)?;
    ensure!(made > 0, "no call was answered");
    process::wait_for("the book", LIMIT, || {
        let events = live.streams().map_or(0, |now| now.count.saturating_sub(stream.count));
        let rows = book.entries().map_or(0, |now| now.rows.saturating_sub(entries.rows));
        events >= made * kind.events() && rows == events
    })?;
    calls.wait_for_journal()?;
    let (stream_after, entries_after, others_after) = (live.streams()?, book.entries()?, live.marks(kind)?);
    Ok(Call {
        kind: kind.name(),
        calls: made,
        events: stream_after.count.saturating_sub(stream.count),
        event_bytes: stream_after.bytes.saturating_sub(stream.bytes),
        marks: others_after.count.saturating_sub(others.count),
        mark_bytes: others_after.bytes.saturating_sub(others.bytes),
        aof_bytes: live.aof_bytes()?.saturating_sub(aof),
        journal_bytes: calls.journal_bytes()?.saturating_sub(journal),
        entries: entries_after.rows.saturating_sub(entries.rows),
        heap_bytes: entries_after.heap.saturating_sub(entries.heap),
        index_bytes: entries_after.indexes.saturating_sub(entries.indexes),
        wal_bytes: book.wal()?.saturating_sub(wal),
    })
}
