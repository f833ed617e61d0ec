//! Subscriptions: their status, their plan and their period.

use ledger::stripe::{Effect, Parking, SubscriptionReport, SubscriptionStatus};

use super::{Seen, account};
use crate::objects::{Subscription, time};
use crate::plans::{PlanKind, Plans};

pub(super) fn seen(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let subscription: Subscription = seen.read()?;
    Ok(vec![Effect::SubscriptionSeen(report(seen, &subscription, plans)?)])
}

/// The end of a trial is told some days ahead; what the subscription is like then is told with it.
pub(super) fn trial_ending(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let subscription: Subscription = seen.read()?;
    let report = Effect::SubscriptionSeen(report(seen, &subscription, plans)?);
    let ends = time(subscription.trial_end).filter(|_| subscription.status.as_deref() == Some("trialing"));
    let ending = ends.map(|at| Effect::TrialEnding { subscription: subscription.id, at });
    Ok([report].into_iter().chain(ending).collect())
}

fn report(seen: &Seen, subscription: &Subscription, plans: &Plans) -> Result<SubscriptionReport, Parking> {
    let word = subscription.status.as_deref().unwrap_or_default();
    let status = SubscriptionStatus::from_word(word).ok_or_else(|| {
        Parking::new("status_unknown", format!("{} has a status that this release does not know", subscription.id))
    })?;
    let sold = subscription.items.data.iter().find_map(|item| {
        let plan =
            item.price().and_then(|price| plans.by_price(price)).filter(|plan| plan.kind == PlanKind::Recurring)?;
        Some((item, plan))
    });
    Ok(SubscriptionReport {
        subscription: subscription.id.clone(),
        customer: subscription.customer.clone(),
        account: account(subscription.metadata.as_ref().and_then(|metadata| metadata.account.as_deref()))?,
        status,
        was: seen.previous.get("status").and_then(|was| was.as_str()).and_then(SubscriptionStatus::from_word),
        invoice: subscription.latest_invoice.clone(),
        plan: sold.map(|(_, plan)| plan.code.clone()),
        period_end: time(subscription.period_end(sold.map(|(item, _)| item))),
        cancel_at_period_end: subscription.ends(),
        trial_end: time(subscription.trial_end),
        as_of: seen.as_of,
    })
}
