//! How events reach the book: read, decode, record, trim.

use ledger::{Fence as BookFence, ReadBatch, Recorded};
use metering::live::Fence;
use metering::live::owner::{Caps, DrainNote, OwnerLink, Stream};
use metering::{AccountId, Body, IdempotencyKey, StreamEntry, TimeMs};

use crate::certify::Hold;
use crate::dead_letters;
use crate::interruption::Interruption;
use crate::retention::{Marks, Retention};
use crate::service::Service;

/// The drain of one shard, as far as it is.
pub struct Drain {
    /// Sequence of the last event in the book; `None` before the first.
    applied: Option<u64>,
    /// Credits drawn or confirmed by events that were recorded but not yet noted in Redis.
    credits_to_note: u64,
    /// The events of the batch that is being recorded, each with what is at risk until it is in the book: parts of it may be committed without
    /// an answer.
    asked: Vec<(u64, u64)>,
    /// The time up to which the stream is in the book.
    drained_time: TimeMs,
    /// Sequence of the last event, as the shard counted when it was last asked.
    counted: u64,
    /// How often in a row nothing was read although the shard has counted more.
    missing: u32,
    retention: Retention,
}

/// The count is read after the stream, so once or twice it may be ahead of what was read; a stream that stays behind has a gap.
const MISSING_MOST: u32 = 10;

impl Drain {
    /// Goes on where the book is.
    pub fn take_over(service: &Service, hold: &Hold) -> Self {
        let retention = Retention::new(&service.settings.drain, hold.applied);
        let drained_time = TimeMs::EPOCH;
        Self {
            applied: hold.applied,
            credits_to_note: 0,
            asked: Vec::new(),
            drained_time,
            counted: 0,
            missing: 0,
            retention,
        }
    }

    /// Reads a little of what an earlier owner has kept; answers whether there is more.
    pub async fn remember(&mut self, service: &Service, hold: &mut Hold) -> Result<bool, Interruption> {
        self.retention.remember(&mut hold.link, &live(&hold.fence), batch_size(service)).await
    }

    /// The time up to which the stream is in the book.
    pub const fn drained_time(&self) -> TimeMs {
        self.drained_time
    }

    /// Sequence of the last event, as the shard counted at the last note; `None` before there was any.
    pub fn counted(&self) -> Option<u64> {
        self.applied.map(|_| self.counted)
    }

    /// Records one batch, then notes it in Redis and lets go of old events. Answers how many events it was.
    pub async fn once(&mut self, service: &Service, hold: &mut Hold) -> Result<usize, Interruption> {
        let entries = read(&mut hold.link, &hold.fence, self.applied, batch_size(service)).await?;
        let Some(last) = entries.last() else { return self.nothing_read() };
        self.missing = 0;
        let (sequence, count) = (last.id.sequence, entries.len());
        let mut batch = ReadBatch { fence: hold.fence, from: self.applied, entries };
        self.asked = batch.entries.iter().map(|entry| (entry.id.sequence, exposed(entry))).collect();
        config::failpoint("drain.read");
        let recorded = record(service, &batch).await?;
        config::failpoint("drain.recorded");
        self.asked.clear();
        // What can't be applied may say any time: nothing may come due by it.
        batch.entries.retain(|entry| !recorded.poison().any(|parked| parked.event == entry.id));
        let (at, marks) = (time_of(&batch.entries).unwrap_or(self.drained_time), Marks::of(&batch.entries));
        self.applied = Some(sequence);
        self.drained_time = at;
        self.credits_to_note = self.credits_to_note.saturating_add(recorded.credits_unexposed());
        self.retention.recorded(sequence, at, marks);
        self.note(service, hold, &[]).await?;
        Ok(count)
    }

    /// An empty read must mean that the book has all that the shard has counted.
    fn nothing_read(&mut self) -> Result<usize, Interruption> {
        let applied = self.applied.unwrap_or(0);
        self.missing = if self.counted > applied { self.missing.saturating_add(1) } else { 0 };
        if self.missing < MISSING_MOST {
            return Ok(0);
        }
        Err(Interruption::Broken(
            format!("the stream ends at {applied} but the shard counted to {}", self.counted),
            None,
        ))
    }

    /// Records everything that is in the stream by now. What comes meanwhile is for the next turn: on a shard that callers use all the time
    /// this would never be done else.
    pub async fn all(&mut self, service: &Service, hold: &mut Hold) -> Result<(), Interruption> {
        self.once(service, hold).await?; // from here on there is something to note, and the note is answered by how far the shard counts
        self.note(service, hold, &[]).await?;
        let by_now = self.counted;
        while self.applied.unwrap_or(0) < by_now && self.once(service, hold).await? > 0 {}
        Ok(())
    }

    /// Tells Redis how far the book is, and which idempotency marks are a day old. This is also how the owner learns that a shard is no longer certified.
    pub async fn note(
        &mut self,
        service: &Service,
        hold: &mut Hold,
        marks: &[(AccountId, IdempotencyKey)],
    ) -> Result<(), Interruption> {
        let Some(drained) = self.applied else { return Ok(()) };
        let (keep_from, closed) = self.retention.let_go(drained, service.clock.now());
        let note = DrainNote { drained, credits: self.credits_to_note, keep_from, closed, marks: marks.to_vec() };
        let stream = hold.link.note_drained(&hold.certified, &note).await?;
        config::failpoint("drain.noted");
        self.credits_to_note = 0;
        self.noted(service, hold, stream, drained);
        Ok(())
    }

