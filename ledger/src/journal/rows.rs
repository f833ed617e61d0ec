//! Records as statements take them: one array a column.

use metering::journal::{DebitDrawn, DebitEnded, Refused};
use serde_json::Value;
use uuid::Uuid;

use crate::LedgerError;
use crate::columns::{Stamp, bigint, stamp};

#[derive(Default)]
pub(super) struct DrawnRows {
    pub ops: Vec<Uuid>,
    pub accounts: Vec<Uuid>,
    pub incarnations: Vec<i64>,
    pub sequences: Vec<i64>,
    pub credits: Vec<i64>,
    pub at: Vec<Stamp>,
}

impl DrawnRows {
    pub fn push(&mut self, drawn: &DebitDrawn) -> Result<(), LedgerError> {
        self.ops.push(drawn.op.as_uuid());
        self.accounts.push(drawn.account.as_uuid());
        self.incarnations.push(bigint(drawn.event.incarnation)?);
        self.sequences.push(bigint(drawn.event.sequence)?);
        self.credits.push(drawn.credits.into());
        self.at.push(stamp(drawn.at)?);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct EndedRows {
    pub ops: Vec<Uuid>,
    pub accounts: Vec<Uuid>,
    pub kept: Vec<i64>,
    pub statuses: Vec<Option<i16>>,
    pub bytes: Vec<i64>,
    pub ms: Vec<i64>,
}

impl EndedRows {
    pub fn push(&mut self, ended: &DebitEnded) -> Result<(), LedgerError> {
        self.ops.push(ended.op.as_uuid());
        self.accounts.push(ended.account.as_uuid());
        self.kept.push(ended.kept.into());
        self.statuses.push(ended.upstream_status.and_then(|status| i16::try_from(status).ok()));
        self.bytes.push(bigint(ended.answer_bytes)?);
        self.ms.push(bigint(ended.duration_ms)?);
        Ok(())
    }
}

/// Ends that the book must hear of by an event of their own: a give-back, or what a hold came to.
#[derive(Default)]
pub(super) struct ReturnRows {
    pub ops: Vec<Uuid>,
    pub accounts: Vec<Uuid>,
    pub incarnations: Vec<i64>,
    pub sequences: Vec<i64>,
    pub kept: Vec<i64>,
    pub drawn_at: Vec<Stamp>,
    pub ended_at: Vec<Stamp>,
}

impl ReturnRows {
    pub fn push(&mut self, ended: &DebitEnded) -> Result<(), LedgerError> {
        self.ops.push(ended.op.as_uuid());
        self.accounts.push(ended.account.as_uuid());
        self.incarnations.push(bigint(ended.event.incarnation)?);
        self.sequences.push(bigint(ended.event.sequence)?);
        self.kept.push(ended.kept.into());
        self.drawn_at.push(stamp(ended.at.minus_ms(ended.duration_ms))?);
        self.ended_at.push(stamp(ended.at)?);
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct RefusedRows {
    pub requests: Vec<Uuid>,
    pub accounts: Vec<Option<Uuid>>,
    pub keys: Vec<Option<Uuid>>,
    pub routes: Vec<Option<String>>,
    pub codes: Vec<String>,
    pub prices: Vec<Option<i64>>,
    pub details: Vec<Value>,
    pub at: Vec<Stamp>,
}

impl RefusedRows {
    pub fn push(&mut self, refused: &Refused) -> Result<(), LedgerError> {
        self.requests.push(refused.request.as_uuid());
        self.accounts.push(refused.account.map(|account| account.as_uuid()));
        self.keys.push(refused.key.map(|key| key.as_uuid()));
        self.routes.push(refused.route.clone());
        self.codes.push(refused.code.clone());
        self.prices.push(refused.price.map(Into::into));
        self.details.push(refused.detail.clone());
        self.at.push(stamp(refused.at)?);
        Ok(())
    }
}
