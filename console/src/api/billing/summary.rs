//! `GET /api/billing`: the account in short.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::Verified;
use serde::Serialize;
use utoipa::ToSchema;

use super::budget::Budget;
use crate::api::refused::ReadRefused;
use crate::billing::balance::Source;
use crate::billing::overview::Overview;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// An account in short.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// The account.
    account: String,
    /// What people call it.
    name: String,
    /// `trial`, `active`, `approved`, `pending`, `payment_failed` or `suspended`.
    status: &'static str,
    /// Credits that chat and API can draw now.
    remaining: u64,
    /// Credits drawn in this period, less given back.
    used: u64,
    /// First instant of the next period.
    resets_at: String,
    /// Whose figures `remaining` and `used` are.
    source: Source,
    /// The monthly budget.
    budget: Budget,
    /// The plan that runs.
    plan: Option<CurrentPlan>,
    /// When book and live balance were last found to agree; `null` = never yet.
    verified: Option<VerifiedTo>,
    /// Why the customer portal can't be opened; `null` = it can.
    portal_off: Option<String>,
}

/// The plan that an account has.
#[derive(Serialize, ToSchema)]
pub struct CurrentPlan {
    /// Its code; `null` where it is none that is sold here.
    code: Option<String>,
    /// What people call it.
    name: Option<String>,
    /// Stripe's word for how the subscription stands: `trialing`, `active`, `past_due`, …
    status: &'static str,
    /// End of the period that is paid.
    period_end: Option<String>,
    /// Whether it ends then.
    cancel_at_period_end: bool,
    /// End of its trial.
    trial_end: Option<String>,
}

/// Up to where an account was verified.
#[derive(Serialize, ToSchema)]
pub struct VerifiedTo {
    /// The account's number of that event.
    seq: u64,
    /// When.
    at: String,
    /// What book and live balance differed by: what differs is not noted as verified.
    difference: u64,
}

/// The account in short: remaining, used, status, budget, plan.
#[utoipa::path(get, path = "/api/billing", tag = "billing", operation_id = "billing_summary",
    responses(ReadRefused, (status = 200, body = Summary)))]
pub async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<Json<Summary>, Refusal> {
    let overview = Overview::of(&service, &caller).await?;
    let plan = overview.subscription.as_ref().map(|subscription| CurrentPlan {
        code: subscription.plan.clone(),
        name: overview.plan_name().map(str::to_owned),
        status: subscription.status.as_str(),
        period_end: subscription.period_end.map(show::machine),
        cancel_at_period_end: subscription.cancel_at_period_end,
        trial_end: subscription.trial_end.map(show::machine),
    });
    let balance = overview.balance;
    Ok(Json(Summary {
        account: overview.view.account.to_string(),
        name: overview.view.name.clone(),
        status: balance.status.as_str(),
        remaining: balance.remaining.get(),
        used: balance.used.get(),
        resets_at: show::machine(balance.resets_at),
        source: balance.source,
        budget: Budget::of(&balance),
        plan,
        verified: overview.verified.map(VerifiedTo::from),
        portal_off: overview.portal_off,
    }))
}

impl From<Verified> for VerifiedTo {
    fn from(verified: Verified) -> Self {
        Self { seq: verified.seq, at: show::machine(verified.at), difference: 0 }
    }
}
