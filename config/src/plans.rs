//! What can be bought: which price at Stripe gives how many credits, and until when.

mod check;
mod file;

use std::path::Path;

use crate::error::ConfigError;

/// The compiled-in demo plans.
pub const DEMO: &str = include_str!("../plans.toml");

/// A few kilobytes are a long list; what is larger is another file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// One plan that passed every check of this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub code: String,
    pub name: String,
    pub product: String,
    /// `None` = it can't be bought yet.
    pub price: Option<String>,
    pub kind: PlanKind,
    /// In the currency's smallest unit, for one unit.
    pub amount: u64,
    /// Three small letters.
    pub currency: String,
    /// Credits that a payment grants for each unit.
    pub allowance: u64,
    /// 0 = no trial.
    pub trial_days: u32,
    /// Credits that a trial grants; 0 = none.
    pub trial_allowance: u64,
    pub expiry: Expiry,
    pub order: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// A subscription: each paid invoice grants.
    Recurring,
    /// A pack: one payment, one grant.
    OneOff,
}

/// When what a payment granted ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// With the period that was paid.
    PeriodEnd,
    /// So many days after the payment.
    Days(u32),
}

/// Reads a file of plans.
pub fn read(file: &Path) -> Result<Vec<Plan>, ConfigError> {
    let bytes = std::fs::metadata(file).map_err(|error| ConfigError::in_file(file, error))?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ConfigError::in_file(file, format!("has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| ConfigError::in_file(file, error))?;
    parse(&file.display().to_string(), &text)
}

/// Reads plans, in the order in which they are shown. `name` stands before the line in errors.
pub fn parse(name: &str, text: &str) -> Result<Vec<Plan>, ConfigError> {
    check::plans(name, text, &file::parse(name, text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[plan]]\ncode = \"a\"\nname = \"A\"\nproduct = \"prod_a\"\nprice = \"price_a\"\nkind = \"recurring\"\namount = 100\ncurrency = \"usd\"\nallowance = 10\nexpiry = \"period_end\"\norder = 1\n";

    fn refused(text: &str) -> String {
        parse("plans.toml", text).expect_err(text).to_string()
    }

    fn changed(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        refused(&GOOD.replace(from, to))
    }

    fn with(from: &str, to: &str) -> Plan {
        parse("plans.toml", &GOOD.replace(from, to)).expect(to).remove(0)
    }

    #[test]
    fn the_demo_plans_pass_and_are_in_order() {
        let plans = parse("demo", DEMO).unwrap();
        assert_eq!(
            plans.iter().map(|plan| plan.code.as_str()).collect::<Vec<_>>(),
            ["starter", "team", "pack", "scale"]
        );
        assert_eq!((plans[0].trial_days, plans[0].trial_allowance), (14, 100));
        assert_eq!((plans[2].kind, plans[2].expiry), (PlanKind::OneOff, Expiry::Days(365)));
        assert_eq!(plans[3].price, None);
    }

    #[test]
    fn a_plan_is_what_is_written() {
        let plan = parse("plans.toml", GOOD).unwrap().remove(0);
        let wanted = Plan {
            code: "a".into(),
            name: "A".into(),
            product: "prod_a".into(),
            price: Some("price_a".into()),
            kind: PlanKind::Recurring,
            amount: 100,
            currency: "usd".into(),
            allowance: 10,
            trial_days: 0,
            trial_allowance: 0,
            expiry: Expiry::PeriodEnd,
            order: 1,
        };
        assert_eq!(plan, wanted);
    }

    #[test]
    fn no_plan_at_all_is_a_file_too() {
        assert_eq!(parse("plans.toml", "").unwrap(), []);
    }

    #[test]
    fn plans_are_sorted_by_order_and_then_by_code() {
        let plan = |code: &str, order: u32| {
            GOOD.replace("\"a\"", &format!("\"{code}\""))
                .replace("price_a", &format!("price_{code}"))
                .replace("order = 1", &format!("order = {order}"))
        };
        let plans = parse("plans.toml", &[plan("z", 2), plan("y", 1), plan("x", 2)].concat()).unwrap();
        assert_eq!(plans.iter().map(|plan| plan.code.as_str()).collect::<Vec<_>>(), ["y", "x", "z"]);
    }

    #[test]
    fn a_wrong_plan_is_refused_with_file_and_line() {
        for (from, to, line) in [
            ("\"a\"", "\"A\"", 2),
            ("\"a\"", "\"\"", 2),
            ("\"a\"", "\"a b\"", 2),
            ("\"A\"", "\"\"", 3),
            ("\"A\"", "\" A\"", 3),
            ("\"A\"", "\"A\\n\"", 3),
            ("prod_a", "", 4),
            ("prod_a", "price_b", 4),
            ("price_a", "prod_a", 5),
            ("price_a", "price_ a", 5),
            ("\"recurring\"", "\"monthly\"", 6),
            ("amount = 100", "amount = 0", 7),
            ("amount = 100", "amount = -1", 7),
            ("amount = 100", "amount = 1.5", 7),
            ("amount = 100", "amount = 1000000000000", 7),
            ("\"usd\"", "\"USD\"", 8),
            ("\"usd\"", "\"us\"", 8),
            ("\"usd\"", "\"u1d\"", 8),
            ("allowance = 10", "allowance = 0", 9),
            ("allowance = 10", "allowance = 9007199254740992", 9),
            ("\"period_end\"", "\"never\"", 10),
            ("\"period_end\"", "{ days = 0 }", 10),
            ("\"period_end\"", "{ days = 36501 }", 10),
            ("\"period_end\"", "{ weeks = 1 }", 10),
            ("order = 1", "orders = 1", 11),
            ("order = 1", "order = -1", 11),
            ("order = 1", "order = 1\ntrial_allowance = 9007199254740992", 12),
            ("order = 1", "order = 1\ntrial_days = 731", 12),
        ] {
            let error = changed(from, to);
            assert!(error.starts_with(&format!("plans.toml:{line}: ")), "{to}: {error}");
        }
        assert!(changed("\"recurring\"", "\"one_off\"").starts_with("plans.toml:10: "));
        let pack = GOOD.replace("\"recurring\"", "\"one_off\"").replace("\"period_end\"", "{ days = 1 }");
        assert!(refused(&format!("{pack}trial_days = 1\n")).starts_with("plans.toml:12: "));
        assert!(refused("[[plan]]\ncode = \"a\"\n").starts_with("plans.toml:1: missing field"));
    }

    #[test]
    fn what_stands_at_a_limit_is_taken() {
        assert_eq!(with("amount = 100", "amount = 1").amount, 1);
        assert_eq!(with("amount = 100", "amount = 999999999999").amount, 999_999_999_999);
        assert_eq!(with("allowance = 10", "allowance = 9007199254740991").allowance, (1 << 53) - 1);
        assert_eq!(with("allowance = 10", "allowance = 1").allowance, 1);
        assert_eq!(with("\"period_end\"", "{ days = 1 }").expiry, Expiry::Days(1));
        assert_eq!(with("\"period_end\"", "{ days = 36500 }").expiry, Expiry::Days(36_500));
        let trial = with("order = 1", "order = 1\ntrial_days = 730\ntrial_allowance = 9007199254740991");
        assert_eq!((trial.trial_days, trial.trial_allowance), (730, (1 << 53) - 1));
        assert_eq!(with("\"price_a\"", "\"\"").price, None);
        let (code, name) = (format!("\"{}\"", "c".repeat(40)), format!("\"{}\"", "ü".repeat(100)));
        assert_eq!(with("\"a\"", &code).code.len(), 40);
        assert_eq!(with("\"A\"", &name).name.chars().count(), 100);
        assert!(changed("\"a\"", &code.replacen('c', "cc", 1)).starts_with("plans.toml:2: "));
        assert!(changed("\"A\"", &name.replacen('ü', "üü", 1)).starts_with("plans.toml:3: "));
        assert_eq!(with("\"a\"", "\"a-b_9\"").code, "a-b_9");
        let (price, longer) = (format!("price_{}", "p".repeat(249)), format!("price_{}", "p".repeat(250)));
        assert_eq!(with("price_a", &price).price, Some(price));
        assert!(changed("price_a", &longer).starts_with("plans.toml:5: "));
    }

    #[test]
    fn a_plan_twice_or_one_price_for_two_plans_is_refused() {
        assert!(refused(&GOOD.repeat(2)).starts_with("plans.toml:13: a second plan with the code `a`"));
        let second = GOOD.replace("\"a\"", "\"b\"");
        assert!(refused(&format!("{GOOD}{second}")).starts_with("plans.toml:16: the price of plan `a`"));
        let none = |text: &str| text.replace("\"price_a\"", "\"\"");
        assert_eq!(parse("plans.toml", &format!("{}{}", none(GOOD), none(&second))).unwrap().len(), 2);
    }

    #[test]
    fn the_list_has_an_end() {
        let plan = |number: usize| {
            GOOD.replace("\"a\"", &format!("\"a{number}\"")).replace("price_a", &format!("price_{number}"))
        };
        let plans = |count: usize| (0..count).map(plan).collect::<String>();
        assert_eq!(parse("plans.toml", &plans(100)).unwrap().len(), 100);
        assert!(refused(&plans(101)).starts_with("plans.toml:1101: more than 100 plans"), "{}", refused(&plans(101)));
    }

    #[test]
    fn a_file_is_read_from_disk_and_named_in_errors() {
        let file = std::env::temp_dir().join(format!("{}-plans.toml", std::process::id()));
        std::fs::write(&file, GOOD).unwrap();
        assert_eq!(read(&file).unwrap(), parse("", GOOD).unwrap());
        std::fs::write(&file, " ".repeat((1 << 20) + 1)).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("has more than"));
        std::fs::write(&file, "x").unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("plans.toml:1: "));
        std::fs::remove_file(&file).unwrap();
        assert!(read(&file).is_err());
    }
}
