//! What is known of a request that has no debit in the book.

use ledger::{DeadLetter, Receipt, Refusal, UndoKnown, on_its_way};
use metering::{Event, OpId, Shard};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::failure::{Failure, REFUSED};
use crate::instant::rfc3339;

pub enum Unrecorded {
    /// Its event could not be applied.
    Parked(Box<DeadLetter>),
    /// Somebody asked to undo it.
    Undone(UndoKnown),
    /// A gateway refused it.
    Refused(Box<Refusal>),
    /// Its event waits in the stream.
    OnItsWay(Shard, Box<Event>),
    /// Nobody has a record of it.
    Unknown,
}

impl Unrecorded {
    /// The receipts of a request's debits, or what else is known of it.
    pub async fn or_receipts(desk: &Desk, id: OpId) -> Result<Result<Vec<Receipt>, Self>, Failure> {
        let receipts = desk.book.receipts(id).await?;
        if !receipts.is_empty() {
            return Ok(Ok(receipts));
        }
        let known = Self::find(desk, id).await?;
        let receipts = desk.book.receipts(id).await?; // its event may have reached the book while the streams were read
        Ok(if receipts.is_empty() { Err(known) } else { Ok(receipts) })
    }

    /// The first source that knows the request answers.
    async fn find(desk: &Desk, id: OpId) -> Result<Self, Failure> {
        if let Some(letter) = desk.book.letter_naming(id).await? {
            return Ok(Self::Parked(Box::new(letter)));
        }
        if let Some(undo) = desk.book.undo_of(id).await? {
            return Ok(Self::Undone(undo));
        }
        if let Some(refusal) = desk.book.refusal(id).await? {
            return Ok(Self::Refused(Box::new(refusal)));
        }
        let meter = desk.meter().await?;
        Ok(match on_its_way(&desk.book, &meter, id).await? {
            Some((shard, event)) => Self::OnItsWay(shard, Box::new(event)),
            None => Self::Unknown,
        })
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Parked(_) => "receipt_parked",
            Self::Undone(_) => "receipt_undone",
            Self::Refused(_) => "receipt_refused",
            Self::OnItsWay(..) => "receipt_on_its_way",
            Self::Unknown => "receipt_unknown",
        }
    }

    pub fn told(&self, id: OpId) -> String {
        match self {
            Self::Parked(found) => {
                let (letter, reason, state) = (found.letter, &found.reason, &found.state);
                let at = rfc3339(found.parked_at);
                format!(
                    "{id}: its event {letter} was parked as a dead letter at {at} and is {state}: {reason}; see `tollgate dead-letters show {letter}`"
                )
            }
            Self::Undone(undo) if undo.open => format!(
                "{id}: nothing was drawn so far; somebody who did not know the outcome asked at {} to undo it, and it may draw until {}",
                rfc3339(undo.asked_at),
                rfc3339(undo.not_after)
            ),
            Self::Undone(undo) => format!(
                "{id}: nothing was drawn; somebody who did not know the outcome asked at {} to undo it",
                rfc3339(undo.asked_at)
            ),
            Self::Refused(refusal) => {
                let (code, gateway) = (&refusal.code, &refusal.gateway);
                let at = rfc3339(refusal.at);
                format!("{id}: refused as {code} at {at} by {gateway}, nothing was drawn; see `tollgate explain {id}`")
            }
            Self::OnItsWay(shard, event) => format!(
                "{id}: its event {shard}/{} ({}, {}) is in live state and on its way into the book",
                event.id,
                event.body.kind(),
                rfc3339(event.at)
            ),
            Self::Unknown => format!("no record of {id}: it drew nothing that the book or live state knows of"),
        }
    }

    pub fn json(&self, id: OpId) -> Value {
        let account = match self {
            Self::Undone(undo) => Some(undo.account),
            Self::OnItsWay(_, event) => event.body.account(),
            Self::Parked(letter) => letter.account,
            Self::Refused(refusal) => refusal.account,
            Self::Unknown => None,
        };
        json!({ "request_id": id, "account": account, "decision": self.code(), "told": self.told(id), "checks": [] })
    }

    pub fn refusal(&self, id: OpId) -> Failure {
        Failure { code: self.code(), message: self.told(id), cause: None, exit: REFUSED }
    }
}
