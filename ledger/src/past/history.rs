//! The changes of an account that live state had heard of, in their order: what was in force at an instant.

use metering::{AccountId, Change, Credits, KeyCaps, KeyId, LotId, Status, TimeMs};
use serde_json::Value;
use sqlx::PgConnection;

use super::Until;
use crate::LedgerError;
use crate::columns::{bigint, stamp};
use crate::outbox::read_change;

/// Changes, earliest first; the last one about something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History(Vec<Change>);

impl History {
    pub(crate) async fn read(
        connection: &mut PgConnection,
        account: AccountId,
        until: Until,
    ) -> Result<Self, LedgerError> {
        let event = until.before.map(|(_, event)| event);
        let rows: Vec<Value> = sqlx::query_scalar(include_str!("../../queries/past_changes.sql"))
            .bind(account.as_uuid())
            .bind(stamp(until.at)?)
            .bind(event.map(|event| bigint(event.incarnation)).transpose()?)
            .bind(event.map(|event| bigint(event.sequence)).transpose()?)
            .fetch_all(connection)
            .await?;
        Ok(Self(rows.into_iter().map(read_change).collect::<Result<_, _>>()?))
    }

    fn last<T>(&self, about: impl FnMut(&Change) -> Option<T>) -> Option<T> {
        self.0.iter().rev().find_map(about)
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.last(|change| match change {
            Change::AccountCreated { status, .. } | Change::StatusSet { status } => Some(*status),
            _ => None,
        })
    }

    /// 0 = no cap.
    pub(crate) fn budget_limit(&self) -> Credits {
        let limit = |change: &Change| if let Change::BudgetSet { limit } = change { Some(*limit) } else { None };
        self.last(limit).unwrap_or(Credits::ZERO)
    }

    /// When a lot ends; `None` before its grant was heard of.
    pub(crate) fn expiry(&self, lot: LotId) -> Option<TimeMs> {
        self.last(|change| match change {
            Change::LotGranted { lot: granted, expires_at, .. } if *granted == lot => Some(*expires_at),
            Change::LotExpiryMoved { lot: moved, expires_at } if *moved == lot => Some(*expires_at),
            _ => None,
        })
    }

    pub(crate) fn is_revoked(&self, key: KeyId) -> bool {
        self.0.iter().any(|change| matches!(change, Change::KeyRevoked { key: revoked } if *revoked == key))
    }

    /// The caps of a key; empty where it had none.
    pub(crate) fn caps(&self, key: KeyId) -> KeyCaps {
        let caps = |change: &Change| match change {
            Change::KeyCapped { key: capped, caps } if *capped == key => Some(*caps),
            _ => None,
        };
        self.last(caps).unwrap_or_default()
    }
}
