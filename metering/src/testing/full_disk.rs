//! A disk that takes nothing more from a private Redis: past a limit each write to a file fails, as on a disk that is full.

use std::process::Command;

use super::RedisServer;

impl RedisServer {
    /// What it appends to its file beyond so many more bytes fails from now on, half of a write if it comes so. Redis answers what it was asked
    /// before it finds out (with `appendfsync always` it ends instead), and from then on refuses writes. Of a process: started again, it has room.
    pub fn fill_disk(&self, bytes_left: u64) {
        self.limit_files(&self.appended().saturating_add(bytes_left).to_string());
    }

    /// There is room again; Redis tries once a second.
    pub fn make_room(&self) {
        self.limit_files("unlimited");
    }

    /// Only the limit in force is set, not the highest that it may have: so it can be raised again.
    fn limit_files(&self, bytes: &str) {
        let limit = [format!("--pid={}", self.pid()), format!("--fsize={bytes}:")];
        let set = Command::new("prlimit").args(limit).status().expect("prlimit is installed (util-linux)");
        assert!(set.success(), "redis is there to be limited");
    }

    /// How large the file is that it appends to.
    fn appended(&self) -> u64 {
        let files =
            std::fs::read_dir(self.directory().join("appendonlydir")).expect("redis appends to files of its own");
        let files = files.map(|file| file.expect("a directory can be read").path());
        let appended = files.filter(|path| path.to_string_lossy().ends_with(".incr.aof"));
        appended.map(|path| path.metadata().map_or(0, |file| file.len())).max().unwrap_or(0)
    }

    /// Whether the process has ended, by itself or because it was killed.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.child_mut().is_none_or(|child| child.try_wait().expect("a child can be asked").is_some())
    }
}
