//! `cargo dev test`: every test, with one private Postgres behind it, and nothing left running.

mod scratch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::layout::Layout;
use crate::postgres::{self, Postgres};
use crate::tools::{self, Tools};
use crate::{build, ports, process, words};
use scratch::Scratch;

/// Whether tests that need more than the servers may be left out where that can't be fetched: Valkey, libfaketime to turn its clock, a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    IfItCan,
    Must,
}

impl Beside {
    fn here(self, what: &str, fetched: Result<PathBuf>) -> Result<Option<PathBuf>> {
        match fetched {
            Err(error) if self == Self::IfItCan => {
                words::note(&format!("tests that need {what} are left out: {error:#}"));
                Ok(None)
            }
            fetched => fetched.map(Some),
        }
    }
}

/// How many random histories and races the tests run.
pub enum Scale {
    Usual,
    Full,
}

/// Modules of tests that rest on the scripts alone; the book has two of the same name, which cost little.
const ON_VALKEY: [&str; 16] = [
    "batches::",
    "budget::",
    "control::",
    "credits::",
    "debit::",
    "drained::",
    "exposure::",
    "fence::",
    "give_back::",
    "install::",
    "numbers::",
    "out_of_memory::",
    "rates::",
    "undo::",
    "unreadable::",
    "histories::",
];
const HISTORIES_ON_VALKEY: &str = "200";

/// A crash of this server loses only test data, so it never waits for the disk.
const FAST: [&str; 6] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=128MB",
    "autovacuum_naptime=10s",
];

pub fn run(layout: &Layout, scale: &Scale, beside: Beside, args: &[String]) -> Result<ExitCode> {
    let tools = tools::servers()?;
    let valkey = beside.here("Valkey", tools::valkey::fetch(layout))?;
    let faketime = beside.here("a clock that can be turned", tools::faketime::fetch())?;
    let chromedriver = beside.here("a browser", tools::browser::driver())?;
    let axe = beside.here("axe-core", tools::browser::axe(layout))?;
    let schemathesis = beside.here("schemathesis", tools::schemathesis::SCHEMATHESIS.fetch(layout))?;
    let aiosmtpd = beside.here("a mail server that is not ours", tools::aiosmtpd::AIOSMTPD.fetch(layout))?;
    build::workspace(layout, &["--all-targets"])?;
    words::step("starting a private Postgres for the tests");
    let mut scratch = Scratch::new()?;
    let home = scratch.dir.join("postgres");
    let postgres = Postgres { tools: &tools, home, port: ports::free()?, password: None, settings: &FAST };
    let server = postgres.start(&scratch.dir.join("postgres.log"))?;
    scratch.note_postgres(server.record.clone())?;
    words::step(&format!("cargo test --workspace -- {}", args.join(" ")));
    let url = postgres::url(None, postgres.port, "postgres");
    let mut environment = vec![("TOLLGATE_TEST_POSTGRES_URL", OsString::from(url))];
    // All of them are meant, and there is a Valkey.
    let again = args.is_empty() && valkey.is_some();
    environment.extend(valkey.map(|valkey| ("TOLLGATE_TEST_VALKEY", valkey.into())));
    environment.extend(faketime.map(|faketime| ("TOLLGATE_TEST_FAKETIME", faketime.into())));
    environment.extend(aiosmtpd.map(|aiosmtpd| ("TOLLGATE_TEST_AIOSMTPD", aiosmtpd.into())));
    environment.extend(chromedriver.map(|chromedriver| ("TOLLGATE_TEST_CHROMEDRIVER", chromedriver.into())));
    environment.extend(axe.map(|axe| ("TOLLGATE_TEST_AXE", axe.into())));
    environment.extend(schemathesis.map(|modules| ("TOLLGATE_TEST_SCHEMATHESIS", modules.into())));
    let mut command = cargo_test(layout, &tools, &[], args);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    if matches!(scale, Scale::Full) {
        command.env("TOLLGATE_TEST_SCALE", "full");
    }
    let status = process::run_session(command, |leader| scratch.note_session(leader))?;
    if !again || !status.success() {
        return Ok(if status.success() { ExitCode::SUCCESS } else { exit_code(status.code()) });
    }
    on_valkey(layout, &tools, &environment, &mut scratch)
}

/// Once more what rests on the scripts alone, on Valkey in place of Redis: the stories of each script, and a tenth of the histories.
fn on_valkey(
    layout: &Layout,
    tools: &Tools,
    environment: &[(&str, OsString)],
    scratch: &mut Scratch,
) -> Result<ExitCode> {
    words::step("once more on Valkey: the scripts, and some random histories");
    let mut command = cargo_test(layout, tools, &["--test", "it"], &ON_VALKEY.map(str::to_owned));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.env("TOLLGATE_TEST_ON_VALKEY", "1").env("TOLLGATE_TEST_SCALE", HISTORIES_ON_VALKEY);
    let status = process::run_session(command, |leader| scratch.note_session(leader))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { exit_code(status.code()) })
}

/// The tests, as a session of their own: that is how all they start is found, whatever it does with itself.
fn cargo_test(layout: &Layout, tools: &Tools, which: &[&str], args: &[String]) -> Command {
    let cargo = build::cargo(layout);
    let mut command = Command::new("setsid");
    command.arg(cargo.get_program()).args(["test", "--workspace", "--no-fail-fast"]).args(which).arg("--").args(args);
    command.current_dir(&layout.root);
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // For the few tests that kill a Postgres of their own.
    command.env("PG_BIN", &tools.postgres_bin).env("REDIS_SERVER", &tools.redis_server);
    command
}

fn exit_code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).map_or(ExitCode::FAILURE, ExitCode::from)
}
