//! `cargo dev advisories`: the tree held against a copy of the `RustSec` database. Nothing is fetched: the copy is a directory that somebody
//! has, such as a clone of the repository `advisory-db`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::layout::Layout;
use crate::{files, walls, words};

/// Where deny.toml has cargo-deny look for databases.
const VARIABLE: &str = "TOLLGATE_ADVISORIES";
/// What cargo-deny calls its usual database there: the name of the repository, and a digest of its address.
const NAME: &str = "advisory-db-3157b0e258782691";

pub fn run(layout: &Layout, db: Option<&Path>) -> Result<ExitCode> {
    let Some(db) = db else {
        words::note(
            "no copy of the RustSec database was named; clone github.com/rustsec/advisory-db and give its place by --db",
        );
        return Ok(ExitCode::SUCCESS);
    };
    let advisories =
        db.join("crates").canonicalize().with_context(|| format!("{} holds no advisories", db.display()))?;
    let (count, latest) = contents(&advisories)?;
    words::step(&format!("{count} advisories, the latest of {latest}"));
    let place = place(layout, &advisories)?;
    let mut command = Command::new(walls::cargo_deny(layout)?);
    // Offline, so the copy is taken as it stands.
    command.args(["--offline", "check", "--hide-inclusion-graph", "advisories"]);
    let status = command.current_dir(&layout.root).env(VARIABLE, place).status().context("running cargo deny")?;
    if status.code().is_none() {
        bail!("cargo deny was stopped ({status})");
    }
    if !status.success() {
        bail!("the tree holds what an advisory is about; what it is stands above");
    }
    Ok(ExitCode::SUCCESS)
}

/// A place as cargo-deny expects it. It takes the time of the last fetch for the age of a copy and knows repositories only; how old the
/// copy is has been said, and it need not be a repository.
fn place(layout: &Layout, advisories: &Path) -> Result<PathBuf> {
    let place = layout.target.join("tools/advisories");
    files::remove_dir(&place)?;
    let database = place.join(NAME);
    fs::create_dir_all(database.join(".git")).context("making a place for the advisories")?;
    fs::write(database.join(".git/FETCH_HEAD"), "").context("making a place for the advisories")?;
    symlink(advisories, database.join("crates")).context("showing where the advisories are")?;
    Ok(place)
}

/// How many there are, and when the latest was written.
fn contents(advisories: &Path) -> Result<(usize, String)> {
    let (mut count, mut latest) = (0, String::new());
    for package in fs::read_dir(advisories).context("reading the advisories")?.flatten() {
        for file in fs::read_dir(package.path()).into_iter().flatten().flatten() {
            let text = fs::read_to_string(file.path()).with_context(|| format!("reading {}", file.path().display()))?;
            let Some(date) = date(&text) else { continue };
            count += 1;
            if date > latest.as_str() {
                date.clone_into(&mut latest);
            }
        }
    }
    ensure!(count > 0, "{} holds no advisories", advisories.display());
    Ok((count, latest))
}

/// Days are written so that the later one is the greater text.
fn date(advisory: &str) -> Option<&str> {
    advisory.lines().find_map(|line| line.strip_prefix("date = \"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advisory_says_when_it_was_written() {
        assert_eq!(
            date("```toml\n[advisory]\nid = \"RUSTSEC-0000-0001\"\ndate = \"2026-08-20\"\n"),
            Some("2026-08-20")
        );
        assert_eq!(date("# Not one of them\n"), None);
    }
}
