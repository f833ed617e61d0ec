//! The thread that writes: gathers what has come, one write for all of it, and begins a new file by size and age.
//!
//! What was handed to write(2) outlives the process. The machine's own crash may take the last seconds, and with them the exactness.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use config::gateway::JournalRules;
use metering::journal::{Record, write_frame};

use super::files::Files;
use super::{Message, Shared};

/// Records written together at most.
const TOGETHER: usize = 1_024;
/// What comes within it is written together: neither a system call nor a wake-up for each. A kill may take as much.
const GATHER: Duration = Duration::from_millis(2);
/// How often an idle writer says how far it is.
const TICK: Duration = Duration::from_millis(100);
/// How often the directory is looked at, and tried again where it can't be used.
const LOOK: Duration = Duration::from_secs(1);

pub struct Writer {
    files: Files,
    file_bytes_max: u64,
    file_age_max: Duration,
    bytes_max: u64,
    shared: Arc<Shared>,
    lock: Option<File>,
    open: Option<Open>,
    number: u64,
    /// The size of all files, as last seen and written since.
    bytes: u64,
    looked: Option<Instant>,
    failed: bool,
}

struct Open {
    file: File,
    bytes: u64,
    began: Instant,
}

impl Writer {
    pub fn new(files: Files, rules: &JournalRules, shared: Arc<Shared>) -> Self {
        Self {
            files,
            file_bytes_max: rules.file_bytes_max,
            file_age_max: rules.file_age_max,
            bytes_max: rules.bytes_max,
            shared,
            lock: None,
            open: None,
            number: 0,
            bytes: 0,
            looked: None,
            failed: false,
        }
    }

    pub fn work(mut self, receiver: &Receiver<Message>) {
        let mut text = Vec::with_capacity(64 * 1024);
        let mut taken = 0;
        loop {
            self.look();
            let (mut first, busy) = (None, taken > 0);
            if !busy {
                match receiver.recv_timeout(TICK) {
                    Ok(message) => first = Some(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            // While records come it wakes by the clock: woken by the channel, a thread of requests would pay a system call to wake it.
            if busy || first.is_some() {
                thread::sleep(GATHER);
            }
            let (began, mut records, mut flushed) = (Instant::now(), 0, Vec::new());
            text.clear();
            taken = 0;
            for message in first.into_iter().chain(receiver.try_iter()).take(TOGETHER) {
                taken += 1;
                records += take(message, &mut text, &mut flushed);
            }
            // With fewer than could have come the queue was empty: what was sent before is among them.
            let whole = taken < TOGETHER;
            self.write_records(&text, records);
            if self.write_gap() && whole {
                self.shared.set_progress(|progress| progress.whole_until = began);
            }
            for done in flushed {
                SyncSender::try_send(&done, ()).ok();
            }
        }
    }

    /// From time to time: how large the files are together, and whether the present one is old.
    fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        if self.lock.is_none() {
            match self.files.begin() {
                Ok(lock) => self.lock = Some(lock),
                Err(error) => self.fail(&error),
            }
        }
        if self.open.is_some() && !self.files.path(self.files.run, self.number).exists() {
            // Somebody has taken the files away: what is written to them would be nowhere.
            (self.open, self.lock) = (None, None);
            self.shared.missed(1);
        }
        if let Ok(bytes) = self.files.bytes() {
            self.bytes = bytes;
            self.shared.metrics.journal.bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        if self.open.as_ref().is_some_and(|open| open.began.elapsed() >= self.file_age_max && open.bytes > 0) {
            self.next_file().unwrap_or_else(|error| self.fail(&error));
        }
    }

    fn write_records(&mut self, text: &[u8], records: u64) {
        if records == 0 {
            return;
        }
        config::failpoint("journal.gathered");
        match self.write(text) {
            Ok(()) => {
                config::failpoint("journal.written");
                self.shared.metrics.journal.written.inc_by(records);
            }
            Err(error) => {
                self.fail(&error);
                self.shared.missed(records);
            }
        }
    }

    /// Whether nothing is left out that is not said to be.
    fn write_gap(&mut self) -> bool {
        let Some(gap) = self.shared.take_gap() else { return true };
        let mut text = Vec::new();
        let written = write_frame(&Record::Gap(gap), &mut text).is_ok() && self.write(&text).is_ok();
        if !written {
            self.shared.put_gap_back(gap);
        }
        written
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        if self.lock.is_none() {
            return Err(io::Error::other("the directory can't be used"));
        }
        let more = text.len() as u64;
        if self.bytes.saturating_add(more) > self.bytes_max {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "journal.bytes_max is reached"));
        }
        let full = |open: &Open| open.bytes > 0 && open.bytes.saturating_add(more) > self.file_bytes_max;
        if self.open.as_ref().is_none_or(full) {
            self.next_file()?;
        }
        let Some(open) = &mut self.open else { return Err(io::Error::other("no file is open")) };
        if let Err(error) = open.file.write_all(text) {
            // Half a record in the middle would hide all that follow; where it can't be taken back, another file begins.
            if open.file.set_len(open.bytes).is_err() {
                self.open = None;
            }
            return Err(error);
        }
        open.bytes += more;
        self.bytes += more;
        if std::mem::take(&mut self.failed) {
            tracing::info!("the journal is written again");
        }
        Ok(())
    }

    fn next_file(&mut self) -> io::Result<()> {
        let file = self.files.create(self.number + 1)?;
        self.number += 1;
        self.open = Some(Open { file, bytes: 0, began: Instant::now() });
        let number = self.number;
        self.shared.set_progress(|progress| progress.file = number);
        Ok(())
    }

    /// Said once, not with every record; the metric goes on counting.
    fn fail(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failed, true) {
            tracing::error!("the journal can't be written, requests go on without it: {error}");
        }
    }
}

/// Answers how many records it was.
fn take(message: Message, text: &mut Vec<u8>, flushed: &mut Vec<SyncSender<()>>) -> u64 {
    match message {
        // Only a refusal could be too long, with numbers of a length that no answer has.
        Message::Record(record) => u64::from(write_frame(&record, text).is_ok()),
        Message::Flush(done) => {
            flushed.push(done);
            0
        }
    }
}
