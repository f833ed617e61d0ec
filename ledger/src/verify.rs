//! Whether the book agrees with itself: every number of an account recomputed from its entries.

use std::fmt;

use metering::{AccountId, Credits, KeyId, LotId};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::columns::{self, Ids, count, credits};
use crate::{Ledger, LedgerError};

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Difference {
    /// What remains of a lot is not the sum over its entries.
    Lot {
        /// The account.
        account: AccountId,
        /// The lot.
        lot: LotId,
        /// What the lot says.
        remaining: Credits,
        /// What its entries say.
        entries: i64,
    },
    /// Entries name a lot that the account does not have.
    StrayLot {
        /// The account.
        account: AccountId,
        /// The lot.
        lot: LotId,
        /// What the entries say.
        entries: i64,
    },
    /// A lot was swept and holds credits all the same.
    SweptLot {
        /// The account.
        account: AccountId,
        /// The lot.
        lot: LotId,
        /// What the lot says.
        remaining: Credits,
    },
    /// The budget's use is not the sum over the debits and give-backs of its period.
    Budget {
        /// The account.
        account: AccountId,
        /// What the account says.
        used: Credits,
        /// What its entries say.
        entries: i64,
    },
    /// What keys that count as one have drawn is not the sum over their debits and what came back of them.
    Key {
        /// The account.
        account: AccountId,
        /// The key against which they count.
        key: KeyId,
        /// What the days of the key say.
        drawn: i64,
        /// What its entries say.
        entries: i64,
    },
    /// The account's events are not all there, or one is there twice.
    Seq {
        /// The account.
        account: AccountId,
        /// The number of its last event.
        seq: u64,
        /// How many different numbers are there.
        present: u64,
        /// The highest of them.
        highest: u64,
    },
    /// What a row says and no entry does (a lot's original and its life, an account's status and limit) is not what the last change said.
    Row {
        /// The account.
        account: AccountId,
        /// The lot, or `account`.
        row: String,
        /// What of it; instants are in ms since 1970.
        field: String,
        /// What the row says.
        found: String,
        /// What the last change said.
        changes: String,
    },
    /// Live state drew credits that the lots did not have.
    Overdraft {
        /// The account.
        account: AccountId,
        /// How many.
        credits: Credits,
    },
}

impl Difference {
    /// The account it is about.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        match self {
            Self::Lot { account, .. }
            | Self::StrayLot { account, .. }
            | Self::SweptLot { account, .. }
            | Self::Budget { account, .. }
            | Self::Key { account, .. }
            | Self::Seq { account, .. }
            | Self::Row { account, .. }
            | Self::Overdraft { account, .. } => *account,
        }
    }
}

#[derive(FromRow)]
struct RawLot {
    account_id: Uuid,
    lot_id: i64,
    remaining: Option<i64>,
    swept: bool,
    entries: i64,
}

#[derive(FromRow)]
struct RawAccount {
    account_id: Uuid,
    seq: i64,
    overdraft: i64,
    budget_used: i64,
    budget_entries: i64,
    present: i64,
    highest: i64,
}

impl Ledger {
    /// Recomputes accounts from their entries. Empty when everything agrees. One instant, whatever goes on meanwhile.
    pub async fn recompute(&self, accounts: &[AccountId]) -> Result<Vec<Difference>, LedgerError> {
        let mut transaction = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *transaction).await?;
        // It reads every entry of the accounts, which may be millions, and nobody waits for it.
        sqlx::query("SET LOCAL statement_timeout = '10min'").execute(&mut *transaction).await?;
        let mut differences = recompute_lots(&mut transaction, accounts).await?;
        differences.extend(recompute_accounts(&mut transaction, accounts).await?);
        differences.extend(recompute_keys(&mut transaction, accounts).await?);
        differences.extend(recompute_rows(&mut transaction, accounts).await?);
        transaction.rollback().await?;
        Ok(differences)
    }
}

