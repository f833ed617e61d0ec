//! Which sessions of accounts are still good, as the book has it.

use std::collections::BTreeMap;

use metering::{AccountId, SessionSubject, SessionVersion, SessionVersions};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::columns::count;
use crate::{Ledger, LedgerError};

/// The least versions of an account's sessions that are still good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SessionsView {
    /// For everybody.
    pub everybody: SessionVersion,
    /// For persons, where it is higher than for everybody.
    pub subjects: BTreeMap<SessionSubject, SessionVersion>,
}

impl SessionsView {
    /// The least version that is still good for a person; `None` = for whoever has none of its own.
    #[must_use]
    pub fn least(&self, subject: Option<&SessionSubject>) -> SessionVersion {
        let own = subject.and_then(|subject| self.subjects.get(subject));
        own.map_or(self.everybody, |own| self.everybody.max(*own))
    }

    /// The highest of all: a version above it is above everybody's.
    pub(crate) fn highest(&self) -> SessionVersion {
        self.subjects.values().copied().fold(self.everybody, SessionVersion::max)
    }

    fn insert(&mut self, subject: String, version: i64) -> Result<(), LedgerError> {
        let version = read_version(version)?;
        if subject.is_empty() {
            self.everybody = version;
        } else {
            self.subjects.insert(read_subject(subject)?, version);
        }
        Ok(())
    }
}

impl Ledger {
    /// The versions of an account's sessions.
    pub async fn sessions(&self, account: AccountId) -> Result<SessionsView, LedgerError> {
        let mut connection = self.pool.acquire().await?;
        let view = view(&mut connection, account).await?;
        if view == SessionsView::default() {
            self.must_exist(account).await?;
        }
        Ok(view)
    }
}

pub(crate) async fn view(connection: &mut PgConnection, account: AccountId) -> Result<SessionsView, LedgerError> {
    let mut view = SessionsView::default();
    for (_, subject, version) in rows(connection, &[account.as_uuid()]).await? {
        view.insert(subject, version)?;
    }
    Ok(view)
}

/// The versions of accounts, as live state has them; those of whom nobody was signed out are left out.
pub(crate) async fn versions(
    connection: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<Vec<(Uuid, SessionVersions)>, LedgerError> {
    let mut found: Vec<(Uuid, SessionVersions)> = Vec::new();
    for (account, subject, version) in rows(connection, accounts).await? {
        if found.last().is_none_or(|(last, _)| *last != account) {
            found.push((account, SessionVersions::default()));
        }
        let Some((_, versions)) = found.last_mut() else { continue };
        let subject = if subject.is_empty() { None } else { Some(read_subject(subject)?.digest()) };
        versions.raise(subject, read_version(version)?);
    }
    Ok(found)
}

async fn rows(connection: &mut PgConnection, accounts: &[Uuid]) -> Result<Vec<(Uuid, String, i64)>, LedgerError> {
    let rows =
        sqlx::query_as(include_str!("../queries/image_sessions.sql")).bind(accounts).fetch_all(connection).await?;
    Ok(rows)
}

fn read_subject(subject: String) -> Result<SessionSubject, LedgerError> {
    subject.try_into().map_err(|_| LedgerError::Corrupt("a version of sessions of nobody".to_owned()))
}

fn read_version(version: i64) -> Result<SessionVersion, LedgerError> {
    SessionVersion::new(count(version)?).map_err(|_| LedgerError::Corrupt(format!("the version of sessions {version}")))
}
