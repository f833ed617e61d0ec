//! What stands on top of the page because somebody has to know it, with the way out.

use metering::Status;

use crate::billing::overview::Overview;
use crate::pages::when::When;
use crate::roles::Roles;

/// One banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// `bad` or `warn`.
    pub tone: &'static str,
    /// What is the matter, in words.
    pub text: &'static str,
    /// Until when, or since when.
    pub when: Option<When>,
    /// What follows from it.
    pub then: String,
    /// Whether the customer portal is the way out, and it can be opened.
    pub portal: bool,
    /// Whether support is.
    pub support: bool,
}

impl Banner {
    fn new(tone: &'static str, text: &'static str, then: impl Into<String>) -> Self {
        Self { tone, text, when: None, then: then.into(), portal: false, support: false }
    }
}

/// All that apply, the worst first.
pub fn of(overview: &Overview, roles: Roles) -> Vec<Banner> {
    let mut banners = Vec::from_iter(of_status(overview, roles));
    if overview.balance.status.may_spend() && overview.balance.remaining.is_zero() {
        let then = "New messages and API calls are refused until credits are granted. Plans and packs are below.";
        banners.push(Banner::new("warn", "There are no credits left.", then));
    }
    banners.extend(of_subscription(overview));
    banners
}

fn of_status(overview: &Overview, roles: Roles) -> Option<Banner> {
    const REFUSED: &str = "New messages and API calls are refused, and draw no credits.";
    match overview.balance.status {
        Status::Trial | Status::Active | Status::Approved => None,
        Status::PaymentFailed => {
            let way = match (&overview.portal_off, roles.manages) {
                (None, _) => "Update the payment details in the customer portal.".to_owned(),
                (Some(_), false) => {
                    "An admin or the billing owner can update the payment details in the customer portal.".to_owned()
                }
                (Some(why), true) => why.clone(),
            };
            let then = format!("{REFUSED} {way} If that is done and access is still blocked, contact support.");
            let portal = overview.portal_off.is_none();
            Some(Banner { portal, support: true, ..Banner::new("bad", "The last payment failed.", then) })
        }
        Status::Suspended => {
            let then = format!("{REFUSED} Contact support to have it looked at.");
            Some(Banner { support: true, ..Banner::new("bad", "This account is suspended.", then) })
        }
        Status::Pending => {
            let then =
                format!("{REFUSED} It is ready after the first payment of a plan, or when an operator approves it.");
            Some(Banner { support: true, ..Banner::new("warn", "This account is not active yet.", then) })
        }
    }
}

/// What is known of the days to come.
fn of_subscription(overview: &Overview) -> Option<Banner> {
    let subscription = overview.subscription.as_ref()?;
    let portal = overview.portal_off.is_none();
    let (trial_end, period_end) = (subscription.trial_end, subscription.period_end);
    if subscription.cancel_at_period_end {
        let then = "Until then everything stays as it is. The plan can be kept in the customer portal.";
        let text = "The plan is cancelled and ends with its period";
        let when = period_end.or(trial_end).map(When::instant);
        return Some(Banner { when, portal, ..Banner::new("warn", text, then) });
    }
    let running = trial_end.filter(|end| *end > overview.now)?;
    let then = "The plan goes on with its first payment then. Payment details are in the customer portal.";
    Some(Banner { when: Some(When::instant(running)), portal, ..Banner::new("warn", "The trial ends", then) })
}

#[cfg(test)]
mod tests {
    use ledger::stripe::{SubscriptionStatus, SubscriptionView};
    use metering::Credits;

    use super::*;
    use crate::billing::balance::Balance;
    use crate::billing::lots::tests::{NOW, view};
    use crate::billing::plans::tests::subscription;

    fn overview(status: Status, subscription: Option<SubscriptionView>, portal_off: Option<&str>) -> Overview {
        let view = view(&[(ledger::LotState::Live, 5)]);
        Overview {
            now: NOW,
            balance: Balance { status, ..Balance::of(&view, None) },
            lots: Vec::new(),
            subscription,
            plans: Vec::new(),
            portal_off: portal_off.map(str::to_owned),
            verified: None,
            view,
        }
    }

    const OWNER: Roles = Roles { manages: true, operates: false };

    #[test]
    fn an_account_that_may_spend_and_has_credits_is_left_in_peace() {
        for status in [Status::Trial, Status::Active, Status::Approved] {
            assert_eq!(of(&overview(status, None, None), OWNER), [], "{status}");
        }
    }

    #[test]
    fn each_state_that_refuses_says_so_with_its_way_out() {
        let failed = of(&overview(Status::PaymentFailed, None, None), OWNER).remove(0);
        assert!(failed.portal && failed.support && failed.then.contains("in the customer portal"), "{failed:?}");
        let member = of(&overview(Status::PaymentFailed, None, Some("no")), Roles::default()).remove(0);
        assert!(!member.portal && member.then.contains("An admin or the billing owner can"), "{member:?}");
        let unwired = of(&overview(Status::PaymentFailed, None, Some("Not configured.")), OWNER).remove(0);
        assert!(!unwired.portal && unwired.then.contains("Not configured."), "{unwired:?}");
        for status in [Status::Suspended, Status::Pending] {
            let banner = of(&overview(status, None, None), OWNER).remove(0);
            assert!(banner.support && banner.then.contains("draw no credits"), "{banner:?}");
        }
    }

    #[test]
    fn an_empty_account_is_told_so_only_where_it_might_spend() {
        let empty = |status| {
            let full = overview(status, None, None);
            of(&Overview { balance: Balance { remaining: Credits::ZERO, ..full.balance }, ..full }, OWNER)
        };
        assert_eq!(empty(Status::Active)[0].text, "There are no credits left.");
        assert!(empty(Status::Suspended).iter().all(|banner| banner.text != "There are no credits left."));
    }

    #[test]
    fn the_end_of_a_trial_and_of_a_cancelled_plan_are_told() {
        let later = NOW.plus_ms(86_400_000);
        let trial =
            SubscriptionView { trial_end: Some(later), ..subscription(SubscriptionStatus::Trialing, "starter") };
        let told = of(&overview(Status::Trial, Some(trial.clone()), None), OWNER);
        assert_eq!((told[0].text, told[0].when.clone()), ("The trial ends", Some(When::instant(later))));
        let over = SubscriptionView { trial_end: Some(NOW), ..trial.clone() };
        assert_eq!(of(&overview(Status::Active, Some(over), None), OWNER), []);
        let cancelled =
            SubscriptionView { cancel_at_period_end: true, period_end: Some(later), trial_end: None, ..trial };
        let told = of(&overview(Status::Active, Some(cancelled), None), OWNER);
        assert_eq!(told[0].when, Some(When::instant(later)));
        assert!(told[0].portal && told.len() == 1);
    }
}