async fn recompute_lots(connection: &mut PgConnection, accounts: &[AccountId]) -> Result<Vec<Difference>, LedgerError> {
    let rows: Vec<RawLot> = sqlx::query_as(include_str!("../queries/recompute_lots.sql"))
        .bind(accounts.uuids())
        .fetch_all(connection)
        .await?;
    let mut differences = Vec::new();
    for raw in rows {
        let (account, lot) = (AccountId::from_uuid(raw.account_id), columns::lot(raw.lot_id)?);
        let Some(remaining) = raw.remaining else {
            differences.push(Difference::StrayLot { account, lot, entries: raw.entries });
            continue;
        };
        if remaining != raw.entries {
            differences.push(Difference::Lot { account, lot, remaining: credits(remaining)?, entries: raw.entries });
        }
        if raw.swept && remaining != 0 {
            differences.push(Difference::SweptLot { account, lot, remaining: credits(remaining)? });
        }
    }
    Ok(differences)
}

async fn recompute_accounts(
    connection: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<Vec<Difference>, LedgerError> {
    let rows: Vec<RawAccount> = sqlx::query_as(include_str!("../queries/recompute_accounts.sql"))
        .bind(accounts.uuids())
        .fetch_all(connection)
        .await?;
    let mut differences = Vec::new();
    for raw in rows {
        let account = AccountId::from_uuid(raw.account_id);
        if raw.budget_used != raw.budget_entries.max(0) {
            let used = credits(raw.budget_used)?;
            differences.push(Difference::Budget { account, used, entries: raw.budget_entries });
        }
        if raw.present != raw.seq || raw.highest != raw.seq {
            let (seq, present, highest) = (count(raw.seq)?, count(raw.present)?, count(raw.highest)?);
            differences.push(Difference::Seq { account, seq, present, highest });
        }
        if raw.overdraft != 0 {
            differences.push(Difference::Overdraft { account, credits: credits(raw.overdraft)? });
        }
    }
    Ok(differences)
}

async fn recompute_keys(connection: &mut PgConnection, accounts: &[AccountId]) -> Result<Vec<Difference>, LedgerError> {
    let rows: Vec<(Uuid, Uuid, i64, i64)> = sqlx::query_as(include_str!("../queries/recompute_keys.sql"))
        .bind(accounts.uuids())
        .fetch_all(connection)
        .await?;
    let differ = rows.into_iter().filter(|(_, _, drawn, entries)| drawn != entries);
    let difference = |(account, key, drawn, entries)| Difference::Key {
        account: AccountId::from_uuid(account),
        key: KeyId::from_uuid(key),
        drawn,
        entries,
    };
    Ok(differ.map(difference).collect())
}

async fn recompute_rows(connection: &mut PgConnection, accounts: &[AccountId]) -> Result<Vec<Difference>, LedgerError> {
    let rows: Vec<(Uuid, String, String, String, String)> =
        sqlx::query_as(include_str!("../queries/recompute_rows.sql"))
            .bind(accounts.uuids())
            .fetch_all(connection)
            .await?;
    let difference = |(account, row, field, found, changes)| {
        let account = AccountId::from_uuid(account);
        Difference::Row { account, row, field, found, changes }
    };
    Ok(rows.into_iter().map(difference).collect())
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lot { account, lot, remaining, entries } => {
                write!(formatter, "{account}: {lot} has {remaining} credits, its entries make {entries}")
            }
            Self::StrayLot { account, lot, entries } => {
                write!(formatter, "{account}: entries move {entries} credits on {lot}, which it does not have")
            }
            Self::SweptLot { account, lot, remaining } => {
                write!(formatter, "{account}: {lot} was swept and still has {remaining} credits")
            }
            Self::Budget { account, used, entries } => {
                write!(formatter, "{account}: {used} credits of the budget are used, its entries make {entries}")
            }
            Self::Key { account, key, drawn, entries } => {
                write!(formatter, "{account}: {key} has drawn {drawn} credits by its days, its entries make {entries}")
            }
            Self::Seq { account, seq, present, highest } => {
                write!(formatter, "{account}: at event {seq}, but {present} events are there, up to {highest}")
            }
            Self::Row { account, row, field, found, changes } => {
                write!(formatter, "{account}: {field} of {row} is {found}, its changes say {changes}")
            }
            Self::Overdraft { account, credits } => {
                write!(formatter, "{account}: {credits} credits were drawn that its lots did not have")
            }
        }
    }
}
