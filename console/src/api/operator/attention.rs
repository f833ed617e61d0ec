//! `GET /api/operator/attention`: what waits for somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::refused::OperatorReadRefused;
use crate::caller::Operator;
use crate::operator::attention_since;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// How many things of each kind wait for an operator; each is counted up to 1000.
#[derive(Serialize, ToSchema)]
pub struct Attention {
    /// Since when mails and incidents count.
    since: String,
    /// Events that could not be applied.
    dead_letters: u64,
    /// Decisions about such that the owner of the shard has not carried out.
    decisions: u64,
    /// Deliveries of Stripe that could not be applied.
    parked_deliveries: u64,
    /// Mails that were given up.
    mails_failed: u64,
    /// Mails that an address did not take.
    mails_bounced: u64,
    /// Mails whose recipient does not want them.
    mails_complained: u64,
    /// Mails that may have arrived or not.
    mails_unknown: u64,
    /// Rebuilds of live state and what else went wrong; that a shard's first live state was made is none.
    incidents: u64,
}

/// What waits for somebody.
#[utoipa::path(get, path = "/api/operator/attention", tag = "operator", operation_id = "operator_attention",
    responses(OperatorReadRefused, (status = 200, body = Attention)))]
pub async fn show(State(service): State<Arc<Service>>, _operator: Operator) -> Result<Json<Attention>, Refusal> {
    let since = attention_since(service.clock.now());
    let found = service.book.attention(since).await?;
    Ok(Json(Attention {
        since: show::machine(since),
        dead_letters: found.dead_letters,
        decisions: found.decisions,
        parked_deliveries: found.deliveries,
        mails_failed: found.mails_failed,
        mails_bounced: found.mails_bounced,
        mails_complained: found.mails_complained,
        mails_unknown: found.mails_unknown,
        incidents: found.incidents,
    }))
}
