//! The transactions that entries are written in.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::LedgerError;
use crate::pool::unknown_or_refused;

/// A transaction that may write entries, whose connection goes back to the pool only after its end, and is closed without one.
///
/// Entries are written by COPY, whose answers sqlx does not count among those that are to come: a connection that is given up in the
/// middle of one would hand them to its next user, in place of that one's own.
pub(crate) struct EntriesTransaction {
    connection: PoolConnection<Postgres>,
    ended: bool,
}

impl EntriesTransaction {
    pub(crate) async fn begin(pool: &PgPool, statement: &'static str) -> Result<Self, LedgerError> {
        let mut begun = Self { connection: pool.acquire().await?, ended: false };
        sqlx::raw_sql(statement).execute(&mut *begun).await?;
        Ok(begun)
    }

    /// Commits what went well, and takes back what did not.
    pub(crate) async fn end<T>(self, outcome: Result<T, LedgerError>) -> Result<T, LedgerError> {
        match outcome {
            Ok(done) => self.commit().await.map(|()| done),
            Err(failure) => {
                self.rollback().await.ok(); // the connection that can't is closed, which takes everything back
                Err(failure)
            }
        }
    }

    pub(crate) async fn commit(mut self) -> Result<(), LedgerError> {
        sqlx::raw_sql("COMMIT").execute(&mut *self).await.map_err(unknown_or_refused)?;
        self.ended = true;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), LedgerError> {
        sqlx::raw_sql("ROLLBACK").execute(&mut *self).await?;
        self.ended = true;
        Ok(())
    }
}

impl Deref for EntriesTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for EntriesTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for EntriesTransaction {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}
