//! Deliveries of Stripe's, and what is decided about them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::By;
use ledger::stripe::{DeliveryFilter, StoredDelivery};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::refused::OperatorReadRefused;
use super::{Why, reason};
use crate::api::list::List;
use crate::api::refused::WriteRefused;
use crate::caller::{Caller, Operator};
use crate::input::{self, Path, Query};
use crate::operator::deliveries::{cursor, delivery, kind, place, state};
use crate::operator::plain;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// More than one delivery ever changes.
const CHANGES_MAX: u32 = 1_000;

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    /// In this state alone: `waiting`, `applied`, `ignored`, `parked` or `resolved`.
    state: Option<String>,
    /// Of this type alone, as `invoice.paid`.
    kind: Option<String>,
    /// About this account alone.
    account: Option<String>,
    /// `next` of the page before; without, the first page.
    after: Option<String>,
    /// How many at most: 1 to 200, 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Stripe's id of the event.
    event: String,
    /// Its type, as `invoice.paid`.
    kind: String,
    /// `waiting`, `applied`, `ignored`, `parked` or `resolved`.
    state: &'static str,
    /// Whether it is of live mode.
    live: bool,
    /// The API version whose shapes its object has.
    api_version: Option<String>,
    /// When it happened, by Stripe's clock.
    created_at: String,
    /// When it came.
    received_at: String,
    /// When it was applied, ignored, parked or resolved.
    ended_at: Option<String>,
    /// Why it is parked, as a stable word.
    parked_code: Option<String>,
    /// The same for people.
    parked_detail: Option<String>,
    /// Why it was put off the last time.
    postponed: Option<String>,
    /// How often it was claimed.
    attempts: u32,
    /// Whom it was about, once that is known.
    account: Option<String>,
}

/// A delivery with its body and what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeDelivery {
    #[serde(flatten)]
    delivery: Delivery,
    /// Its body in its lines; what is no plain text is written out.
    body: String,
    /// What it changed and what was decided about it, oldest first.
    changes: Vec<DeliveryChanged>,
}

/// One change because of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryChanged {
    /// When.
    at: String,
    /// Who: `stripe`, or an operator.
    actor: String,
    /// What, as `lot_granted`.
    what: String,
    /// Whose account.
    account: Option<String>,
    /// What it was about.
    subject: Option<String>,
    /// Why.
    reason: String,
    /// What was so before.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What is so since.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

/// A decision about a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryDecided {
    /// The event.
    event: String,
    /// Its state now.
    state: &'static str,
}

/// Deliveries, latest first.
#[utoipa::path(get, path = "/api/operator/deliveries", tag = "operator", operation_id = "operator_deliveries", params(DeliveriesQuery),
    responses(OperatorReadRefused, (status = 200, body = List<Delivery>)))]
pub async fn list(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Query(asked): Query<DeliveriesQuery>,
) -> Result<Json<List<Delivery>>, Refusal> {
    let limit = input::limit(asked.limit)?;
    let filter = DeliveryFilter {
        state: state(asked.state.as_deref().unwrap_or_default())?,
        kind: asked.kind.as_deref().map(kind).transpose()?,
        account: input::account(asked.account.as_deref())?,
        before: cursor(asked.after.as_deref())?,
        limit: limit + 1,
    };
    let found = service.book.deliveries(&filter).await?;
    Ok(Json(List::of(found, limit, place, |stored| Delivery::from(&stored))))
}

/// One delivery, whole.
#[utoipa::path(get, path = "/api/operator/deliveries/{event}", tag = "operator", operation_id = "operator_delivery",
    params(("event" = String, Path)), responses(OperatorReadRefused, (status = 200, body = WholeDelivery)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(event): Path<String>,
) -> Result<Json<WholeDelivery>, Refusal> {
    let stored = delivery(&service, event).await?;
    let changes = service.book.delivery_changes(&stored, CHANGES_MAX).await?;
    let shown = |change: ledger::stripe::DeliveryChange| DeliveryChanged {
        at: show::machine(change.at),
        actor: change.actor,
        what: change.action,
        account: change.account.map(|account| account.to_string()),
        subject: change.subject,
        reason: change.reason,
        before: change.before,
        after: change.after,
    };
    Ok(Json(WholeDelivery {
        delivery: Delivery::from(&stored),
        body: plain::body(&stored.delivery.body),
        changes: changes.into_iter().map(shown).collect(),
    }))
}

/// Has a delivery applied again from its stored bytes. What is in the book already changes nothing.
#[utoipa::path(post, path = "/api/operator/deliveries/{event}/replay", tag = "operator", operation_id = "operator_delivery_replay",
    params(("event" = String, Path)), request_body = Why, responses(WriteRefused, (status = 200, body = DeliveryDecided)))]
pub async fn replay(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(event): Path<String>,
    input::Json(asked): input::Json<Why>,
) -> Result<Json<DeliveryDecided>, Refusal> {
    let (event, by) = read(&service, &caller, event, &asked).await?;
    service.book.replay_delivery(&event, &by).await?;
    Ok(Json(DeliveryDecided { event, state: "waiting" }))
}

/// Says that nothing is to be done about a parked delivery.
#[utoipa::path(post, path = "/api/operator/deliveries/{event}/resolve", tag = "operator", operation_id = "operator_delivery_resolve",
    params(("event" = String, Path)), request_body = Why, responses(WriteRefused, (status = 200, body = DeliveryDecided)))]
pub async fn resolve(
    State(service): State<Arc<Service>>,
    Operator(caller): Operator,
    Path(event): Path<String>,
    input::Json(asked): input::Json<Why>,
) -> Result<Json<DeliveryDecided>, Refusal> {
    let (event, by) = read(&service, &caller, event, &asked).await?;
    service.book.resolve_delivery(&event, &by).await?;
    Ok(Json(DeliveryDecided { event, state: "resolved" }))
}

/// Which delivery is decided about, and by whom.
async fn read(service: &Service, caller: &Caller, event: String, asked: &Why) -> Result<(String, By), Refusal> {
    let by = reason(&asked.reason)?.by(service, caller);
    Ok((delivery(service, event).await?.delivery.event, by))
}

impl From<&StoredDelivery> for Delivery {
    fn from(stored: &StoredDelivery) -> Self {
        let delivery = &stored.delivery;
        Self {
            event: delivery.event.clone(),
            kind: delivery.kind.clone(),
            state: stored.state.as_str(),
            live: delivery.live,
            api_version: delivery.api_version.clone(),
            created_at: show::machine(delivery.created),
            received_at: show::machine(stored.received_at),
            ended_at: stored.applied_at.map(show::machine),
            parked_code: stored.parked.as_ref().map(|parked| parked.code.clone()),
            parked_detail: stored.parked.as_ref().map(|parked| parked.detail.clone()),
            postponed: stored.postponed.clone(),
            attempts: stored.attempts,
            account: stored.account.map(|account| account.to_string()),
        }
    }
}
