//! Reports of subscriptions, from the subscription itself or an invoice of it. All are kept; after each, what stands is worked out.

use metering::{AccountId, TimeMs};
use serde_json::json;
use sqlx::FromRow;

use super::effect::{InvoiceFailure, Payment, SubscriptionReport, SubscriptionStatus};
use super::order::{Report, standing};
use super::views::MailKind;
use super::work::{Stop, Work};
use crate::LedgerError;
use crate::columns::{Stamp, stamp, time};

/// A report as it is kept.
pub(super) struct Said<'a> {
    source: &'static str,
    subscription: &'a str,
    as_of: TimeMs,
    status: SubscriptionStatus,
    was: Option<SubscriptionStatus>,
    invoice: Option<&'a str>,
    plan: Option<&'a str>,
    period_end: Option<TimeMs>,
    cancel_at_period_end: bool,
    trial_end: Option<TimeMs>,
}

impl<'a> Said<'a> {
    fn seen(report: &'a SubscriptionReport) -> Self {
        Self {
            source: "subscription",
            subscription: &report.subscription,
            as_of: report.as_of,
            status: report.status,
            was: report.was,
            invoice: report.invoice.as_deref(),
            plan: report.plan.as_deref(),
            period_end: report.period_end,
            cancel_at_period_end: report.cancel_at_period_end,
            trial_end: report.trial_end,
        }
    }

    /// A paid invoice says that its subscription was active; one of nothing, as a trial's, does not.
    pub(super) fn paid(payment: &'a Payment) -> Option<Self> {
        let subscription = payment.subscription.as_deref().filter(|_| payment.amount > 0)?;
        Some(Self {
            source: "invoice_paid",
            subscription,
            as_of: payment.paid_at,
            status: SubscriptionStatus::Active,
            was: None,
            invoice: Some(&payment.payment),
            plan: Some(&payment.plan),
            period_end: payment.period_end,
            cancel_at_period_end: false,
            trial_end: None,
        })
    }

    fn failed(failure: &'a InvoiceFailure, subscription: &'a str) -> Self {
        Self {
            source: "invoice_failed",
            subscription,
            as_of: failure.as_of,
            status: SubscriptionStatus::PastDue,
            was: None,
            invoice: Some(&failure.invoice),
            plan: None,
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
        }
    }
}

#[derive(FromRow)]
struct RawReport {
    as_of: Stamp,
    status: String,
    was: String,
    invoice_is_paid: bool,
}

impl Work<'_> {
    pub(super) async fn subscription_seen(&mut self, report: &SubscriptionReport) -> Result<(), Stop> {
        let names = [Some(report.subscription.as_str()), report.customer.as_deref()];
        let account = self.account_of(&names, report.account).await?;
        if let Some(customer) = &report.customer {
            self.link(customer, account).await?;
        }
        self.said(&Said::seen(report), report.customer.as_deref(), account).await
    }

    pub(super) async fn invoice_failed(&mut self, failure: &InvoiceFailure) -> Result<(), Stop> {
        let names = [failure.subscription.as_deref(), failure.customer.as_deref()];
        let account = self.account_of(&names, failure.account).await?;
        self.touched.insert(account);
        if failure.action_required {
            let detail = json!({ "invoice": failure.invoice });
            return self.mail(account, MailKind::ActionRequired, detail).await;
        }
        match &failure.subscription {
            Some(subscription) if !failure.first => {
                self.said(&Said::failed(failure, subscription), failure.customer.as_deref(), account).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn trial_ending(&mut self, subscription: &str, at: TimeMs) -> Result<(), Stop> {
        let account = self.account_of(&[Some(subscription)], None).await?;
        self.mail(account, MailKind::TrialEnding, json!({ "trial_end": at })).await
    }

    /// Keeps a report and works out how its subscription stands.
    pub(super) async fn said(
        &mut self,
        said: &Said<'_>,
        customer: Option<&str>,
        account: AccountId,
    ) -> Result<(), Stop> {
        sqlx::query(include_str!("../../queries/stripe_report.sql"))
            .bind(said.subscription)
            .bind(stamp(said.as_of)?)
            .bind(said.source)
            .bind(said.status.as_str())
            .bind(said.was.map_or("", SubscriptionStatus::as_str))
            .bind(said.invoice)
            .bind(said.plan)
            .bind(said.period_end.map(stamp).transpose()?)
            .bind(said.cancel_at_period_end)
            .bind(said.trial_end.map(stamp).transpose()?)
            .execute(&mut *self.connection)
            .await?;
        self.touched.insert(account);
        let reports = self.reports(said.subscription).await?;
        let Some(stands) = standing(&reports) else { return Ok(()) };
        let live: Vec<&str> =
            SubscriptionStatus::ALL.iter().filter(|one| one.is_live()).map(|one| one.as_str()).collect();
        sqlx::query(include_str!("../../queries/stripe_stand_subscription.sql"))
            .bind(said.subscription)
            .bind(account.as_uuid())
            .bind(customer)
            .bind(stands.status.as_str())
            .bind(stamp(stands.as_of)?)
            .bind(&live)
            .execute(&mut *self.connection)
            .await?;
        self.learnt.push(said.subscription.to_owned());
        Ok(())
    }

    async fn reports(&mut self, subscription: &str) -> Result<Vec<Report>, Stop> {
        let rows: Vec<RawReport> = sqlx::query_as(include_str!("../../queries/stripe_reports.sql"))
            .bind(subscription)
            .fetch_all(&mut *self.connection)
            .await?;
        Ok(rows.into_iter().map(Report::try_from).collect::<Result<_, _>>()?)
    }
}

impl TryFrom<RawReport> for Report {
    type Error = LedgerError;

    fn try_from(raw: RawReport) -> Result<Self, LedgerError> {
        let was = if raw.was.is_empty() { None } else { Some(SubscriptionStatus::try_from(raw.was.as_str())?) };
        Ok(Self {
            as_of: time(raw.as_of)?,
            status: SubscriptionStatus::try_from(raw.status.as_str())?,
            was,
            invoice_is_paid: raw.invoice_is_paid,
        })
    }
}
