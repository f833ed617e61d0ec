//! `cargo dev test`: every test, with one private Postgres behind it, and nothing left running.

mod leftovers;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::layout::Layout;
use crate::postgres::{self, Postgres};
use crate::tools::{self, Tools};
use crate::{build, files, ports, process, words};
use leftovers::Run;

/// How many random histories and races the tests run.
pub enum Scale {
    Usual,
    Full,
}

/// A crash of this server loses only test data, so it never waits for the disk.
const FAST: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=128MB",
    "autovacuum_naptime=10s",
];

pub fn run(layout: &Layout, scale: &Scale, args: &[String]) -> Result<ExitCode> {
    let tools = tools::servers()?;
    build::workspace(layout, &["--all-targets"])?;
    words::step("starting a private Postgres for the tests");
    let run = Run::new()?;
    let scratch = Scratch::new(&run)?;
    let port = ports::free()?;
    let postgres = Postgres { tools: &tools, home: scratch.0.join("postgres"), port, password: None, settings: &FAST };
    let server = postgres.start(&scratch.0.join("postgres.log"))?;
    words::step(&format!("cargo test --workspace -- {}", args.join(" ")));
    let result = process::run(cargo_test(layout, &tools, &run, &postgres, scale, args));
    drop(server);
    run.stop_leftovers();
    drop(scratch);
    let status = result?;
    Ok(if status.success() { ExitCode::SUCCESS } else { exit_code(status.code()) })
}

fn cargo_test(
    layout: &Layout,
    tools: &Tools,
    run: &Run,
    postgres: &Postgres<'_>,
    scale: &Scale,
    args: &[String],
) -> Command {
    let mut command = build::cargo(layout);
    command.args(["test", "--workspace", "--no-fail-fast", "--"]).args(args);
    command.env("TOLLGATE_TEST_POSTGRES_URL", postgres.url("postgres"));
    // For the few tests that kill a Postgres of their own.
    command.env("PG_BIN", &tools.postgres_bin).env("REDIS_SERVER", &tools.redis_server);
    if matches!(scale, Scale::Full) {
        command.env("TOLLGATE_TEST_SCALE", "full");
    }
    run.mark(&mut command);
    command
}

fn exit_code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A directory for this run, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(run: &Run) -> Result<Scratch> {
        let dir = postgres::reachable(std::env::temp_dir().join(format!("tollgate-test-{}", run.id())))?;
        files::make_dir(&dir, 0o755)?;
        Ok(Scratch(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(err) = fs::remove_dir_all(&self.0) {
            words::note(&format!("{} could not be removed: {err}", self.0.display()));
        }
    }
}
