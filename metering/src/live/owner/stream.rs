//! Reading a shard's stream, and letting go of what the book has.

use redis::{Value, cmd};

use super::{Certified, OwnerError, OwnerLink};
use crate::credits::LARGEST;
use crate::event::DecodeError;
use crate::live::Fence;
use crate::live::replies::odd;
use crate::live::scripts::Script;
use crate::{AccountId, Event, EventId, IdempotencyKey, OpId, StreamEntry, TimeMs};

/// What a process has of an incarnation, read while the shard is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Sequence of the last event; for a key shard how many writes it had.
    pub sequence: u64,
    /// The shard's highest time.
    pub highest: TimeMs,
    /// Credits drawn or confirmed by events of which Redis was not told that the book has them.
    pub exposed: u64,
}

/// What the owner notes after a drain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainNote {
    /// Sequence of the last event in the book.
    pub drained: u64,
    /// Credits drawn by the debits, and those of the confirmations, that were drained since the last note.
    pub credits: u64,
    /// First sequence to keep in the stream.
    pub keep_from: u64,
    /// Closed marks that can go, because their events go.
    pub closed: Vec<OpId>,
    /// Idempotency marks that may be a day old and can go then.
    pub marks: Vec<(AccountId, IdempotencyKey)>,
}

impl OwnerLink {
    /// Reads how far an incarnation is in this process; `None` where it is not there.
    pub async fn look(&mut self, fence: &Fence) -> Result<Option<Stream>, OwnerError> {
        let live: Option<Vec<u8>> = cmd("HGET").arg(fence.meta()).arg("live").query_async(&mut self.connection).await?;
        let Some([sequence, highest, exposed]) = live.as_deref().and_then(unpack) else { return Ok(None) };
        Ok(Some(Stream { sequence, highest: TimeMs::new(highest), exposed }))
    }

    /// Reads the entry at one place of the stream.
    pub async fn entry_at(&mut self, fence: &Fence, sequence: u64) -> Result<Option<StreamEntry>, OwnerError> {
        Ok(read_range(&mut self.connection, fence, sequence, 1)
            .await?
            .pop()
            .filter(|entry| entry.id.sequence == sequence))
    }

    /// Reads entries from a sequence on, oldest first; those that are no events, too.
    pub async fn entries_from(
        &mut self,
        fence: &Fence,
        first: u64,
        most: usize,
    ) -> Result<Vec<StreamEntry>, OwnerError> {
        read_range(&mut self.connection, fence, first, most).await
    }

    /// The same where every entry must be an event.
    pub async fn events_from(&mut self, fence: &Fence, first: u64, most: usize) -> Result<Vec<Event>, OwnerError> {
        let entries = self.entries_from(fence, first, most).await?;
        Ok(entries.into_iter().map(|entry| entry.event).collect::<Result<_, DecodeError>>()?)
    }

    /// Notes how far the book is; answers where the stream is by now.
    pub async fn note_drained(&mut self, shard: &Certified, note: &DrainNote) -> Result<Stream, OwnerError> {
        let keys = note.closed.len().saturating_add(note.marks.len()).saturating_add(2);
        let mut command = shard.evalsha(Script::Drained, keys);
        command.arg(shard.fence.meta()).arg(shard.fence.events());
        for op in &note.closed {
            command.arg(shard.fence.closed(op));
        }
        for (account, key) in &note.marks {
            command.arg(shard.fence.idempotency(account, key));
        }
        command.arg(note.drained).arg(note.credits).arg(note.keep_from).arg(note.closed.len());
        let mut reply = self.run_under(shard, command).await?;
        let highest = reply.time()?;
        reply.text()?;
        Ok(Stream { sequence: reply.number()?, highest, exposed: reply.number()? })
    }
}

/// How many entries are asked for while it is not known how many events they hold.
const FIRST_ASKED: usize = 64;

/// Reads part of a stream over any connection: at most so many events from a sequence on.
/// Three numbers of seven bytes, as `prelude.lua` packs them. None of them is above 2^53 − 1: text of that length, as an earlier form had it, is none.
fn unpack(packed: &[u8]) -> Option<[u64; 3]> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number.wrapping_shl(8) | u64::from(*byte));
    let numbers: Vec<u64> = packed.chunks(7).map(number).collect();
    numbers.try_into().ok().filter(|numbers: &[u64; 3]| packed.len() == 21 && numbers.iter().all(|it| *it <= LARGEST))
}

pub(in crate::live) async fn read_range(
    connection: &mut impl redis::aio::ConnectionLike,
    fence: &Fence,
    first: u64,
    most: usize,
) -> Result<Vec<StreamEntry>, OwnerError> {
    let id = |sequence| EventId { incarnation: fence.incarnation, sequence }.to_string();
    let (mut events, mut asked) = (Vec::new(), 0_usize);
    while events.len() < most {
        let missing = most.saturating_sub(events.len());
        // An entry may hold the debits of a whole call: more are asked for by how many those so far held.
        let now =
            if asked == 0 { missing.min(FIRST_ASKED) } else { missing.saturating_mul(asked).div_ceil(events.len()) };
        let from = events.last().map_or(first, |last: &StreamEntry| last.id.sequence.saturating_add(1));
        let mut command = cmd("XRANGE");
        command.arg(fence.events()).arg(id(from)).arg("+").arg("COUNT").arg(now);
        let Value::Array(entries) = command.query_async(connection).await? else {
            return Err(odd("a part of a stream").into());
        };
        let all = entries.len() < now;
        for entry in entries {
            events.extend(read_entry(entry)?.into_iter().filter(|event| event.id.sequence >= from));
        }
        if all {
            break;
        }
        asked = asked.saturating_add(now);
    }
    events.truncate(most);
    Ok(events)
}

/// An entry is its id and a list of names and values, which need not be texts. One of debits is as many events as it has lines.
fn read_entry(entry: Value) -> Result<Vec<StreamEntry>, OwnerError> {
    let wrong = || odd("an entry of a stream");
    let Value::Array(entry) = entry else { return Err(wrong().into()) };
    let Ok([Value::BulkString(id), Value::Array(parts)]) = <[Value; 2]>::try_from(entry) else {
        return Err(wrong().into());
    };
    let id = String::from_utf8_lossy(&id);
    let id: EventId = id.parse().map_err(|_| DecodeError { id: id.to_string(), field: "id" })?;
    let (mut fields, mut parts) = (Vec::with_capacity(parts.len() / 2), parts.into_iter());
    while let Some(name) = parts.next() {
        let (Value::BulkString(name), Some(Value::BulkString(value))) = (name, parts.next()) else {
            return Err(wrong().into());
        };
        fields.push((name, value));
    }
    Ok(StreamEntry::read_all(id, fields))
}
