//! What an incident has cost: to the credit, by account, who witnessed it, and whether all of it is known.

use metering::{AccountId, Credits, OpId, Shard, ShardKind, TimeMs};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{self, Stamp, bigint, count, credits, maybe_time, shard_number, time};
use crate::{Ledger, LedgerError};

/// Something an operator should know of.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its number.
    pub id: u64,
    /// The shard.
    pub shard: Shard,
    /// What kind: `rebuild`, `tail_lost`, `shortfall`, …
    pub kind: String,
    /// What is known of it.
    pub detail: Value,
    /// When it was written.
    pub at: TimeMs,
}

/// Which incidents.
#[derive(Debug, Clone, Copy, Default)]
pub struct IncidentFilter {
    /// This one.
    pub id: Option<u64>,
    /// Those that cost this account something.
    pub account: Option<AccountId>,
    /// Those that cost anybody something.
    pub with_losses: bool,
    /// Only those before this one, in lists of incidents.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// What an incident has cost one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLoss {
    /// Whose debits they were.
    pub account: AccountId,
    /// How many.
    pub debits: u64,
    /// What they had drawn.
    pub drawn: Credits,
    /// What callers got and nobody pays for: what was drawn, less what went back to them before it was lost.
    pub lost: Credits,
    /// Of the debits those whose gateway has not said how they ended; they count as drawn.
    pub open_ends: u64,
}

/// What was lost, of all that a filter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossTotals {
    /// Debits.
    pub debits: u64,
    /// What they had drawn.
    pub drawn: Credits,
    /// What callers got and nobody pays for, as [`AccountLoss::lost`].
    pub lost: Credits,
}

/// One debit that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostDebit {
    /// Its op, which is the request's id.
    pub op: OpId,
    /// Who would have paid.
    pub account: AccountId,
    /// What it drew.
    pub credits: Credits,
    /// What the caller was to pay in the end; `None` = its gateway has not said.
    pub kept: Option<Credits>,
    /// What the upstream answered.
    pub upstream_status: Option<u16>,
    /// When it drew, by the shard's clock.
    pub drawn_at: TimeMs,
    /// The incident that took it.
    pub incident: u64,
}

/// A run of a gateway, as a witness of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Which run.
    pub run: Uuid,
    /// For people.
    pub name: String,
    /// Everything it did up to then is posted.
    pub whole_until: Option<TimeMs>,
    /// It is over, and all of it is posted.
    pub ended: bool,
    /// Whether it has posted past the incident.
    pub has_posted: bool,
}

/// What an incident has cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossReport {
    /// By account, the dearest first.
    pub accounts: Vec<AccountLoss>,
    /// Debits of the shard that gateways have witnessed and that are not decided yet.
    pub waiting: u64,
    /// Who was there.
    pub witnesses: Vec<Witness>,
    /// Records that witnesses could not write around that time, or parts of their journals that never came.
    pub gaps: u64,
}

impl LossReport {
    /// Debits lost.
    #[must_use]
    pub fn debits(&self) -> u64 {
        self.accounts.iter().map(|account| account.debits).fold(0, u64::saturating_add)
    }

    /// What callers got and nobody pays for.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.accounts.iter().map(|account| account.lost.get()).fold(0, u64::saturating_add)
    }

    /// Whether nothing more can come.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !self.witnesses.is_empty() && self.waiting == 0 && self.witnesses.iter().all(|witness| witness.has_posted)
    }

    /// Whether it is exact: final, and its witnesses have missed nothing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_final() && self.gaps == 0 && self.accounts.iter().all(|account| account.open_ends == 0)
    }

    /// Why it is not complete, each in words.
    #[must_use]
    pub fn why_incomplete(&self) -> Vec<String> {
        let mut why = Vec::new();
        if self.witnesses.is_empty() {
            why.push("not witnessed: no gateway posts a journal".to_owned());
        }
        for witness in self.witnesses.iter().filter(|witness| !witness.has_posted) {
            let until = witness.whole_until.map_or_else(|| "nothing yet".to_owned(), |until| format!("up to {until}"));
            why.push(format!("gateway {} (run {}) has posted {until}", witness.name, witness.run));
        }
        if self.waiting > 0 {
            why.push(format!("{} debits are not decided yet", self.waiting));
        }
        if self.gaps > 0 {
            why.push(format!("{} gaps in the journals around that time", self.gaps));
        }
        let open: u64 = self.accounts.iter().map(|account| account.open_ends).fold(0, u64::saturating_add);
        if open > 0 {
            why.push(format!("how {open} of the debits ended is not known; they count as drawn"));
        }
        why
    }
}

#[derive(FromRow)]
struct RawIncident {
    incident_id: i64,
    shard_kind: String,
    shard: i16,
    kind: String,
    detail: Value,
    at: Stamp,
}

#[derive(FromRow)]
struct RawLost {
    op: Uuid,
    account_id: Uuid,
    credits: i64,
    kept: Option<i64>,
    upstream_status: Option<i16>,
    drawn_at: Stamp,
    incident_id: i64,
}

