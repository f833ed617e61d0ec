//! The seeded accounts, by name. Other tools rely on the names; `dev/README.md` lists them.

pub struct Account {
    pub name: &'static str,
    pub status: &'static str,
    pub lots: &'static [Lot],
    /// A plan that it buys as anybody does.
    pub plan: Option<Plan>,
    pub budget: Option<u64>,
    /// Priced requests sent through the gateway once, each drawing one credit.
    pub requests: u32,
    pub key_revoked: bool,
    /// How often its key may be used, as the operators' command writes it.
    pub rate: Option<&'static str>,
}

impl Account {
    /// What it has before it spends any.
    pub fn credits(&self) -> u64 {
        let plan = self.plan.iter().map(|plan| plan.credits);
        self.lots.iter().map(|lot| lot.credits).chain(plan).sum()
    }
}

pub struct Lot {
    pub credits: u64,
    pub expires_in: &'static str,
    pub product: &'static str,
}

pub struct Plan {
    pub code: &'static str,
    /// What the first payment grants, as `config/plans.toml` has it.
    pub credits: u64,
}

const fn lot(credits: u64, expires_in: &'static str, product: &'static str) -> Lot {
    Lot { credits, expires_in, product }
}

const TEAM: &[Lot] = &[lot(1_000, "30d", "team")];

/// An account in a status, with a thousand credits that it may or may not spend.
const fn plain(name: &'static str, status: &'static str) -> Account {
    Account { name, status, lots: TEAM, plan: None, budget: None, requests: 0, key_revoked: false, rate: None }
}

pub const STOCK: &[Account] = &[
    Account {
        // Granted in another order than they expire, so that the burn order shows.
        lots: &[lot(98_000, "365d", "invoice"), lot(1_000, "7d", "welcome")],
        plan: Some(Plan { code: "team", credits: 12_000 }),
        budget: Some(100_000),
        ..plain("active", "active")
    },
    plain("trial", "trial"),
    Account { budget: Some(800), ..plain("approved", "approved") },
    plain("pending", "pending"),
    plain("payment_failed", "payment_failed"),
    plain("suspended", "suspended"),
    Account { lots: &[lot(1, "30d", "team")], requests: 1, ..plain("exhausted", "active") },
    Account { budget: Some(1), requests: 1, ..plain("over_budget", "active") },
    Account { key_revoked: true, ..plain("revoked", "active") },
    // Its people run the installation; it pays for nothing.
    Account { lots: &[], ..plain("operator", "pending") },
    Account { rate: Some("minute=3/1m"), ..plain("rate_limited", "active") },
    // 2^50: no load test empties it.
    Account { lots: &[lot(1 << 50, "365d", "bench")], ..plain("bench", "active") },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The plans that are sold where nobody says otherwise.
    const PLANS: &str = include_str!("../../../../config/plans.toml");

    #[test]
    fn what_is_bought_is_sold_and_grants_as_much() {
        for plan in STOCK.iter().filter_map(|account| account.plan.as_ref()) {
            let sold = PLANS.split("[[plan]]").find(|sold| sold.contains(&format!("code = \"{}\"\n", plan.code)));
            assert!(
                sold.is_some_and(|sold| sold.contains(&format!("\nallowance = {}\n", plan.credits))),
                "{}",
                plan.code
            );
        }
    }

    #[test]
    fn the_first_call_of_the_readme_leaves_what_it_says() {
        let active = STOCK.iter().find(|account| account.name == "active").unwrap();
        let left = format!("credits-remaining: {}\n", active.credits() - 1);
        assert!(include_str!("../../../../README.md").contains(&left), "{left}");
    }
}
