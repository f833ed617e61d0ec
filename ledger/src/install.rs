//! The book's picture of accounts, for writing live state anew.

use metering::{AccountId, AccountImage, TimeMs};

use crate::{Fence, Ledger, LedgerError};

impl Ledger {
    /// A page of a shard's accounts after `after`, in order of id, for a new incarnation.
    ///
    /// Changes of credits that are still on their way are first settled in the book with what is there, because live
    /// state will never apply them: it begins with their result. `now` is the shard's time.
    pub async fn prepare_install(
        &self,
        fence: Fence,
        after: Option<AccountId>,
        limit: u32,
        now: TimeMs,
    ) -> Result<Vec<AccountImage>, LedgerError> {
        let _ = (fence, after, limit, now);
        Err(LedgerError::Invalid("not built yet".to_owned()))
    }

    /// One account, as [`Self::prepare_install`]; `None` when the shard has no such account. Freeze it and drain its
    /// events first.
    pub async fn prepare_install_one(
        &self,
        fence: Fence,
        account: AccountId,
        now: TimeMs,
    ) -> Result<Option<AccountImage>, LedgerError> {
        let _ = (fence, account, now);
        Err(LedgerError::Invalid("not built yet".to_owned()))
    }
}
