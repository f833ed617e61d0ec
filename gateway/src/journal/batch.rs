//! The next piece of a run's files that is to be posted; files of which all was posted go.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metering::TimeMs;
use metering::journal::{Gap, Record, whole_frames, write_frame};
use uuid::Uuid;

use super::files::{Files, read_piece};

/// How far before a torn record others may be missing: none was written later.
const TORN_MARGIN: Duration = Duration::from_mins(1);

/// How far a run is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: u64,
    pub position: u64,
}

impl Place {
    pub const BEGIN: Self = Self { file: 1, position: 0 };
}

/// Whole records.
pub struct Piece {
    pub at: Place,
    pub bytes: Vec<u8>,
    /// Where the run is posted to once they are taken.
    pub then: Place,
}

/// `None` when all that is whole was posted. `open`: the file that is still written to; `None` for a run that is over.
pub fn next_piece(
    files: &Files,
    run: Uuid,
    mut place: Place,
    open: Option<u64>,
    most: usize,
) -> io::Result<Option<Piece>> {
    for number in files.numbers(run)? {
        if number > place.file {
            place = Place { file: number, position: 0 };
        }
        if number == place.file {
            let (mut bytes, written_at) = read_piece(&files.path(run, number), place.position, most)?;
            let whole = whole_frames(&bytes, most);
            if whole > 0 {
                bytes.truncate(whole);
                let then = Place { position: place.position + whole as u64, ..place };
                return Ok(Some(Piece { at: place, bytes, then }));
            }
            if open.is_some_and(|open| number >= open) {
                return Ok(None);
            }
            if !bytes.is_empty() {
                return Ok(Some(Piece {
                    at: place,
                    bytes: torn(written_at),
                    then: Place { file: number + 1, position: 0 },
                }));
            }
        }
        std::fs::remove_file(files.path(run, number))?;
    }
    Ok(None)
}

/// Says that a closed file ends in the middle of a record.
fn torn(written_at: SystemTime) -> Vec<u8> {
    let at = written_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ms = |at: Duration| TimeMs::new(u64::try_from(at.as_millis()).unwrap_or_default());
    let gap = Gap { records: 1, from: ms(at.saturating_sub(TORN_MARGIN)), to: ms(at + Duration::from_secs(1)) };
    let mut bytes = Vec::new();
    // A gap is three numbers, which always fit.
    write_frame(&Record::Gap(gap), &mut bytes).ok();
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::TempDir;

    use super::*;

    fn frames(count: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for refusals in 0..count {
            write_frame(&Record::LeftOut { refusals }, &mut bytes).unwrap();
        }
        bytes
    }

    fn files(directory: &TempDir) -> Files {
        Files::new(directory.path().join("journal"), Uuid::now_v7(), "test".to_owned())
    }

    /// Posts all there is; answers the pieces.
    fn post(files: &Files, open: Option<u64>) -> Vec<(Place, usize)> {
        let (mut place, mut posted) = (Place::BEGIN, Vec::new());
        while let Some(piece) = next_piece(files, files.run, place, open, 100).unwrap() {
            posted.push((piece.at, piece.bytes.len()));
            place = piece.then;
        }
        posted
    }

    #[test]
    fn files_go_once_they_are_posted_and_the_open_one_stays() {
        let directory = TempDir::new().unwrap();
        let files = files(&directory);
        let _lock = files.begin().unwrap();
        let bytes = frames(3);
        for number in [1, 2] {
            files.create(number).unwrap().write_all(&bytes).unwrap();
        }
        let posted = post(&files, Some(2));
        assert_eq!(posted.iter().map(|(_, bytes)| bytes).sum::<usize>(), 2 * bytes.len());
        assert_eq!(posted[0].0, Place::BEGIN);
        assert!(posted.iter().all(|(_, bytes)| *bytes <= 100), "{posted:?}");
        assert_eq!(files.numbers(files.run).unwrap(), [2]);
    }

    #[test]
    fn a_torn_end_is_waited_for_where_it_is_written_and_said_where_nobody_will() {
        let directory = TempDir::new().unwrap();
        let files = files(&directory);
        let _lock = files.begin().unwrap();
        let bytes = frames(1);
        files.create(1).unwrap().write_all(&[&bytes[..], &bytes[..5]].concat()).unwrap();
        assert_eq!(post(&files, Some(1)), [(Place::BEGIN, bytes.len())]);
        let place = Place { file: 1, position: bytes.len() as u64 };
        let piece = next_piece(&files, files.run, place, None, 100).unwrap().unwrap();
        let (record, rest) = metering::journal::read_frame::<Record>(&piece.bytes).unwrap().unwrap();
        assert!(matches!(record, Record::Gap(Gap { records: 1, .. })) && rest.is_empty(), "{record:?}");
        assert!(next_piece(&files, files.run, piece.then, None, 100).unwrap().is_none());
        assert!(files.numbers(files.run).unwrap().is_empty());
    }

    #[test]
    fn a_run_that_is_over_is_taken_and_one_that_lives_is_not() {
        let directory = TempDir::new().unwrap();
        let (before, after) = (files(&directory), files(&directory));
        let lock = before.begin().unwrap();
        let _own = after.begin().unwrap();
        before.create(1).unwrap().write_all(&frames(1)).unwrap();
        assert!(after.take_left().unwrap().is_none(), "its process lives");
        drop(lock);
        let left = after.take_left().unwrap().expect("its process is gone");
        assert_eq!((left.run, left.name.as_str()), (before.run, "test"));
        assert!(after.take_left().unwrap().is_none(), "whoever posts it holds it");
        left.forget().unwrap();
    }
}
