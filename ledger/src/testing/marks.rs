//! Marks at other distances than in practice, for small histories.

use metering::AccountId;

use crate::columns::Ids;
use crate::marks::mark_lots;
use crate::pool::commit;
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Marks accounts at every so many-th of their events, as the roll-up does at every thousandth.
    pub async fn mark_lots_every(&self, accounts: &[AccountId], every: u64) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        mark_lots(&mut transaction, &accounts.uuids(), every).await?;
        commit(transaction).await
    }
}
