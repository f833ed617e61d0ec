//! `GET /api/billing/plans`: what can be bought.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use payments::PlanKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::list::List;
use crate::api::refused::ReadRefused;
use crate::billing::overview::Overview;
use crate::billing::plans::PlanCard;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// A plan, and whether the account may buy it.
#[derive(Serialize, ToSchema)]
pub struct PlanItem {
    /// Its code, by which it is bought.
    code: String,
    /// What people call it.
    name: String,
    /// `recurring` or `one_off`.
    kind: &'static str,
    /// Credits that each payment grants, shared by chat and API.
    allowance: u64,
    /// In the currency's smallest unit.
    amount: u64,
    /// Three small letters.
    currency: String,
    /// `month`, `year`, …, where Stripe has told; `null` for a pack.
    interval: Option<String>,
    /// Days that a first subscription begins with, without payment.
    trial_days: u32,
    /// Credits that those days grant.
    trial_allowance: u64,
    /// Whether the account has it.
    current: bool,
    /// Why it can't be bought as things stand; `null` = it can.
    why_not: Option<Reason>,
}

/// A reason.
#[derive(Serialize, ToSchema)]
pub struct Reason {
    /// A stable word for programs.
    code: &'static str,
    /// A sentence for people.
    detail: String,
}

/// Every plan, in the order in which the screen shows them.
#[utoipa::path(get, path = "/api/billing/plans", tag = "billing", operation_id = "plans_list",
    responses(ReadRefused, (status = 200, body = List<PlanItem>)))]
pub async fn list(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<List<PlanItem>>, Refusal> {
    let overview = Overview::of(&service, &caller).await?;
    Ok(Json(List { items: overview.plans.into_iter().map(PlanItem::from).collect(), next: None }))
}

impl From<PlanCard> for PlanItem {
    fn from(card: PlanCard) -> Self {
        let kind = if card.plan.kind == PlanKind::Recurring { "recurring" } else { "one_off" };
        let (trial_days, trial_allowance) =
            if card.has_trial { (card.plan.trial_days, card.plan.trial_allowance) } else { (0, 0) };
        Self {
            code: card.plan.code,
            name: card.plan.name,
            kind,
            allowance: card.plan.allowance,
            amount: card.plan.amount,
            currency: card.plan.currency,
            interval: card.interval,
            trial_days,
            trial_allowance,
            current: card.is_current,
            why_not: card.why_not.map(|why| Reason { code: why.code, detail: why.text }),
        }
    }
}
