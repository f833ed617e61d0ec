//! What every caller of a run shares: how to ask, what was written down so far, and the file of receipts.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::call::{Answer, Requests};
use crate::plan::Call;
use crate::record::{Record, Timing};

pub struct Stage {
    pub requests: Requests,
    pub began: Instant,
    pub timeout: Duration,
    record: Mutex<Record>,
    receipts: Option<Mutex<Receipts>>,
}

struct Receipts {
    file: BufWriter<File>,
    /// The first time that a line could not be written.
    failed: Option<io::Error>,
}

impl Stage {
    pub fn new(
        requests: Requests,
        began: Instant,
        from: Instant,
        timeout: Duration,
        receipts: Option<&Path>,
    ) -> Result<Stage> {
        let open = |path: &Path| {
            let file = File::create(path).with_context(|| format!("making {}", path.display()))?;
            anyhow::Ok(Mutex::new(Receipts { file: BufWriter::new(file), failed: None }))
        };
        let record = Mutex::new(Record::new(from, requests.keys.accounts.len()));
        Ok(Stage { requests, began, timeout, record, receipts: receipts.map(open).transpose()? })
    }

    /// A caller that fell over has written a call down or it has not; the record is good all the same.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what became of a call; the warm-up's are no part of the figures, and have receipts all the same.
    pub fn add(&self, call: Call, timing: Timing, answer: &Answer) {
        if let (Some(receipts), Some(line)) = (&self.receipts, answer.receipt()) {
            let mut receipts = receipts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = receipts.file.write_all(line.as_bytes()) {
                receipts.failed.get_or_insert(error);
            }
        }
        self.record().add(call, self.requests.keys.account_of[call.key], timing, answer);
    }

    /// Whether every receipt stands in its file.
    pub fn close_receipts(&self) -> Result<()> {
        let Some(receipts) = &self.receipts else { return Ok(()) };
        let mut receipts = receipts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = receipts.failed.take() {
            return Err(error).context("writing receipts");
        }
        receipts.file.flush().context("writing receipts")
    }

    /// Where the run stands, for people.
    pub fn standing(&self, lasts: Duration) -> String {
        let elapsed = self.began.elapsed().min(lasts);
        let record = self.record();
        let calls: u64 = record.kinds.iter().map(|side| side.calls).sum();
        let failed: u64 = record.kinds.iter().map(|side| side.failed).sum();
        let last = record.seconds.last().map_or_else(
            || "warming up".to_owned(),
            |second| {
                format!(
                    "{} calls/s, p50 {:.2} ms, p99 {:.2} ms",
                    second.calls,
                    second.p50_us / 1e3,
                    second.p99_us / 1e3
                )
            },
        );
        format!(
            "{:>5.0} of {:.0} s  {calls} calls  {failed} errors  {last}",
            elapsed.as_secs_f64(),
            lasts.as_secs_f64()
        )
    }
}