    fn noted(&mut self, service: &Service, hold: &Hold, stream: Stream, drained: u64) {
        self.counted = stream.sequence;
        let events = stream.sequence.saturating_sub(drained);
        if events == 0 {
            self.drained_time = stream.highest;
        }
        let age_ms = stream.highest.since(self.drained_time);
        let exposed = Caps { events, credits: stream.exposed, age_ms };
        service.metrics.backlog(hold.fence.shard, exposed, service.caps());
    }

    /// A book whose cursor is not where this drain has left it was put back to an older state meanwhile: give the shard up, and certify it
    /// with what the book knows now. With events on the way the next commit would find out; this is for a shard at rest.
    pub async fn check_cursor(&self, service: &Service, hold: &Hold) -> Result<(), Interruption> {
        let row = service.book.shard(hold.fence.shard).await?;
        if row.fence() == hold.fence && row.applied_sequence == self.applied {
            return Ok(());
        }
        let (found, left) = (row.applied_sequence.unwrap_or(0), self.applied.unwrap_or(0));
        Err(Interruption::Lost(anyhow::anyhow!(
            "the book is at {found}, where it was left at {left}, or under another fence"
        )))
    }

    /// After the book was away: a commit whose answer was lost may have happened, so the cursor is read again. What waits in the stream
    /// meanwhile is told all the same.
    pub async fn look_again(&mut self, service: &Service, hold: &mut Hold) {
        if let Ok(row) = service.book.shard(hold.fence.shard).await
            && row.incarnation == hold.fence.incarnation
        {
            let landed = self.asked.drain(..).filter(|(sequence, _)| Some(*sequence) <= row.applied_sequence);
            self.credits_to_note = landed.map(|(_, credits)| credits).fold(self.credits_to_note, u64::saturating_add);
            self.applied = row.applied_sequence;
        }
        let Ok(Some(stream)) = hold.link.look(&live(&hold.fence)).await else { return }; // the next turn says why
        let events = stream.sequence.saturating_sub(self.applied.unwrap_or(0));
        let age_ms = service.clock.now().since(self.drained_time);
        let exposed = Caps { events, credits: stream.exposed, age_ms };
        service.metrics.backlog(hold.fence.shard, exposed, service.caps());
    }
}

/// Records what is in the stream of a shard before it is served; answers the last sequence in the book. On a sealed shard to
/// the end; on one that gateways still write to, until less than a whole batch is left.
pub async fn drain_rest(
    service: &Service,
    link: &mut OwnerLink,
    fence: &BookFence,
    mut applied: Option<u64>,
    sealed: bool,
) -> Result<Option<u64>, Interruption> {
    let enough = if sealed { 1 } else { batch_size(service) };
    loop {
        let entries = read(link, fence, applied, batch_size(service)).await?;
        let Some(last) = entries.last().filter(|_| entries.len() >= enough) else { return Ok(applied) };
        let last = last.id.sequence;
        record(service, &ReadBatch { fence: *fence, from: applied, entries }).await?;
        config::failpoint("drain.rest_recorded");
        applied = Some(last);
    }
}

async fn record(service: &Service, batch: &ReadBatch) -> Result<Recorded, Interruption> {
    let started = std::time::Instant::now();
    let recorded = service.book.record_or_park(batch).await?;
    let count = batch.entries.len().saturating_sub(recorded.parked.len());
    service.metrics.recorded(&recorded, count, started.elapsed());
    dead_letters::tell(service, batch.fence.shard, &recorded);
    Ok(recorded)
}

/// What is at risk until this is in the book.
fn exposed(entry: &StreamEntry) -> u64 {
    entry.event.as_ref().map_or(0, |event| event.body.exposes().get())
}

/// When the last of these happened that says so.
pub fn time_of(entries: &[StreamEntry]) -> Option<TimeMs> {
    entries.iter().rev().find_map(|entry| entry.event.as_ref().ok()).map(|event| event.at)
}

/// Reads the entries that follow on what the book has, and refuses a gap: an event that is missing is the fault of the stream, one
/// that can't be applied is its own.
async fn read(
    link: &mut OwnerLink,
    fence: &BookFence,
    applied: Option<u64>,
    most: usize,
) -> Result<Vec<StreamEntry>, Interruption> {
    let first = applied.map_or(0, |applied| applied.saturating_add(1));
    let entries = link.entries_from(&live(fence), first, most).await?;
    for (entry, expected) in entries.iter().zip(first..) {
        if entry.id.sequence != expected {
            return Err(Interruption::Broken(format!("event {expected} is missing, {} came instead", entry.id), None));
        }
        let opens = entry.event.as_ref().is_ok_and(|event| matches!(event.body, Body::Opened));
        if expected == 0 && !opens {
            return Err(Interruption::Broken(format!("event {} is {}", entry.id, entry.kind()), None));
        }
    }
    Ok(entries)
}

fn live(fence: &BookFence) -> Fence {
    Fence { shard: fence.shard, incarnation: fence.incarnation, certification: fence.certification }
}

/// Events of a whole batch.
pub fn batch_size(service: &Service) -> usize {
    usize::try_from(service.settings.drain.batch_events).unwrap_or(usize::MAX)
}
