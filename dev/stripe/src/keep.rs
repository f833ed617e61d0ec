//! What outlives this process where `--keep` names a file: the objects, and how far the clock is ahead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::stage::Stage;
use crate::world::World;
use crate::world::kind::Kind;

/// How much may be forgotten when the process is killed.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize, Serialize)]
struct Kept {
    ahead_s: i64,
    /// By the path of their kind, oldest first.
    objects: BTreeMap<String, Vec<Value>>,
}

/// Fills a world that is empty with what was kept; a file that is not there is an empty one.
pub fn read(file: &Path, world: &mut World) -> anyhow::Result<()> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let kept: Kept = serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))?;
    world.clock.set_ahead_s(kept.ahead_s);
    for kind in Kind::ALL {
        for document in kept.objects.get(kind.path()).into_iter().flatten() {
            world.add(kind, document.clone()).map_err(|error| anyhow::anyhow!("{error:?} in {}", file.display()))?;
        }
    }
    Ok(())
}

/// Writes what has changed every second, and once more when the process is told to end, which it then does.
pub async fn keep(stage: Stage, file: PathBuf) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    let mut written = None;
    loop {
        let ends = tokio::select! {
            _ = term.recv() => true,
            _ = int.recv() => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        let now = stage.look(|world| (world.shelves.changes(), world.clock.ahead_s()));
        if written != Some(now) && write(&file, &stage.look(|world| text(world))).is_ok() {
            written = Some(now);
        }
        if ends {
            std::process::exit(0);
        }
    }
}

fn text(world: &World) -> String {
    let objects = Kind::ALL.map(|kind| (kind.path().to_owned(), world.shelves.all(kind).cloned().collect()));
    let kept = Kept { ahead_s: world.clock.ahead_s(), objects: objects.into_iter().collect() };
    serde_json::to_string(&kept).unwrap_or_default()
}

/// Whole or not at all: a half written file would be read by the next run.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let draft = file.with_extension("draft");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, file)
}
