//! Ctrl-C and SIGTERM as a flag that every wait looks at, so that services are stopped in order before we leave.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// How often a wait looks at what it waits for.
pub const POLL: Duration = Duration::from_millis(25);

/// From here on the three signals set a flag instead of ending the process.
pub fn install() -> Result<()> {
    let flag = REQUESTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("listening for Ctrl-C")?;
    }
    Ok(())
}

pub fn requested() -> bool {
    REQUESTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// An error once somebody asked us to stop; waits call it each time round.
pub fn check() -> Result<()> {
    if requested() {
        bail!("stopped on request");
    }
    Ok(())
}

/// Sleeps; an error once somebody asks us to stop.
pub fn pause_for(length: Duration) -> Result<()> {
    let until = Instant::now() + length;
    while Instant::now() < until {
        check()?;
        pause();
    }
    Ok(())
}

/// Sleeps one step of a wait.
pub fn pause() {
    std::thread::sleep(POLL);
}
