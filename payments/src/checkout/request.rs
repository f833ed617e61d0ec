//! What Stripe is asked for: the fields of a checkout session.

use metering::AccountId;

use crate::plans::{Plan, PlanKind};

/// Where a browser goes after Stripe's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urls {
    /// After paying; Stripe puts the session's id in the place of `{CHECKOUT_SESSION_ID}`.
    pub success: String,
    pub cancel: String,
}

impl Urls {
    #[must_use]
    pub fn of(settings: &config::Stripe) -> Self {
        Self { success: settings.success_url.clone(), cancel: settings.cancel_url.clone() }
    }
}

/// One unit of a plan, for an account.
pub(super) struct Asked<'a> {
    pub plan: &'a Plan,
    pub price: &'a str,
    pub account: AccountId,
    pub customer: &'a str,
    /// 0 = none.
    pub trial_days: u32,
    pub urls: &'a Urls,
}

impl Asked<'_> {
    /// What its payer pays now.
    pub fn amount(&self) -> u64 {
        if self.trial_days > 0 { 0 } else { self.plan.amount }
    }

    /// Account and plan stand on the session, and on what it makes: a later delivery may be about that alone.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let account = self.account.to_string();
        let mut fields = vec![
            ("customer", self.customer.to_owned()),
            ("client_reference_id", account.clone()),
            ("metadata[account]", account.clone()),
            ("metadata[plan]", self.plan.code.clone()),
            ("line_items[0][price]", self.price.to_owned()),
            ("line_items[0][quantity]", "1".to_owned()),
            ("success_url", self.urls.success.clone()),
            ("cancel_url", self.urls.cancel.clone()),
        ];
        fields.extend(match self.plan.kind {
            PlanKind::Recurring => vec![
                ("mode", "subscription".to_owned()),
                ("subscription_data[metadata][account]", account),
                ("subscription_data[metadata][plan]", self.plan.code.clone()),
            ],
            PlanKind::OneOff => vec![
                ("mode", "payment".to_owned()),
                ("payment_intent_data[metadata][account]", account),
                ("payment_intent_data[metadata][plan]", self.plan.code.clone()),
            ],
        });
        if self.trial_days > 0 {
            fields.push(("subscription_data[trial_period_days]", self.trial_days.to_string()));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::Plans;

    const ACCOUNT: &str = "acct_00000000000000000000000000000001";

    fn fields(code: &str, trial_days: u32) -> (u64, Vec<(&'static str, String)>) {
        let plans = Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap());
        let urls = Urls { success: "https://a/ok".to_owned(), cancel: "https://a/no".to_owned() };
        let plan = plans.by_code(code).unwrap();
        let account = ACCOUNT.parse().unwrap();
        let asked = Asked { plan, price: "price_1", account, customer: "cus_1", trial_days, urls: &urls };
        (asked.amount(), asked.fields())
    }

    fn shared(code: &'static str) -> Vec<(&'static str, &'static str)> {
        vec![
            ("customer", "cus_1"),
            ("client_reference_id", ACCOUNT),
            ("metadata[account]", ACCOUNT),
            ("metadata[plan]", code),
            ("line_items[0][price]", "price_1"),
            ("line_items[0][quantity]", "1"),
            ("success_url", "https://a/ok"),
            ("cancel_url", "https://a/no"),
        ]
    }

    fn assert_asked(found: (u64, Vec<(&'static str, String)>), amount: u64, code: &'static str, more: &[(&str, &str)]) {
        let wanted: Vec<_> = shared(code).into_iter().chain(more.iter().copied()).collect();
        let (asked, fields) = found;
        assert_eq!(fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), wanted);
        assert_eq!(asked, amount);
    }

    #[test]
    fn a_subscription_carries_the_account_and_the_plan() {
        let more = [
            ("mode", "subscription"),
            ("subscription_data[metadata][account]", ACCOUNT),
            ("subscription_data[metadata][plan]", "starter"),
        ];
        assert_asked(fields("starter", 0), 1_900, "starter", &more);
        let trial = [&more[..], &[("subscription_data[trial_period_days]", "14")]].concat();
        assert_asked(fields("starter", 14), 0, "starter", &trial);
    }

    #[test]
    fn a_pack_is_one_payment() {
        let more = [
            ("mode", "payment"),
            ("payment_intent_data[metadata][account]", ACCOUNT),
            ("payment_intent_data[metadata][plan]", "pack"),
        ];
        assert_asked(fields("pack", 0), 2_500, "pack", &more);
    }
}
