//! Writing what is parked: letters in one statement, and an incident for each that is not parked only because it follows.

use metering::{AccountId, Body, OpId, StreamEntry, TimeMs};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::park::{LETTERS_MOST, Parked};
use crate::columns::{Stamp, bigint, shard_number, stamp};
use crate::incidents::write_incident;
use crate::{Fence, LedgerError};

/// How much of an event is kept; live state writes far less. What is longer can only be discarded.
const BYTES_MOST: usize = 1_048_576;

/// An event to be parked.
pub(super) struct NewLetter {
    pub parked: Parked,
    kind: String,
    seq: Option<u64>,
    op: Option<OpId>,
    draws: Option<u64>,
    at: Option<TimeMs>,
    bytes: Vec<u8>,
    bytes_total: usize,
}

impl NewLetter {
    pub(super) fn of(entry: &StreamEntry, reason: String, follows: bool) -> Self {
        let event = entry.event.as_ref().ok();
        let draws = event.and_then(|event| match &event.body {
            Body::Debit { credits, .. } => Some(credits.get()),
            _ => None,
        });
        let mut bytes = entry.write();
        let bytes_total = bytes.len();
        bytes.truncate(BYTES_MOST);
        let exposed = entry.event.as_ref().map_or(0, |event| event.body.exposes().get());
        let (account, credits) = (entry.account(), draws.unwrap_or(0));
        Self {
            parked: Parked { event: entry.id, account, reason, follows, credits, exposed },
            kind: entry.kind().to_owned(),
            seq: event.and_then(|event| event.body.seq()),
            op: event.and_then(|event| event.body.op()),
            draws,
            at: event.map(|event| event.at),
            bytes,
            bytes_total,
        }
    }
}

pub(super) async fn write(
    connection: &mut PgConnection,
    fence: Fence,
    letters: &[NewLetter],
) -> Result<(), LedgerError> {
    if letters.is_empty() {
        return Ok(());
    }
    insert(&mut *connection, fence, letters).await?;
    let mut any = false;
    for letter in letters.iter().filter(|letter| !letter.parked.follows) {
        any = true;
        let parked = &letter.parked;
        let detail = json!({ "event": parked.event.to_string(), "account": parked.account, "reason": parked.reason });
        write_incident(&mut *connection, fence.shard, "dead_letter", &detail).await?;
    }
    if any { refuse_too_many(connection, fence).await } else { Ok(()) }
}

/// Where very many events can't be applied the fault is not theirs: a schema that does not fit, a book put back. The shard stands then.
/// Letters that an operator has given up do not count, so that the owner gets to carry that out.
async fn refuse_too_many(connection: &mut PgConnection, fence: Fence) -> Result<(), LedgerError> {
    let open: i64 = sqlx::query_scalar(include_str!("../../queries/count_poison.sql"))
        .bind(shard_number(fence.shard))
        .bind(LETTERS_MOST.saturating_add(1))
        .fetch_one(connection)
        .await?;
    if open > LETTERS_MOST {
        Err(LedgerError::TooManyDeadLetters { shard: fence.shard, limit: LETTERS_MOST })
    } else {
        Ok(())
    }
}

async fn insert(connection: &mut PgConnection, fence: Fence, letters: &[NewLetter]) -> Result<(), LedgerError> {
    let each = || letters.iter();
    let sequences = each().map(|letter| bigint(letter.parked.event.sequence)).collect::<Result<Vec<_>, _>>()?;
    // A number or a time that the book can't hold is in the bytes all the same.
    let number = |number: Option<u64>| number.and_then(|number| bigint(number).ok());
    let times: Vec<Option<Stamp>> = each().map(|letter| letter.at.and_then(|at| stamp(at).ok())).collect();
    let accounts: Vec<Option<Uuid>> =
        each().map(|letter| letter.parked.account.map(|id: AccountId| id.as_uuid())).collect();
    sqlx::query(include_str!("../../queries/park_letters.sql"))
        .bind(shard_number(fence.shard))
        .bind(bigint(fence.incarnation)?)
        .bind(sequences)
        .bind(each().map(|letter| letter.kind.as_str()).collect::<Vec<_>>())
        .bind(accounts)
        .bind(each().map(|letter| number(letter.seq)).collect::<Vec<_>>())
        .bind(each().map(|letter| letter.op.map(|op| op.as_uuid())).collect::<Vec<_>>())
        .bind(each().map(|letter| number(letter.draws)).collect::<Vec<_>>())
        .bind(times)
        .bind(each().map(|letter| letter.bytes.as_slice()).collect::<Vec<_>>())
        .bind(each().map(|letter| i64::try_from(letter.bytes_total).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(each().map(|letter| letter.parked.follows).collect::<Vec<_>>())
        .bind(each().map(|letter| letter.parked.reason.as_str()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
