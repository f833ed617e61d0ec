//! Requests that gateways have refused, with the numbers that caused it.

use metering::{AccountId, Credits, KeyId, OpId, TimeMs};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::{Stamp, credits, stamp, time};
use crate::{Ledger, LedgerError};

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The request, as its answer named it.
    pub request: OpId,
    /// Whose it was, as far as the checks came.
    pub account: Option<AccountId>,
    /// The key it came with.
    pub key: Option<KeyId>,
    /// The route; `None` where none was found.
    pub route: Option<String>,
    /// The stable name of the rejection.
    pub code: String,
    /// What it would have drawn, where that was among the numbers.
    pub price: Option<Credits>,
    /// The numbers, by the names that the answer had for them.
    pub detail: Value,
    /// Which gateway refused it.
    pub gateway: String,
    /// When the request began, by that gateway's clock.
    pub at: TimeMs,
}

#[derive(FromRow)]
struct RawRefusal {
    request_id: Uuid,
    account_id: Option<Uuid>,
    key_id: Option<Uuid>,
    route: Option<String>,
    code: String,
    price: Option<i64>,
    detail: Value,
    gateway: String,
    refused_at: Stamp,
}

impl Ledger {
    /// A refused request, while it is kept; `None` where no gateway's journal says that it was refused.
    pub async fn refusal(&self, request: OpId) -> Result<Option<Refusal>, LedgerError> {
        let raw: Option<RawRefusal> = sqlx::query_as(
            "SELECT request_id, account_id, key_id, route, code, price, detail, gateway, refused_at FROM refusals WHERE request_id = $1",
        )
        .bind(request.as_uuid())
        .fetch_optional(&self.pool)
        .await?;
        raw.map(Refusal::try_from).transpose()
    }

    /// Forgets refused requests from before `before`, at most `limit` of them; answers how many.
    pub async fn forget_refusals(&self, before: TimeMs, limit: u32) -> Result<u64, LedgerError> {
        let forgotten = sqlx::query(
            "DELETE FROM refusals WHERE request_id IN (SELECT request_id FROM refusals WHERE refused_at < $1 LIMIT $2)",
        )
        .bind(stamp(before)?)
        .bind(i64::from(limit))
        .execute(&self.pool)
        .await?;
        Ok(forgotten.rows_affected())
    }
}

impl TryFrom<RawRefusal> for Refusal {
    type Error = LedgerError;

    fn try_from(raw: RawRefusal) -> Result<Self, LedgerError> {
        Ok(Self {
            request: OpId::from_uuid(raw.request_id),
            account: raw.account_id.map(AccountId::from_uuid),
            key: raw.key_id.map(KeyId::from_uuid),
            route: raw.route,
            code: raw.code,
            price: raw.price.map(credits).transpose()?,
            detail: raw.detail,
            gateway: raw.gateway,
            at: time(raw.refused_at)?,
        })
    }
}
