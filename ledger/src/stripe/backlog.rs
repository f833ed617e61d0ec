//! For how long what Stripe has delivered has been waiting.

use crate::columns::count;
use crate::{Ledger, LedgerError};

/// Of the oldest delivery that waits.
const AGE: &str = "SELECT greatest(coalesce(floor(extract(epoch FROM clock_timestamp() - min(received_at)) * 1000), 0), 0)::bigint \
                   FROM stripe_deliveries WHERE state = 'waiting'";

impl Ledger {
    /// How old the oldest delivery is that is still to be applied, by Postgres' clock; 0 where none is.
    pub async fn delivery_waiting_age_ms(&self) -> Result<u64, LedgerError> {
        count(sqlx::query_scalar(AGE).fetch_one(&self.pool).await?)
    }
}
