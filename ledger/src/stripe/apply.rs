//! Applying a delivery: lock it, lock what it names, apply each effect, derive what follows, answer; one transaction.

use sqlx::{PgConnection, Postgres, Transaction};

use super::delivery::{DeliveryState, Parking};
use super::done::Outcome;
use super::effect::Effect;
use super::inbox::{Waits, park, postpone};
use super::work::{Stop, Work};
use super::{limits, names};
use crate::change::By;
use crate::columns::stamp;
use crate::pool::commit;
use crate::{Ledger, LedgerError, Subject};

/// How often a transaction is begun anew because others were faster.
const TRIES: u32 = 10;
/// How long a delivery waits for something that the book will know soon.
const PAUSE_MS: u64 = 5_000;

impl Ledger {
    /// Applies what a delivery says, once: all of it, or nothing and it is parked. A delivery that does not wait is left
    /// alone. Only trouble that passes, and a book that is broken, are errors; then nothing has happened.
    pub async fn apply_delivery(&self, event: &str, effects: &[Effect], by: &By) -> Result<Outcome, LedgerError> {
        self.apply(Some(event), effects, by).await
    }

    /// Applies what a look at Stripe found, through the same rules. `Parked` says why it can't be; nothing is parked then.
    pub async fn apply_effects(&self, effects: &[Effect], by: &By) -> Result<Outcome, LedgerError> {
        self.apply(None, effects, by).await
    }

    async fn apply(&self, event: Option<&str>, effects: &[Effect], by: &By) -> Result<Outcome, LedgerError> {
        for _ in 0..TRIES {
            match self.try_to_apply(event, effects, by).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                Err(error) if was_in_the_way(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let why = "others work on the same payment all the time".to_owned();
        if let Some(event) = event {
            self.postpone_delivery(event, by.at.plus_ms(PAUSE_MS), &why).await?;
        }
        Ok(Outcome::Postponed(why))
    }

    /// `None`: it must be begun anew, because names were added while it waited for its locks.
    async fn try_to_apply(
        &self,
        event: Option<&str>,
        effects: &[Effect],
        by: &By,
    ) -> Result<Option<Outcome>, LedgerError> {
        let mut transaction = self.begin().await?;
        if let Some(event) = event
            && lock_delivery(&mut transaction, event).await? != DeliveryState::Waiting
        {
            return Ok(Some(Outcome::Already));
        }
        let attempt = Attempt { event, effects, by };
        // What is locked before the savepoint stays locked when effects are rolled back.
        let mut work = match attempt.prepare(&mut transaction).await {
            Ok(Some(work)) => work,
            Ok(None) => return Ok(None),
            Err(Stop::Failed(error)) => return Err(error),
            Err(stop) => return attempt.stop(transaction, stop).await.map(Some),
        };
        sqlx::query("SAVEPOINT effects").execute(&mut *work.connection).await?;
        match work.apply(effects).await {
            Ok(()) => {
                let (done, account) = (work.done, work.accounts.keys().next().copied());
                if let Some(event) = event {
                    sqlx::query(
                        "UPDATE stripe_deliveries SET state = 'applied', parked_code = NULL, parked_detail = NULL, \
                         waits_for = '{}', account_id = coalesce($2, account_id), applied_at = $3 WHERE event = $1",
                    )
                    .bind(event)
                    .bind(account.map(|account| account.as_uuid()))
                    .bind(stamp(by.at)?)
                    .execute(&mut *transaction)
                    .await?;
                }
                commit(transaction).await?;
                Ok(Some(Outcome::Applied(done)))
            }
            Err(Stop::Failed(error)) => Err(error),
            Err(stop) => {
                sqlx::query("ROLLBACK TO SAVEPOINT effects").execute(&mut *transaction).await?;
                attempt.stop(transaction, stop).await.map(Some)
            }
        }
    }
}

struct Attempt<'a> {
    event: Option<&'a str>,
    effects: &'a [Effect],
    by: &'a By,
}

impl Attempt<'_> {
    /// Locks the names, then the accounts. `None`: while it waited, others added names that mean the same.
    async fn prepare<'a>(&'a self, connection: &'a mut PgConnection) -> Result<Option<Work<'a>>, Stop> {
        limits::effects(self.effects)?;
        let seeds = || self.effects.iter().flat_map(Effect::names);
        let locked = names::closure(&mut *connection, seeds()).await?;
        names::lock(&mut *connection, &locked).await?;
        if !names::closure(&mut *connection, seeds()).await?.is_subset(&locked) {
            return Ok(None);
        }
        Work::begin(connection, self.event, self.by, self.effects, &locked).await.map(Some)
    }

    /// Writes why the effects are not in the book, and the fact that is kept all the same.
    async fn stop(&self, mut transaction: Transaction<'_, Postgres>, stop: Stop) -> Result<Outcome, LedgerError> {
        let by = self.by;
        let outcome = match stop {
            Stop::Failed(error) => return Err(error),
            Stop::Postponed(why) => {
                if let Some(event) = self.event {
                    postpone(&mut transaction, event, by.at.plus_ms(PAUSE_MS), &why).await?;
                }
                Outcome::Postponed(why)
            }
            Stop::Parked { why, account } => {
                if let Some(event) = self.event {
                    park(&mut transaction, event, &why, &self.waits_for(&why), account, by.at).await?;
                }
                Outcome::Parked(why)
            }
            Stop::PaymentUnknown(reversal) => {
                let why = Parking::new("payment_unknown", "no payment of these names is in the book yet");
                reversal.keep(&mut transaction, None).await?;
                if let Some(event) = self.event {
                    let names = reversal.names().into_iter().map(str::to_owned).collect();
                    let waits = Waits { names, is_done_then: self.effects.len() == 1 };
                    park(&mut transaction, event, &why, &waits, None, by.at).await?;
                }
                Outcome::Parked(why)
            }
        };
        commit(transaction).await?;
        Ok(outcome)
    }

    /// Once one of these is known, the delivery can be applied.
    fn waits_for(&self, why: &Parking) -> Waits {
        if why.code != "account_unknown" {
            return Waits::default();
        }
        let names = self.effects.iter().flat_map(Effect::owners).map(str::to_owned).collect();
        Waits { names, is_done_then: false }
    }
}

async fn lock_delivery(connection: &mut PgConnection, event: &str) -> Result<DeliveryState, LedgerError> {
    let state: Option<String> = sqlx::query_scalar("SELECT state FROM stripe_deliveries WHERE event = $1 FOR UPDATE")
        .bind(event)
        .fetch_optional(connection)
        .await?;
    let state = state.ok_or_else(|| LedgerError::not_found(Subject::Delivery, &event))?;
    DeliveryState::try_from(state.as_str())
}

/// A deadlock or a serialization failure: Postgres has ended one of two that were in each other's way.
fn was_in_the_way(error: &LedgerError) -> bool {
    let LedgerError::Unavailable(sqlx::Error::Database(refusal)) = error else { return false };
    refusal.code().is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01"))
}
