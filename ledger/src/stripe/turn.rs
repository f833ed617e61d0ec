//! Whose turn it is to hold Stripe against the book: one process at a time, and nobody's once that process is gone.

use sqlx::{Connection, PgConnection};

use crate::{Ledger, LedgerError};

/// Names the turn among the locks of the database; any number that nobody else takes.
const LOCK: i64 = 0x7467_7374_7269_7065;

/// The turn. It ends when it is ended; some time after this is dropped, or with the process.
#[derive(Debug)]
pub struct ReconcileTurn {
    /// The lock lives as long as this connection, which is nobody else's.
    connection: PgConnection,
}

impl ReconcileTurn {
    /// Ends the turn: whoever asks from now on has it. (Of a connection that is dropped Postgres only hears after a while.)
    pub async fn end(mut self) -> Result<(), LedgerError> {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut self.connection).await?;
        Ok(())
    }
}

impl Ledger {
    /// Takes the turn; `None` while another process has it.
    pub async fn reconcile_turn(&self) -> Result<Option<ReconcileTurn>, LedgerError> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let mine: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut connection).await?;
        Ok(mine.then_some(ReconcileTurn { connection }))
    }
}
