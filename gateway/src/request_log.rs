//! One log line a request, written by a thread of its own so that no request waits for it.
//!
//! A line holds ids and numbers only: no path, no header and no body of the caller, because any of them may hold a secret.

mod line;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use config::log::Format;

pub use line::Line;

use crate::metrics::Metrics;

/// Lines waiting to be written; about a second's worth at full speed.
const QUEUE: usize = 16_384;
/// Lines of this long are written together: one system call for many of them.
const GATHER: Duration = Duration::from_millis(10);

enum Message {
    Line(Box<Line>),
    /// Answered once everything before it was written.
    Flush(SyncSender<()>),
}

pub struct RequestLog {
    sender: SyncSender<Message>,
    /// Of the requests that went well, one in so many is written; 0 = none.
    one_in: u32,
    seen: AtomicU32,
    metrics: Arc<Metrics>,
}

impl RequestLog {
    pub fn start(format: Format, one_in: u32, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        thread::Builder::new().name("request log".into()).spawn(move || write_lines(&receiver, format))?;
        Ok(Self { sender, one_in, seen: AtomicU32::new(0), metrics })
    }

    /// Whether a request that went well gets its line.
    pub fn takes_next(&self) -> bool {
        self.one_in == 1 || (self.one_in > 1 && self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.one_in))
    }

    pub fn write(&self, line: Line) {
        if self.sender.try_send(Message::Line(Box::new(line))).is_err() {
            self.metrics.log_lines_dropped.inc();
        }
    }

    /// Waits until all lines are out.
    pub fn flush(&self) {
        let (done, is_done) = sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            // An error means that the writer is gone, and nothing is left to wait for.
            is_done.recv_timeout(Duration::from_secs(2)).ok();
        }
    }
}

fn write_lines(receiver: &Receiver<Message>, format: Format) {
    let mut text = Vec::with_capacity(64 * 1024);
    while let Ok(first) = receiver.recv() {
        let mut flushed = Vec::new();
        if matches!(first, Message::Line(_)) {
            thread::sleep(GATHER);
        }
        for message in std::iter::once(first).chain(receiver.try_iter()) {
            match message {
                Message::Line(line) => line.write(format, &mut text),
                Message::Flush(done) => flushed.push(done),
            }
        }
        // Nobody can be told that the log can't be written.
        std::io::stdout().lock().write_all(&text).ok();
        text.clear();
        for done in flushed {
            done.send(()).ok();
        }
    }
}
