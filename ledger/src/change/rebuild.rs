//! An operator's wish to have an account's live state written anew from the book.

use metering::{AccountId, Change};
use serde_json::json;

use crate::change::{Appended, Audit, By, append, lock};
use crate::columns::bigint;
use crate::dead_letters::has_letters;
use crate::pool::commit;
use crate::{Drift, Ledger, LedgerError};

/// A rebuild that the owner was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildAsked {
    /// The outbox row that asks; done once it is delivered.
    pub row: u64,
    /// The account's control version that it makes.
    pub version: u64,
}

impl Ledger {
    /// Asks the owner to install an account anew. `found` is what of live state differed, for the audit.
    ///
    /// Live state would become what the book says, so a book that does not agree with itself is refused: that would hide what is wrong.
    pub async fn ask_rebuild(&self, account: AccountId, found: &[Drift], by: &By) -> Result<RebuildAsked, LedgerError> {
        let differences = self.recompute(&[account]).await?;
        if !differences.is_empty() {
            return Err(LedgerError::BookDiffers { differences });
        }
        let mut transaction = self.begin().await?;
        let locked = lock(&mut transaction, account).await?;
        if has_letters(&mut transaction, account).await? {
            return Err(LedgerError::LettersOpen { account });
        }
        let appended = append(&mut transaction, locked.shard, &[(account, Change::RebuildAsked)]).await?;
        let &[Appended { version, row }] = appended.as_slice() else {
            return Err(LedgerError::Corrupt("an outbox without rows".to_owned()));
        };
        let (before, after) = (Some(json!({ "differences": found })), json!({ "control_version": version }));
        Audit { by, action: "rebuild_asked", account, subject: None, before, after }.write(&mut transaction).await?;
        commit(transaction).await?;
        Ok(RebuildAsked { row, version })
    }

    /// Whether the book has seen the install that a rebuild asked for.
    pub async fn is_rebuilt(&self, asked: RebuildAsked) -> Result<bool, LedgerError> {
        let done = sqlx::query_scalar("SELECT delivered_at IS NOT NULL FROM outbox WHERE row_id = $1")
            .bind(bigint(asked.row)?)
            .fetch_one(&self.pool)
            .await?;
        Ok(done)
    }
}
