//! The files of the journal: those of this run, and those that runs before it have left.
//!
//! Each run has a lock that lasts as long as its process. A run whose lock is free is over, and whoever takes the lock posts the rest.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use uuid::Uuid;

const FILE: &str = "journal";
const LOCK: &str = "lock";
/// The name of a run is short; what is longer is not one.
const NAME_BYTES_MAX: u64 = 200;

/// The directory, as one run sees it.
#[derive(Clone)]
pub struct Files {
    directory: PathBuf,
    pub run: Uuid,
    pub name: String,
}

/// A run that is over, held until all of it is posted.
pub struct Left {
    pub run: Uuid,
    pub name: String,
    lock: PathBuf,
    /// Free again when it goes.
    _held: File,
}

impl Files {
    pub fn new(directory: PathBuf, run: Uuid, name: String) -> Self {
        Self { directory, run, name }
    }

    /// Makes the directory and takes the lock of this run.
    pub fn begin(&self) -> io::Result<File> {
        fs::create_dir_all(&self.directory)?;
        let mut lock = private().create(true).truncate(true).open(self.path_of_lock(self.run))?;
        lock.try_lock()?;
        lock.write_all(self.name.as_bytes())?;
        Ok(lock)
    }

    pub fn create(&self, number: u64) -> io::Result<File> {
        private().append(true).create_new(true).open(self.path(self.run, number))
    }

    pub fn path(&self, run: Uuid, number: u64) -> PathBuf {
        self.directory.join(format!("{run}-{number:010}.{FILE}"))
    }

    fn path_of_lock(&self, run: Uuid) -> PathBuf {
        self.directory.join(format!("{run}.{LOCK}"))
    }

    /// The size of all files together.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.directory)? {
            // A file that was posted meanwhile has none.
            bytes += entry?.metadata().map_or(0, |metadata| metadata.len());
        }
        Ok(bytes)
    }

    /// The files of a run, oldest first.
    pub fn numbers(&self, run: Uuid) -> io::Result<Vec<u64>> {
        let all = self.all()?;
        Ok(all.into_iter().filter(|(of, _)| *of == run).map(|(_, number)| number).collect())
    }

    /// Every run but this one, of which something is left.
    fn runs_before(&self) -> io::Result<Vec<Uuid>> {
        let mut runs: Vec<Uuid> = self.all()?.into_iter().map(|(run, _)| run).collect();
        for entry in fs::read_dir(&self.directory)? {
            runs.extend(stem(&entry?.path(), LOCK).and_then(|run| Uuid::try_parse(run).ok()));
        }
        runs.sort_unstable();
        runs.dedup();
        runs.retain(|run| *run != self.run);
        Ok(runs)
    }

    fn all(&self) -> io::Result<Vec<(Uuid, u64)>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let parts = stem(&path, FILE).and_then(|stem| stem.rsplit_once('-'));
            all.extend(parts.and_then(|(run, number)| Some((Uuid::try_parse(run).ok()?, number.parse().ok()?))));
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Takes a run that is over; `None` where there is none.
    pub fn take_left(&self) -> io::Result<Option<Left>> {
        for run in self.runs_before()? {
            let path = self.path_of_lock(run);
            let mut held = private().read(true).create(true).truncate(false).open(&path)?;
            // A gateway that still runs, such as one whose place this one takes, holds its own.
            if held.try_lock().is_err() {
                continue;
            }
            let mut name = String::new();
            (&mut held).take(NAME_BYTES_MAX).read_to_string(&mut name).ok();
            return Ok(Some(Left { run, name, lock: path, _held: held }));
        }
        Ok(None)
    }
}

impl Left {
    /// All of it is posted.
    pub fn forget(self) -> io::Result<()> {
        fs::remove_file(&self.lock)
    }
}

/// Nobody else's business, though there is no secret inside.
fn private() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.write(true).mode(0o600);
    options
}

fn stem<'a>(path: &'a Path, extension: &str) -> Option<&'a str> {
    path.file_name()?.to_str()?.strip_suffix(extension)?.strip_suffix('.')
}

/// At most `most` bytes of a file from a place on, and when it was last written to.
pub fn read_piece(path: &Path, position: u64, most: usize) -> io::Result<(Vec<u8>, SystemTime)> {
    let mut file = File::open(path)?;
    let written_at = file.metadata()?.modified()?;
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok((bytes, written_at))
}
