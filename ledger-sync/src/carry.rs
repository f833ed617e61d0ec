//! How the book's decisions reach live state: outbox rows, in order, each version on the one before.

use std::collections::HashSet;

use ledger::{OutboxRow, Outgoing};
use metering::AccountId;
use metering::live::owner::{ControlOutcome, ControlRow};
use tracing::{info, warn};

use crate::certify::Hold;
use crate::drain::Drain;
use crate::install::install_one;
use crate::interruption::Interruption;
use crate::service::Service;

/// Most rows read at once.
const PAGE: u32 = 500;

/// Carries outbox rows under one certification, page by page: rows that can't go through keep no others waiting.
#[derive(Default)]
pub struct Carrier {
    /// Rows that were applied and whose events have not been drained yet.
    sent: HashSet<u64>,
    pass: Pass,
    /// Rows of the last page could not go through yet.
    waits: bool,
}

/// One way through all that is undelivered. It begins at the first row: a transaction with a lower row may commit later than one with a
/// higher.
#[derive(Default)]
struct Pass {
    /// Where the last page ended.
    after: u64,
    /// Accounts with a row that did not go through: those behind it can't either.
    stuck: HashSet<AccountId>,
}

impl Carrier {
    /// Carries a page of what is undelivered; answers whether there may be more to carry at once.
    pub async fn once(&mut self, service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<bool, Interruption> {
        self.waits = true; // until it is known that nothing does
        let mut pass = std::mem::take(&mut self.pass); // after an error a new one begins
        let pending = self.pending(service, hold, &mut pass).await?;
        if !pending.is_empty() {
            let outcomes = hold.link.control(&hold.certified, &pending).await?;
            config::failpoint("carry.sent");
            for (row, outcome) in pending.iter().zip(outcomes) {
                self.heard(row, outcome, &mut pass.stuck, service, hold, drain).await?;
            }
        }
        self.waits = !pass.stuck.is_empty();
        if pass.after > 0 {
            self.pass = pass;
            return Ok(true);
        }
        Ok(pending.iter().any(|row| !pass.stuck.contains(&row.account)))
    }

    /// Whether rows could not go through, which nobody will tell of again.
    pub const fn waits(&self) -> bool {
        self.waits
    }

    /// What follows from the answer to a row.
    async fn heard(
        &mut self,
        row: &ControlRow,
        outcome: ControlOutcome,
        stuck: &mut HashSet<AccountId>,
        service: &Service,
        hold: &mut Hold,
        drain: &mut Drain,
    ) -> Result<(), Interruption> {
        match outcome {
            ControlOutcome::Applied | ControlOutcome::Already => {
                self.sent.insert(row.row);
            }
            ControlOutcome::Early => {
                stuck.insert(row.account);
            }
            ControlOutcome::Gap | ControlOutcome::NeedsInstall | ControlOutcome::Frozen
                if stuck.contains(&row.account) => {}
            ControlOutcome::NeedsInstall => {
                stuck.insert(row.account);
                if install_one(service, hold, drain, row.account).await? {
                    info!(account = %row.account, row = row.row, "account {} was installed anew for row {}", row.account, row.row);
                } else {
                    // It has dead letters, and what comes behind this row can't reach it: a suspension, the end of a key. So it draws
                    // nothing until somebody has decided about the letters.
                    hold.link.freeze(&hold.certified, &row.account, hold.fence.epoch).await?;
                }
            }
            // What it has parked would be dropped: the row waits for an operator to decide.
            ControlOutcome::Gap | ControlOutcome::Frozen if service.book.is_marked(hold.fence, row.account).await? => {
                stuck.insert(row.account);
            }
            ControlOutcome::Gap | ControlOutcome::Frozen => {
                warn!(account = %row.account, row = row.row, "account {} is not at the version before row {}: installing it anew", row.account, row.row);
                service.metrics.control_gaps.inc();
                stuck.insert(row.account);
                if install_one(service, hold, drain, row.account).await? {
                    info!(account = %row.account, "account {} was installed anew", row.account);
                }
            }
        }
        Ok(())
    }

    /// Undelivered rows that were not sent yet, in row order: the next page of a pass, which is over when it is at its beginning again.
    async fn pending(
        &mut self,
        service: &Service,
        hold: &Hold,
        pass: &mut Pass,
    ) -> Result<Vec<ControlRow>, Interruption> {
        let (begin, mut fresh, mut seen) = (pass.after, Vec::new(), HashSet::new());
        loop {
            let page = service.book.pending(hold.fence.shard, pass.after, PAGE).await?;
            pass.after = if page.len() < PAGE as usize { 0 } else { page.last().map_or(0, |row| row.row) };
            for row in page {
                seen.insert(row.row);
                if !self.sent.contains(&row.row) {
                    fresh.extend(control_row(row).filter(|row| !pass.stuck.contains(&row.account)));
                }
            }
            if pass.after == 0 || fresh.len() >= PAGE as usize {
                break;
            }
        }
        let end = if pass.after == 0 { u64::MAX } else { pass.after };
        self.sent.retain(|row| *row <= begin || *row > end || seen.contains(row));
        Ok(fresh)
    }
}

/// Rows of an account shard are changes; key rows belong to key shards.
fn control_row(row: OutboxRow) -> Option<ControlRow> {
    match row.what {
        Outgoing::Change { version, change } => {
            Some(ControlRow { row: row.row, account: row.account, version, change })
        }
        Outgoing::Key { .. } => None,
    }
}
