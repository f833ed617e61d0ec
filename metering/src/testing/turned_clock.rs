//! A private Redis whose clock can be turned, as an operator or a broken time server does: Valkey under libfaketime, under which
//! Debian's Redis hangs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{RedisServer, RedisSetup, valkey};

/// The file that holds how far the clock is turned.
const FILE: &str = "clock";
/// How long a turn may take to show, and how near to what it should be.
const TURN_WAIT: Duration = Duration::from_secs(10);
const NEAR_S: u64 = 10;

/// The setup of a Redis whose clock can be turned; `None` where its parts are not there, and a test that needs it is left out.
#[must_use]
pub fn turnable() -> Option<RedisSetup> {
    let valkey = valkey()?;
    let library = std::env::var_os("TOLLGATE_TEST_FAKETIME").map(PathBuf::from);
    if library.is_none() {
        eprintln!("left out: there is no libfaketime (cargo dev test installs it where it may)");
    }
    Some(RedisSetup { valkey: Some(valkey), faketime: Some(library?), ..RedisSetup::default() })
}

/// What the server's process is told: only the time of day is turned, because no jump of it moves the clock by which waits are measured.
pub(super) fn variables(library: &Path, directory: &Path) -> [(&'static str, PathBuf); 4] {
    turn(directory, 0);
    [
        ("LD_PRELOAD", library.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", directory.join(FILE)),
        ("FAKETIME_NO_CACHE", PathBuf::from("1")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", PathBuf::from("1")),
    ]
}

impl RedisServer {
    /// From now on its clock shows the right time and this many seconds more; it does so when this returns. Started again, it shows the
    /// right time.
    pub fn turn_clock(&self, seconds: i64) {
        let by = seconds.saturating_sub(turned(self.directory()));
        let goal = self.shown().saturating_add(by);
        turn(self.directory(), seconds);
        let started = Instant::now();
        // The library looks at its file somewhat later, however often it is asked.
        while self.shown().abs_diff(goal) > NEAR_S {
            assert!(started.elapsed() < TURN_WAIT, "the clock of redis is not turned");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What its clock shows, in seconds.
    fn shown(&self) -> i64 {
        self.texts(&["TIME"]).first().and_then(|seconds| seconds.parse().ok()).expect("a time begins with its seconds")
    }
}

fn turned(directory: &Path) -> i64 {
    let text =
        std::fs::read_to_string(directory.join(FILE)).expect("the server was started with a clock that can be turned");
    text.trim().parse().expect("the file holds what was written to it")
}

/// In one step, so that nobody reads half of it.
fn turn(directory: &Path, seconds: i64) {
    let (file, next) = (directory.join(FILE), directory.join("clock.next"));
    std::fs::write(&next, format!("{seconds:+}\n")).expect("the test's own directory can be written to");
    std::fs::rename(next, file).expect("a file in the test's own directory can be replaced");
}
