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

/// Carries outbox rows under one certification.
#[derive(Default)]
pub struct Carrier {
    /// Rows that were applied and whose events have not been drained yet.
    sent: HashSet<u64>,
}

impl Carrier {
    /// Carries what is undelivered; answers how many rows were new.
    pub async fn once(&mut self, service: &Service, hold: &mut Hold, drain: &mut Drain) -> Result<usize, Interruption> {
        let pending = self.pending(service, hold).await?;
        if pending.is_empty() {
            return Ok(0);
        }
        let outcomes = hold.link.control(&hold.certified, &pending).await?;
        config::failpoint("carry.sent");
        let mut stuck: HashSet<AccountId> = HashSet::new();
        for (row, outcome) in pending.iter().zip(outcomes) {
            match outcome {
                ControlOutcome::Applied | ControlOutcome::Already => {
                    self.sent.insert(row.row);
                }
                ControlOutcome::Early => {
                    stuck.insert(row.account);
                }
                // Rows behind one that did not go through can't go through either.
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
                ControlOutcome::Gap | ControlOutcome::Frozen
                    if service.book.is_marked(hold.fence, row.account).await? =>
                {
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
        }
        Ok(pending.iter().filter(|row| !stuck.contains(&row.account)).count())
    }

    /// Undelivered rows that were not sent yet, in row order. Always read from the first: a transaction with a lower row may
    /// commit later than one with a higher.
    async fn pending(&mut self, service: &Service, hold: &Hold) -> Result<Vec<ControlRow>, Interruption> {
        let (mut fresh, mut after, mut seen) = (Vec::new(), 0, HashSet::new());
        loop {
            let page = service.book.pending(hold.fence.shard, after, PAGE).await?;
            let full = page.len() >= PAGE as usize;
            after = page.last().map_or(after, |row| row.row);
            for row in page {
                seen.insert(row.row);
                if !self.sent.contains(&row.row) {
                    fresh.extend(control_row(row));
                }
            }
            if !full || fresh.len() >= PAGE as usize {
                break;
            }
        }
        self.sent.retain(|row| seen.contains(row) || *row > after);
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
