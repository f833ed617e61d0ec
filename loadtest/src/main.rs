//! `loadtest`: load at a rate that does not wait for answers, and what became of every call. It knows HTTP and nothing else of Tollgate.

mod balances;
mod call;
mod cli;
mod html;
mod keys;
mod line;
mod mix;
mod pace;
mod plan;
mod process;
mod rate;
mod record;
mod run;
mod scrape;
mod spread;
mod stage;
mod stream;
mod summary;
mod table;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Task};

/// The generator shares its machine with what it loads: what it saves, it does not take away.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As sysexits.h has it, and `tollgate` too.
const WRONG_USE: u8 = 64;

fn main() -> ExitCode {
    let Task::Run(args) = match Cli::try_parse() {
        Ok(cli) => cli.task,
        Err(err) => {
            let _ = err.print(); // a closed output is nobody to tell
            return if err.use_stderr() { ExitCode::from(WRONG_USE) } else { ExitCode::SUCCESS };
        }
    };
    match run::run(&args) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}
