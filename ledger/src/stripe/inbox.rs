//! Deliveries on their way into the book: recorded once, claimed by whoever applies them, set aside or put off.

use std::time::Duration;

use metering::{AccountId, TimeMs};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::delivery::{BODY_BYTES_MAX, Delivery, DeliveryState, Parking, Received, StoredDelivery};
use super::limits;
use crate::columns::{Stamp, attempts, maybe_time, stamp, time};
use crate::{Ledger, LedgerError, Subject};

/// Most letters of a text that says why.
const WHY_CHARS_MAX: usize = 2_000;

#[derive(FromRow)]
pub(super) struct RawDelivery {
    event: String,
    kind: String,
    api_version: Option<String>,
    live: bool,
    created_at: Stamp,
    body: Vec<u8>,
    state: String,
    parked_code: Option<String>,
    parked_detail: Option<String>,
    attempts: i32,
    postponed: Option<String>,
    account_id: Option<Uuid>,
    received_at: Stamp,
    next_at: Stamp,
    applied_at: Option<Stamp>,
}

impl Ledger {
    /// Records a verified delivery, durably before it answers. The same event is recorded once.
    pub async fn record_delivery(&self, delivery: &Delivery, at: TimeMs) -> Result<Received, LedgerError> {
        let Delivery { event, kind, api_version, live, created, body } = delivery;
        for id in [Some(event), Some(kind), api_version.as_ref()].into_iter().flatten() {
            limits::id(id)?;
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(LedgerError::Invalid(format!("a delivery has at most {BODY_BYTES_MAX} bytes")));
        }
        let rows = sqlx::query(include_str!("../../queries/stripe_record_delivery.sql"))
            .bind(event)
            .bind(kind)
            .bind(api_version)
            .bind(live)
            .bind(stamp(*created)?)
            .bind(body)
            .bind(stamp(at)?)
            .execute(&self.pool) // one statement: it commits by itself
            .await?
            .rows_affected();
        Ok(if rows == 0 { Received::Known } else { Received::New })
    }

    /// Claims deliveries that wait, oldest first: nobody else is given them before `lease` is over. Several workers may ask at
    /// once.
    pub async fn claim_deliveries(
        &self,
        limit: u32,
        lease: Duration,
        now: TimeMs,
    ) -> Result<Vec<StoredDelivery>, LedgerError> {
        let until = now.plus_ms(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX)); // a lease of ages is for ever
        let rows: Vec<RawDelivery> = sqlx::query_as(include_str!("../../queries/stripe_claim_deliveries.sql"))
            .bind(stamp(now)?)
            .bind(stamp(until)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let mut claimed = rows.into_iter().map(StoredDelivery::try_from).collect::<Result<Vec<_>, _>>()?;
        claimed.sort_by(|one, other| {
            (one.received_at, &one.delivery.event).cmp(&(other.received_at, &other.delivery.event))
        });
        Ok(claimed)
    }

    /// Sets a delivery aside until an operator decides. One that does not wait any more stays as it is.
    pub async fn park_delivery(&self, event: &str, why: &Parking, at: TimeMs) -> Result<(), LedgerError> {
        let mut connection = self.pool.acquire().await?;
        park(&mut connection, event, why, &Waits::default(), None, at).await?;
        exists(&mut connection, event).await
    }

    /// Marks a delivery as one that nobody acts on. One that does not wait any more stays as it is.
    pub async fn ignore_delivery(&self, event: &str, at: TimeMs) -> Result<(), LedgerError> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query(
            "UPDATE stripe_deliveries SET state = 'ignored', applied_at = $2 WHERE event = $1 AND state = 'waiting'",
        )
        .bind(event)
        .bind(stamp(at)?)
        .execute(&mut *connection)
        .await?;
        exists(&mut connection, event).await
    }

    /// Puts a delivery off: something that passes is in the way, as Stripe that can't be asked.
    pub async fn postpone_delivery(&self, event: &str, until: TimeMs, why: &str) -> Result<(), LedgerError> {
        let mut connection = self.pool.acquire().await?;
        postpone(&mut connection, event, until, why).await?;
        exists(&mut connection, event).await
    }
}

/// What a delivery that is set aside waits for, if it is for anything but an operator.
#[derive(Default)]
pub(super) struct Waits {
    /// Names of which the book has nothing.
    pub(super) names: Vec<String>,
    /// Whether it is settled as soon as it has, without being applied again.
    pub(super) is_done_then: bool,
}

pub(super) async fn park(
    connection: &mut PgConnection,
    event: &str,
    why: &Parking,
    waits: &Waits,
    account: Option<AccountId>,
    at: TimeMs,
) -> Result<(), LedgerError> {
    sqlx::query(
        "UPDATE stripe_deliveries SET state = 'parked', parked_code = $2, parked_detail = $3, waits_for = $4, \
         is_done_then = $5, account_id = coalesce($6, account_id), applied_at = $7 WHERE event = $1 AND state = 'waiting'",
    )
    .bind(event)
    .bind(&why.code)
    .bind(short(&why.detail))
    .bind(&waits.names)
    .bind(waits.is_done_then)
    .bind(account.map(|account| account.as_uuid()))
    .bind(stamp(at)?)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn postpone(
    connection: &mut PgConnection,
    event: &str,
    until: TimeMs,
    why: &str,
) -> Result<(), LedgerError> {
    sqlx::query("UPDATE stripe_deliveries SET next_at = $2, postponed = $3 WHERE event = $1 AND state = 'waiting'")
        .bind(event)
        .bind(stamp(until)?)
        .bind(short(why))
        .execute(connection)
        .await?;
    Ok(())
}

/// Wakes deliveries that waited for one of these names. Returns their events.
pub(super) async fn wake(
    connection: &mut PgConnection,
    learnt: &[String],
    account: Option<AccountId>,
    at: TimeMs,
) -> Result<Vec<String>, LedgerError> {
    if learnt.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_scalar(include_str!("../../queries/stripe_wake.sql"))
        .bind(learnt)
        .bind(account.map(|account| account.as_uuid()))
        .bind(stamp(at)?)
        .fetch_all(connection)
        .await?)
}

/// A text of others, cut where it gets long, without what Postgres does not store.
fn short(text: &str) -> String {
    text.chars().filter(|letter| *letter != '\0').take(WHY_CHARS_MAX).collect()
}

async fn exists(connection: &mut PgConnection, event: &str) -> Result<(), LedgerError> {
    let found: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM stripe_deliveries WHERE event = $1)")
        .bind(event)
        .fetch_one(connection)
        .await?;
    if found { Ok(()) } else { Err(LedgerError::not_found(Subject::Delivery, &event)) }
}

impl TryFrom<RawDelivery> for StoredDelivery {
    type Error = LedgerError;

    fn try_from(raw: RawDelivery) -> Result<Self, LedgerError> {
        let delivery = Delivery {
            event: raw.event,
            kind: raw.kind,
            api_version: raw.api_version,
            live: raw.live,
            created: time(raw.created_at)?,
            body: raw.body,
        };
        let parked = raw.parked_code.zip(raw.parked_detail);
        Ok(Self {
            delivery,
            state: DeliveryState::try_from(raw.state.as_str())?,
            parked: parked.map(|(code, detail)| Parking { code, detail }),
            attempts: attempts(raw.attempts)?,
            postponed: raw.postponed,
            received_at: time(raw.received_at)?,
            applied_at: maybe_time(raw.applied_at)?,
            account: raw.account_id.map(AccountId::from_uuid),
            next_at: time(raw.next_at)?,
        })
    }
}
