//! Waiting until nothing is under way: no event that is not in the book, no change that live state does not know, no undo that is open.

use std::time::{Duration, Instant};

use ledger::{Comparison, look};
use metering::AccountId;
use metering::live::Meter;

use super::page;
use crate::desk::Desk;
use crate::failure::Failure;

const PAUSE: Duration = Duration::from_millis(250);

/// How book and live state stood at the last look.
#[derive(Default)]
pub struct Rest {
    /// What the lots of live state hold.
    pub left_live: u128,
    /// Credits by which they differ from what they should hold.
    pub drift: u64,
    pub differences: Vec<String>,
    /// What was still under way when the time was over.
    pub why_not: Option<String>,
}

/// Looks until everything is at rest and agrees, or the time is over; says then how it stands. A difference is waited for, too: an
/// owner may be about to mend it, and one that stays is reported all the same.
pub async fn wait(desk: &Desk, accounts: &[AccountId], deadline: Instant) -> Result<Rest, Failure> {
    loop {
        let looked = look_at_all(desk, accounts).await;
        let good = looked.as_ref().is_ok_and(|rest| rest.why_not.is_none() && rest.differences.is_empty());
        if good || Instant::now() >= deadline {
            return looked;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look_at_all(desk: &Desk, accounts: &[AccountId]) -> Result<Rest, Failure> {
    let meter = desk.meter().await?;
    let (mut rest, mut after, mut unapplied, mut on_its_way) = (Rest::default(), None, 0_u64, 0_usize);
    let mut unsure = Vec::new();
    loop {
        let page = page(desk, accounts, &mut after).await?;
        if page.is_empty() {
            break;
        }
        let (events, unsure_here) = look_at(desk, &meter, &page, &mut rest).await?;
        unapplied = unapplied.saturating_add(events);
        unsure.extend(unsure_here);
        on_its_way += desk.book.balances(&page).await?.iter().map(|balance| balance.pending.len()).sum::<usize>();
    }
    let undecided = desk.book.undecided_undos().await?;
    rest.why_not = if let Some((account, why)) = unsure.first() {
        Some(format!("{} accounts could not be compared, such as {account}: {why}", unsure.len()))
    } else if unapplied + undecided > 0 || on_its_way > 0 {
        Some(format!(
            "{unapplied} events are not in the book, {on_its_way} changes not in live state, {undecided} undos not decided"
        ))
    } else {
        None
    };
    Ok(rest)
}

/// Adds a page of accounts; answers how many events of them are not in the book, and which could not be compared.
async fn look_at(
    desk: &Desk,
    meter: &Meter,
    accounts: &[AccountId],
    rest: &mut Rest,
) -> Result<(u64, Vec<(AccountId, &'static str)>), Failure> {
    let (mut unapplied, mut unsure) = (0_u64, Vec::new());
    for seen in look(&desk.book, meter, accounts).await? {
        let lots = seen.snapshot.iter().flat_map(|snapshot| &snapshot.lots);
        rest.left_live += lots.map(|lot| u128::from(lot.remaining.get())).sum::<u128>();
        match seen.comparison {
            Comparison::Agrees { unapplied: events, .. } => unapplied = unapplied.saturating_add(events),
            Comparison::Unsure(why) => unsure.push((seen.account, why)),
            Comparison::Parked(parked) => {
                let events = parked.events;
                rest.differences.push(format!("{}: {events} events are parked as dead letters", seen.account));
            }
            Comparison::Differs(drifts) => {
                for drift in drifts {
                    rest.drift = rest.drift.saturating_add(drift.credits());
                    rest.differences.push(format!("{}: {drift}", seen.account));
                }
            }
        }
    }
    Ok((unapplied, unsure))
}
