//! Around a rebuild of one account: whether it makes sense, the wait for the owner who does it, and what became another in live state.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use metering::live::Snapshot;
use serde::Serialize;

use crate::{Comparison, Drift, Ledger, LedgerError, ParkedEvents, RebuildAsked, Seen};

/// How often the book is asked whether the owner is done.
const PAUSE: Duration = Duration::from_millis(50);

/// Whether an account may be written anew from the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebuildable {
    /// It may; this is what differs.
    Yes(Vec<Drift>),
    /// It can't be compared with the book just now, and may be further on than the book will ever be.
    Unsure(&'static str),
    /// It has parked events, which a rebuild would drop behind the back of whoever has to decide about them.
    Parked(ParkedEvents),
    /// Live state has lost events that the book has: that is the shard's matter, and one account written anew can't mend it.
    Behind(Drift),
}

impl Seen {
    /// Whether the account may be written anew. One that is frozen may: a rebuild is what ends that.
    #[must_use]
    pub fn rebuildable(&self) -> Rebuildable {
        match &self.comparison {
            Comparison::Differs(drifts) => {
                let behind = drifts.iter().find(|drift| matches!(drift, Drift::Behind { .. }));
                behind.map_or_else(|| Rebuildable::Yes(drifts.clone()), |behind| Rebuildable::Behind(behind.clone()))
            }
            Comparison::Agrees { .. } => Rebuildable::Yes(Vec::new()),
            Comparison::Unsure(_) if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.frozen) => {
                Rebuildable::Yes(Vec::new())
            }
            Comparison::Unsure(why) => Rebuildable::Unsure(why),
            Comparison::Parked(parked) => Rebuildable::Parked(*parked),
        }
    }
}

impl Ledger {
    /// Waits until the owner has done a rebuild, at most so long; whether it has.
    pub async fn wait_rebuilt(&self, asked: RebuildAsked, wait: Duration) -> Result<bool, LedgerError> {
        let began = Instant::now();
        while !self.is_rebuilt(asked).await? {
            if began.elapsed() >= wait {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(true)
    }
}

/// A field of live state that changed. Traffic changes some, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// What it is called.
    pub field: String,
    /// As it was; `None` where it was not there.
    pub before: Option<String>,
    /// As it is; `None` where it is gone.
    pub after: Option<String>,
}

/// What is another than before, by the name of the field. `fields` says what of a snapshot is looked at, and in which words.
pub fn changes(
    before: Option<&Snapshot>,
    after: Option<&Snapshot>,
    fields: impl Fn(&Snapshot) -> BTreeMap<String, String>,
) -> Vec<FieldChange> {
    let (before, after) = (before.map(&fields).unwrap_or_default(), after.map(&fields).unwrap_or_default());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| FieldChange {
        field: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    };
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(change).collect()
}
