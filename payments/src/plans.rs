//! The plans that are sold: found by their code and by their price at Stripe.

mod expiry;

use metering::Credits;

pub use config::plans::{Expiry, Plan, PlanKind};
pub use expiry::expires_at;

use config::ConfigError;

/// Every plan, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans(Vec<Plan>);

impl Plans {
    /// Takes plans that the config crate has checked.
    #[must_use]
    pub fn new(plans: Vec<Plan>) -> Self {
        Self(plans)
    }

    /// Reads the plans that the settings name, or those compiled in.
    pub fn read(settings: &config::Stripe) -> Result<Self, ConfigError> {
        settings.read_plans().map(Self)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.iter()
    }

    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&Plan> {
        self.0.iter().find(|plan| plan.code == code)
    }

    #[must_use]
    pub fn by_price(&self, price: &str) -> Option<&Plan> {
        self.0.iter().find(|plan| plan.price.as_deref() == Some(price))
    }

    /// Plans of one product, as monthly and yearly ones.
    pub fn of_product<'a>(&'a self, product: &'a str) -> impl Iterator<Item = &'a Plan> {
        self.0.iter().filter(move |plan| plan.product == product)
    }
}

/// What so many units grant; `None` = more than can be counted.
#[must_use]
pub fn allowance(plan: &Plan, quantity: u64) -> Option<Credits> {
    plan.allowance.checked_mul(quantity).and_then(|credits| Credits::new(credits).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> Plans {
        Plans::new(config::plans::parse("demo", config::plans::DEMO).unwrap())
    }

    #[test]
    fn a_plan_is_found_by_code_price_and_product() {
        let plans = demo();
        assert_eq!(plans.by_code("team").unwrap().name, "Team");
        assert_eq!(plans.by_code("absent"), None);
        assert_eq!(plans.by_price("price_tollgate_pack").unwrap().code, "pack");
        assert_eq!(plans.by_price(""), None, "a plan without a price has not the empty one");
        assert_eq!(plans.of_product("prod_tollgate_team").map(|plan| plan.code.as_str()).collect::<Vec<_>>(), ["team"]);
        assert_eq!(plans.iter().count(), 4);
    }

    #[test]
    fn units_grant_each_and_never_more_than_can_be_counted() {
        let plans = demo();
        let team = plans.by_code("team").unwrap();
        assert_eq!(allowance(team, 3).unwrap().get(), 36_000);
        assert_eq!(allowance(team, 0).unwrap().get(), 0);
        assert_eq!(allowance(team, u64::MAX), None);
        assert_eq!(allowance(team, (1 << 53) / 12_000 + 1), None);
    }
}
