//! `GET /api/operator/accounts/{account}`: an account in short, and its receipts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::ReceiptLine;
use ledger::stripe::SubscriptionView;
use metering::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

use super::refused::OperatorReadRefused;
use crate::api::billing::budget::Budget;
use crate::api::billing::receipts::ReceiptItem;
use crate::api::billing::summary::VerifiedTo;
use crate::api::list::{List, ListQuery};
use crate::billing::balance::Source;
use crate::caller::Operator;
use crate::input::{self, Path, Query};
use crate::operator::account::Whole;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::show;

/// An account as operators see it. Its lots, receipts, deliveries, mails and activity have lists of their own.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Account {
    /// The account.
    account: String,
    /// What people call it.
    name: String,
    /// Where its mails go.
    email: Option<String>,
    /// When it was made.
    created_at: String,
    /// `trial`, `active`, `approved`, `pending`, `payment_failed` or `suspended`.
    status: &'static str,
    /// Credits that can be drawn.
    remaining: u64,
    /// Credits drawn in this period, less given back.
    used: u64,
    /// Whose figures these are.
    source: Source,
    /// The monthly budget.
    budget: Budget,
    /// Number of its last event in the book.
    seq: u64,
    /// Version of the last change told to live state.
    control_version: u64,
    /// Changes on their way to live state.
    undelivered: u64,
    /// Credits that live state drew and the lots of the book did not have; 0 unless something went wrong.
    overdraft: u64,
    /// Open dead letters of it.
    dead_letters: usize,
    /// When book and live balance were last found to agree; `null` = never yet.
    verified: Option<VerifiedTo>,
    /// The customer that it is at Stripe.
    stripe_customer: Option<String>,
    /// Its subscriptions, over or not.
    subscriptions: Vec<Subscription>,
    /// What it is told by mail, and where.
    notices: Notices,
}

/// A subscription as the book has it.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the field is what the word means in the API")]
pub struct Subscription {
    /// Stripe's id.
    subscription: String,
    /// Code of its plan.
    plan: Option<String>,
    /// Stripe's word for how it stands.
    status: &'static str,
    /// End of the period that runs.
    period_end: Option<String>,
    /// Whether it ends with that period.
    cancel_at_period_end: bool,
    /// When that was so.
    as_of: String,
}

/// What an account has chosen to be told.
#[derive(Serialize, ToSchema)]
pub struct Notices {
    /// That its credits run low.
    low_balance: bool,
    /// Of its plan, its payments and its grants.
    lifecycle: bool,
    /// Where to; empty = the address of the mail itself, else that of the account.
    recipients: Vec<String>,
}

/// An account.
#[utoipa::path(get, path = "/api/operator/accounts/{account}", tag = "operator", operation_id = "operator_account",
    params(("account" = String, Path)), responses(OperatorReadRefused, (status = 200, body = Account)))]
pub async fn show(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(account): Path<AccountId>,
) -> Result<Json<Account>, Refusal> {
    Ok(Json(Account::from(Whole::of(&service, account).await?)))
}

/// Its debits, latest first.
#[utoipa::path(get, path = "/api/operator/accounts/{account}/receipts", tag = "operator", operation_id = "operator_account_receipts",
    params(("account" = String, Path), ListQuery), responses(OperatorReadRefused, (status = 200, body = List<ReceiptItem>)))]
pub async fn receipts(
    State(service): State<Arc<Service>>,
    _operator: Operator,
    Path(account): Path<AccountId>,
    Query(asked): Query<ListQuery>,
) -> Result<Json<List<ReceiptItem>>, Refusal> {
    let limit = input::limit_of_read(asked.limit)?;
    let after = input::read("after", asked.after.as_deref())?;
    service.book.account_view(account, service.clock.now()).await?;
    let lines = service.book.receipt_lines(account, after, limit + 1).await?;
    Ok(Json(List::of(lines, limit, |line: &ReceiptLine| line.cursor().to_string(), ReceiptItem::from)))
}

impl From<Whole> for Account {
    fn from(whole: Whole) -> Self {
        let Whole { view, balance, .. } = &whole;
        Self {
            account: view.account.to_string(),
            name: view.name.clone(),
            email: view.email.clone(),
            created_at: show::machine(view.created_at),
            status: view.status.as_str(),
            remaining: balance.remaining.get(),
            used: balance.used.get(),
            source: balance.source,
            budget: Budget::of(balance),
            seq: view.seq,
            control_version: view.control_version,
            undelivered: view.undelivered,
            overdraft: view.overdraft.get(),
            dead_letters: whole.letters.len(),
            verified: whole.verified.map(VerifiedTo::from),
            subscriptions: whole.subscriptions.iter().map(Subscription::from).collect(),
            notices: Notices {
                low_balance: whole.notices.low_balance,
                lifecycle: whole.notices.lifecycle,
                recipients: whole.notices.recipients.clone(),
            },
            stripe_customer: whole.customer,
        }
    }
}

impl From<&SubscriptionView> for Subscription {
    fn from(view: &SubscriptionView) -> Self {
        Self {
            subscription: view.subscription.clone(),
            plan: view.plan.clone(),
            status: view.status.as_str(),
            period_end: view.period_end.map(show::machine),
            cancel_at_period_end: view.cancel_at_period_end,
            as_of: show::machine(view.as_of),
        }
    }
}
