//! The book at the start of a service: opened as the settings say, then waited for.

use std::time::Duration;

use anyhow::Context;
use config::postgres::Postgres;
use ledger::{Ledger, LedgerError, PoolSettings};
use secrecy::ExposeSecret;
use tracing::warn;

use crate::chain;

/// Pause between two looks for a book that is not there yet.
const PAUSE: Duration = Duration::from_millis(500);

/// Opens the book; it need not be there yet.
pub fn open_book(settings: &Postgres) -> anyhow::Result<Ledger> {
    let pool = PoolSettings { connections_max: settings.connections_max, ..Default::default() };
    Ledger::open(settings.url.expose_secret(), pool).context("the book can't be opened")
}

/// Waits for the book; a schema that is missing or of another release is final.
pub async fn wait_for_book(book: &Ledger) -> anyhow::Result<()> {
    loop {
        match book.check_schema(None).await {
            Ok(_) => return Ok(()),
            Err(
                error
                @ (LedgerError::SchemaMissing | LedgerError::SchemaOld { .. } | LedgerError::SchemaForeign { .. }),
            ) => return Err(error).context("the book does not fit this program"),
            // Whatever else it is, a proxy without a server among it, may be over at the next look.
            Err(error) => {
                warn!(error = chain(&error), "the book is not there yet: {}", chain(&error));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
