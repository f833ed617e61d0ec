//! Writes the bill of materials of the programs that are delivered: every package that is in them or that made them, with its version, its
//! licence and its digest, in `CycloneDX` 1.5. Cargo says what is in them. The same tree makes the same bytes.

mod bill;
mod cargo;
mod parts;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

/// What is delivered; `deploy/` starts no other program of ours.
const PROGRAMS: [&str; 6] = ["console", "gateway", "ledger-sync", "notices", "tollgate", "webhook"];

#[derive(Parser)]
struct Wish {
    /// The workspace.
    #[arg(long)]
    root: PathBuf,
    /// Where the bill is written.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(&Wish::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(wish: &Wish) -> Result<()> {
    let parts = parts::find(&cargo::Cargo::new(&wish.root)?, &PROGRAMS)?;
    let text = bill::write(&parts)?;
    fs::write(&wish.out, text).with_context(|| format!("writing {}", wish.out.display()))?;
    let inside = parts.all.iter().filter(|part| part.runs()).count();
    println!(
        "{}: {inside} packages are in the programs, {} more only made them",
        wish.out.display(),
        parts.all.len() - inside
    );
    Ok(())
}
