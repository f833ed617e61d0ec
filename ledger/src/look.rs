//! Book and live state side by side: read both, and the events between them, until they can be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use metering::live::owner::OwnerError;
use metering::live::{Meter, MeterError, Snapshot};
use metering::{AccountId, Event, EventId, Shard};
use thiserror::Error;

use crate::{Balance, Comparison, Drift, Ledger, LedgerError, compare};

/// How long one look at live state may take.
const LOOK_WAIT: Duration = Duration::from_secs(3);
/// Snapshots asked for at a time.
const SNAPSHOTS_AT_ONCE: usize = 64;
const EVENTS_A_PAGE: usize = 2_000;
/// What is still different, or can't be compared, after so many looks is said so. Between two, operators and owners finish
/// what they are at.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// A difference that stays for so many looks is one: the stores are read one after the other, not at one instant.
const LOOKS_AT_A_DIFFERENCE: usize = 3;

/// One account in both stores.
#[derive(Debug)]
pub struct Seen {
    /// The account.
    pub account: AccountId,
    /// What live state has of it.
    pub snapshot: Option<Snapshot>,
    /// What a comparison says.
    pub comparison: Comparison,
}

/// Why the two could not be looked at.
#[derive(Debug, Error)]
pub enum LookError {
    /// The book.
    #[error(transparent)]
    Book(#[from] LedgerError),
    /// Live state.
    #[error(transparent)]
    Live(#[from] MeterError),
    /// A stream of live state.
    #[error(transparent)]
    Stream(#[from] OwnerError),
    /// Live state did not answer in time.
    #[error("the live balance did not answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// Compares accounts; those that the book does not have are left out.
pub async fn look(book: &Ledger, meter: &Meter, accounts: &[AccountId]) -> Result<Vec<Seen>, LookError> {
    let mut seen: BTreeMap<AccountId, Seen> = BTreeMap::new();
    let mut left = accounts.to_vec();
    for looks in 1..=LOOKS {
        for found in look_once(book, meter, &left).await? {
            seen.insert(found.account, found);
        }
        left.retain(|account| {
            seen.get(account).is_some_and(|seen| match seen.comparison {
                Comparison::Agrees { .. } | Comparison::Parked(_) => false,
                Comparison::Differs(_) => looks < LOOKS_AT_A_DIFFERENCE,
                Comparison::Unsure(_) => true,
            })
        });
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(seen.into_values().collect())
}

/// The book first, then live state, then the stream: so live state is not older than the book, and no event is missing.
async fn look_once(book: &Ledger, meter: &Meter, accounts: &[AccountId]) -> Result<Vec<Seen>, LookError> {
    let balances = book.balances(accounts).await?;
    let looked = futures::stream::iter(balances.into_iter().map(|balance| async move {
        match in_time(meter.snapshot(balance.account)).await {
            Ok(snapshot) => Ok(Looked { balance, snapshot, unreadable: None }),
            // One account that was spoilt must not keep the others from being looked at.
            Err(LookError::Live(MeterError::Unreadable(what))) => {
                Ok(Looked { balance, snapshot: None, unreadable: Some(what) })
            }
            Err(error) => Err(error),
        }
    }));
    let looked: Vec<Result<Looked, LookError>> = looked.buffered(SNAPSHOTS_AT_ONCE).collect().await;
    let looked = looked.into_iter().collect::<Result<Vec<_>, _>>()?;
    let events = events_between(meter, &looked).await?;
    Ok(looked.into_iter().map(|looked| looked.beside(&events)).collect())
}

/// One account as both stores were read.
struct Looked {
    balance: Balance,
    snapshot: Option<Snapshot>,
    unreadable: Option<String>,
}

impl Looked {
    fn beside(self, events: &BTreeMap<Shard, Vec<Event>>) -> Seen {
        let events = events.get(&self.balance.shard).map_or(&[][..], Vec::as_slice);
        let comparison = match self.unreadable {
            Some(what) => Comparison::Differs(vec![Drift::Unreadable { what }]),
            None => compare(&self.balance, self.snapshot.as_ref(), events),
        };
        Seen { account: self.balance.account, snapshot: self.snapshot, comparison }
    }

    /// The event up to which the stream must be read, where live state is ahead of the book.
    fn ahead(&self) -> Option<u64> {
        self.snapshot.as_ref().map(|snapshot| snapshot.seq).filter(|&seq| seq > self.balance.seq)
    }
}

/// Events that are not in the book, of the shards that have such of these accounts.
async fn events_between(meter: &Meter, looked: &[Looked]) -> Result<BTreeMap<Shard, Vec<Event>>, LookError> {
    let mut events = BTreeMap::new();
    for found in looked {
        let shard = found.balance.shard;
        if found.ahead().is_some() && !events.contains_key(&shard) {
            events.insert(shard, events_of(meter, &found.balance, looked).await?);
        }
    }
    Ok(events)
}

/// Reads a shard's stream from the book's cursor on, until every account of these is there.
async fn events_of(meter: &Meter, first: &Balance, looked: &[Looked]) -> Result<Vec<Event>, LookError> {
    let mut wanted: BTreeMap<AccountId, u64> = looked
        .iter()
        .filter(|found| found.balance.shard == first.shard)
        .filter_map(|found| Some((found.balance.account, found.ahead()?)))
        .collect();
    let mut sequence = first.applied.map_or(0, |applied| applied.saturating_add(1));
    let mut events = Vec::new();
    while !wanted.is_empty() {
        let from = EventId { incarnation: first.incarnation, sequence };
        let page = in_time(meter.entries_from(first.shard, from, EVENTS_A_PAGE)).await?;
        let Some(last) = page.last() else { break };
        sequence = last.id.sequence.saturating_add(1);
        // What is no event is about to be parked: a number is missing until then.
        let page: Vec<Event> = page.into_iter().filter_map(|entry| entry.event.ok()).collect();
        for event in &page {
            let reached = |account: &AccountId| wanted.get(account).is_some_and(|&seq| event.body.seq() >= Some(seq));
            if let Some(account) = event.body.account().filter(reached) {
                wanted.remove(&account);
            }
        }
        events.extend(page);
    }
    Ok(events)
}

async fn in_time<T, E>(look: impl Future<Output = Result<T, E>>) -> Result<T, LookError>
where
    LookError: From<E>,
{
    match tokio::time::timeout(LOOK_WAIT, look).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(LookError::TooSlow(LOOK_WAIT)),
    }
}
