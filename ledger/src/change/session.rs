//! Changes of sessions: ended before they expire.

use metering::{AccountId, Change, SessionSubject, SessionVersion, SessionVersions};
use serde_json::json;

use crate::change::account::append_one;
use crate::change::{Audit, By, lock};
use crate::columns::{bigint, stamp};
use crate::pool::commit;
use crate::sessions::{SessionsView, view};
use crate::{Ledger, LedgerError};

/// Sessions that are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionsEnded {
    /// The least version that is still good: what tokens must carry from now on.
    pub version: SessionVersion,
    /// The control version that tells it; `None` when it was so already.
    pub control_version: Option<u64>,
}

impl Ledger {
    /// Ends the sessions of a person, or of everybody: of every version so far, or of those below `to`. A version that is asked for
    /// again changes nothing; a lower one is refused.
    pub async fn end_sessions(
        &self,
        account: AccountId,
        subject: Option<&SessionSubject>,
        to: Option<SessionVersion>,
        by: &By,
    ) -> Result<SessionsEnded, LedgerError> {
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        let sessions = view(&mut transaction, account).await?;
        let before = sessions.least(subject);
        let version = next(account, &sessions, subject, to)?;
        if version == before {
            return Ok(SessionsEnded { version, control_version: None });
        }
        sqlx::query(include_str!("../../queries/raise_session_version.sql"))
            .bind(account.as_uuid())
            .bind(subject.map_or("", SessionSubject::as_str))
            .bind(bigint(version.get())?)
            .bind(stamp(by.at)?)
            .execute(&mut *transaction)
            .await?;
        let change = Change::SessionsEnded { subject: subject.cloned(), version };
        let control_version = append_one(&mut transaction, locked.shard, account, change).await?.version;
        let (before, after) = (Some(json!({ "version": before })), json!({ "version": version }));
        let subject = subject.map(ToString::to_string);
        Audit { by, action: "sessions_ended", account, subject, before, after }.write(&mut transaction).await?;
        commit(transaction).await?;
        Ok(SessionsEnded { version, control_version: Some(control_version) })
    }
}

/// The version to raise to. That of everybody goes above those of all persons, else some would stay signed in.
fn next(
    account: AccountId,
    sessions: &SessionsView,
    subject: Option<&SessionSubject>,
    to: Option<SessionVersion>,
) -> Result<SessionVersion, LedgerError> {
    let before = sessions.least(subject);
    let above = if subject.is_some() { before } else { sessions.highest() };
    let version = match to {
        Some(to) if to < before => return Err(LedgerError::SessionVersionLower { version: before, asked: to }),
        Some(to) => to,
        None => above.next().ok_or_else(|| LedgerError::Invalid("no version of sessions is left".to_owned()))?,
    };
    let is_new = subject.is_some_and(|subject| !sessions.subjects.contains_key(subject)) && version > before;
    if is_new && sessions.subjects.len() >= SessionVersions::SUBJECTS_MAX {
        return Err(LedgerError::TooManySubjects { account, limit: SessionVersions::SUBJECTS_MAX });
    }
    Ok(version)
}