impl Ledger {
    /// Incidents, latest first.
    pub async fn incidents(&self, filter: IncidentFilter) -> Result<Vec<Incident>, LedgerError> {
        let rows: Vec<RawIncident> = sqlx::query_as(include_str!("../../queries/incidents.sql"))
            .bind(filter.id.map(bigint).transpose()?)
            .bind(filter.account.map(|account| account.as_uuid()))
            .bind(filter.with_losses)
            .bind(filter.before.map(bigint).transpose()?)
            .bind(i64::from(filter.limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter()
            .map(|raw| {
                Ok(Incident {
                    id: count(raw.incident_id)?,
                    shard: columns::shard(&raw.shard_kind, raw.shard)?,
                    kind: raw.kind,
                    detail: raw.detail,
                    at: time(raw.at)?,
                })
            })
            .collect()
    }

    /// What an incident has cost; `None` where none of its kind can cost credits.
    pub async fn loss_report(&self, incident: &Incident) -> Result<Option<LossReport>, LedgerError> {
        // The first live state of a shard replaces nothing.
        let begins = incident.detail["replaced"].as_u64() == Some(0);
        let costs = matches!(incident.kind.as_str(), "rebuild" | "tail_lost");
        if incident.shard.kind == ShardKind::Keys || begins || !costs {
            return Ok(None);
        }
        let accounts: Vec<(Uuid, i64, i64, i64, i64)> =
            sqlx::query_as(include_str!("../../queries/losses_by_account.sql"))
                .bind(bigint(incident.id)?)
                .fetch_all(&self.pool)
                .await?;
        let accounts = accounts.into_iter().map(|(account, debits, drawn, lost, open_ends)| {
            let (debits, open_ends) = (count(debits)?, count(open_ends)?);
            let account = AccountId::from_uuid(account);
            Ok(AccountLoss { account, debits, drawn: credits(drawn)?, lost: credits(lost)?, open_ends })
        });
        let accounts = accounts.collect::<Result<_, LedgerError>>()?;
        // Of live state that was replaced, or that lost its tail: what is drawn since is none of it.
        let incarnation = incident.detail["incarnation"].as_u64().unwrap_or(0);
        let before = if incident.kind == "rebuild" { incarnation } else { incarnation.saturating_add(1) };
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM journal_debits WHERE shard = $1 AND incarnation < $2")
                .bind(shard_number(incident.shard))
                .bind(bigint(before)?)
                .fetch_one(&self.pool)
                .await?;
        let (witnesses, gaps) = (self.witnesses(incident.at).await?, self.gaps_around(incident.at).await?);
        Ok(Some(LossReport { accounts, waiting: count(waiting)?, witnesses, gaps }))
    }

    /// Lost debits, the latest first: of an incident, of an account, or all.
    pub async fn lost_debits(&self, filter: IncidentFilter) -> Result<Vec<LostDebit>, LedgerError> {
        let rows: Vec<RawLost> = sqlx::query_as(include_str!("../../queries/lost_debits.sql"))
            .bind(filter.id.map(bigint).transpose()?)
            .bind(filter.account.map(|account| account.as_uuid()))
            .bind(i64::from(filter.limit))
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(LostDebit::try_from).collect()
    }

    /// How much was lost: of an incident, of an account, or in all. What the filter says of how many are shown is no matter here.
    pub async fn count_losses(&self, filter: IncidentFilter) -> Result<LossTotals, LedgerError> {
        let (debits, drawn, lost): (i64, i64, i64) = sqlx::query_as(include_str!("../../queries/count_losses.sql"))
            .bind(filter.id.map(bigint).transpose()?)
            .bind(filter.account.map(|account| account.as_uuid()))
            .fetch_one(&self.pool)
            .await?;
        Ok(LossTotals { debits: count(debits)?, drawn: credits(drawn)?, lost: credits(lost)? })
    }

    async fn witnesses(&self, at: TimeMs) -> Result<Vec<Witness>, LedgerError> {
        let rows: Vec<(Uuid, String, Option<Stamp>, bool, bool)> =
            sqlx::query_as(include_str!("../../queries/witnesses.sql"))
                .bind(columns::stamp(at)?)
                .fetch_all(&self.pool)
                .await?;
        let rows = rows.into_iter().map(|(run, name, whole_until, ended, has_posted)| {
            Ok(Witness { run, name, whole_until: maybe_time(whole_until)?, ended, has_posted })
        });
        rows.collect()
    }

    async fn gaps_around(&self, at: TimeMs) -> Result<u64, LedgerError> {
        let gaps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM journal_gaps WHERE from_at <= $1 + interval '10 seconds' AND to_at >= $1 - interval '1 hour'",
        )
        .bind(columns::stamp(at)?)
        .fetch_one(&self.pool)
        .await?;
        count(gaps)
    }
}

impl TryFrom<RawLost> for LostDebit {
    type Error = LedgerError;

    fn try_from(raw: RawLost) -> Result<Self, LedgerError> {
        Ok(Self {
            op: OpId::from_uuid(raw.op),
            account: AccountId::from_uuid(raw.account_id),
            credits: credits(raw.credits)?,
            kept: raw.kept.map(credits).transpose()?,
            upstream_status: raw.upstream_status.and_then(|status| u16::try_from(status).ok()),
            drawn_at: time(raw.drawn_at)?,
            incident: count(raw.incident_id)?,
        })
    }
}
