//! Whether files have changed, told by what they hold: times and names lie where files are exchanged by links.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

pub struct Files {
    paths: Vec<PathBuf>,
    /// The print of what was read last.
    read: u64,
    /// The print of the look before.
    seen: u64,
}

impl Files {
    /// What they hold now counts as read.
    pub fn watch(paths: Vec<PathBuf>) -> Self {
        let print = print(&paths);
        Self { paths, read: print, seen: print }
    }

    /// Whether they hold something else than what was read, and have held it for two looks: who writes is given time to end.
    pub fn have_changed(&mut self) -> bool {
        let now = print(&self.paths);
        let settled = std::mem::replace(&mut self.seen, now) == now;
        settled && now != self.read
    }

    /// They are read after this; what is written while they are shows as a change.
    pub fn are_read(&mut self) {
        self.read = print(&self.paths);
    }

    /// Looks at these from now on.
    pub fn watch_these(&mut self, paths: Vec<PathBuf>) {
        if paths != self.paths {
            *self = Self::watch(paths);
        }
    }
}

/// A file that can't be read has a print, too: its coming back is a change.
fn print(paths: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        std::fs::read(path).ok().hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::fs::{remove_file, write};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_change_shows_once_it_has_settled_and_until_it_is_read() {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("a");
        write(&file, "1").unwrap();
        let mut files = Files::watch(vec![file.clone()]);
        assert!(!files.have_changed() && !files.have_changed());
        write(&file, "2").unwrap();
        assert!(!files.have_changed(), "it may still be written");
        assert!(files.have_changed());
        files.are_read();
        assert!(!files.have_changed() && !files.have_changed());
        remove_file(&file).unwrap();
        assert!(!files.have_changed() && files.have_changed());
    }
}
