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

#[cfg(test)]
mod tests {
    use metering::TimeMs;
    use serde_json::{Value, json};

    use super::*;
    use crate::read::tests::{ACCOUNT, AS_OF, plans, seen as just_seen, with};

    fn object() -> Value {
        json!({
            "id": "sub_1", "customer": "cus_1", "status": "active", "metadata": { "account": ACCOUNT },
            "latest_invoice": "in_1", "cancel_at_period_end": true, "trial_end": 7,
            "items": { "data": [
                { "price": { "id": "price_of_something_else" }, "current_period_end": 9 },
                { "price": { "id": "price_tollgate_pack" }, "current_period_end": 11 },
                { "price": { "id": "price_tollgate_team" }, "current_period_end": 5 },
            ] },
        })
    }

    fn wanted() -> SubscriptionReport {
        SubscriptionReport {
            subscription: "sub_1".into(),
            customer: Some("cus_1".into()),
            account: Some(ACCOUNT.parse().unwrap()),
            status: SubscriptionStatus::Active,
            was: None,
            invoice: Some("in_1".into()),
            plan: Some("team".into()),
            period_end: Some(TimeMs::new(5_000)),
            cancel_at_period_end: true,
            trial_end: Some(TimeMs::new(7_000)),
            as_of: AS_OF,
        }
    }

    fn told(changes: Value) -> Result<Vec<Effect>, Parking> {
        seen(&just_seen(with(object(), changes)), &plans())
    }

    #[test]
    fn a_subscription_is_told_with_its_plan_and_the_period_of_that() {
        assert_eq!(told(json!({})), Ok(vec![Effect::SubscriptionSeen(wanted())]));
    }

    #[test]
    fn one_of_no_plan_of_ours_is_told_without() {
        let other = json!({ "items": { "data": [{ "price": "price_of_something_else", "current_period_end": 9 }] } });
        let report = SubscriptionReport { plan: None, period_end: Some(TimeMs::new(9_000)), ..wanted() };
        assert_eq!(told(other), Ok(vec![Effect::SubscriptionSeen(report)]));
    }

    #[test]
    fn what_it_was_before_is_told_where_the_event_says_it() {
        let mut changed = just_seen(object());
        changed.previous = json!({ "status": "past_due" });
        let report = SubscriptionReport { was: Some(SubscriptionStatus::PastDue), ..wanted() };
        assert_eq!(seen(&changed, &plans()), Ok(vec![Effect::SubscriptionSeen(report)]));
        for nothing in [json!({}), json!({ "status": "new_word" }), json!({ "status": 5 })] {
            changed.previous = nothing;
            assert_eq!(seen(&changed, &plans()), Ok(vec![Effect::SubscriptionSeen(wanted())]));
        }
    }

    #[test]
    fn a_status_that_nobody_knows_yet_is_parked() {
        assert_eq!(told(json!({ "status": "hibernating" })).unwrap_err().code, "status_unknown");
        assert_eq!(told(json!({ "status": null })).unwrap_err().code, "status_unknown");
        assert_eq!(told(json!({ "metadata": { "account": "x" } })).unwrap_err().code, "account_unknown");
    }

    #[test]
    fn the_end_of_a_trial_is_told_while_it_runs() {
        let told = |changes| trial_ending(&just_seen(with(object(), changes)), &plans()).unwrap();
        let ending = Effect::TrialEnding { subscription: "sub_1".into(), at: TimeMs::new(7_000) };
        let trialing = SubscriptionReport { status: SubscriptionStatus::Trialing, ..wanted() };
        assert_eq!(told(json!({ "status": "trialing" })), [Effect::SubscriptionSeen(trialing), ending]);
        assert_eq!(told(json!({})), [Effect::SubscriptionSeen(wanted())], "it is over already");
        assert_eq!(told(json!({ "status": "trialing", "trial_end": null })).len(), 1);
    }
}
