//! The card of the monthly budget.

use crate::billing::balance::Balance;
use crate::billing::budget::{PRESETS, preset_name, why_off};
use crate::pages::when::When;
use crate::roles::Roles;
use crate::show;

/// What the card shows.
pub struct BudgetCard {
    pub used: String,
    /// `No cap`, or the cap in words.
    pub limit: String,
    pub resets: When,
    pub percent: u64,
    pub has_cap: bool,
    pub is_used_up: bool,
    /// Why the controls are off.
    pub off: Option<&'static str>,
    pub presets: Vec<Preset>,
    /// What stands in the field.
    pub field: String,
    /// What is wrong with it.
    pub wrong: Option<String>,
    /// The limit that this page shows: another one is not overwritten.
    pub seen: u64,
}

/// One preset.
pub struct Preset {
    pub limit: u64,
    pub name: String,
    pub is_set: bool,
}

/// What somebody typed, and what is wrong with it.
pub struct Typed {
    pub text: String,
    pub wrong: String,
}

impl BudgetCard {
    pub fn of(balance: &Balance, roles: Roles, typed: Option<Typed>) -> Self {
        let limit = balance.limit.get();
        let (field, wrong) = match typed {
            Some(typed) => (typed.text, Some(typed.wrong)),
            None => (limit.to_string(), None),
        };
        let preset = |value: u64| Preset { limit: value, name: preset_name(value), is_set: value == limit };
        Self {
            used: show::credits_in_words(balance.used),
            limit: show::cap(balance.limit),
            resets: When::day(balance.resets_at),
            percent: balance.percent(),
            has_cap: limit > 0,
            is_used_up: balance.is_budget_used_up(),
            off: why_off(balance.status, roles),
            presets: PRESETS.map(preset).into(),
            field,
            wrong,
            seen: limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use metering::Credits;

    use super::*;
    use crate::billing::lots::tests::{credits, view};

    #[test]
    fn no_cap_is_a_word_and_a_bar_without_anything() {
        let roles = Roles { manages: true, operates: false };
        let of = |limit| {
            let balance = Balance { limit, ..Balance::of(&view(&[]), None) };
            BudgetCard::of(&balance, roles, None)
        };
        let none = of(Credits::ZERO);
        assert_eq!((none.limit.as_str(), none.percent, none.has_cap, none.field.as_str()), ("No cap", 0, false, "0"));
        assert!(none.presets[0].is_set && none.presets.iter().filter(|preset| preset.is_set).count() == 1);
        let forty = of(credits(40));
        assert_eq!((forty.limit.as_str(), forty.percent, forty.seen), ("40 credits", 7, 40));
        let odd = of(credits(41));
        assert!(odd.presets.iter().all(|preset| !preset.is_set));
    }

    #[test]
    fn what_was_typed_wrong_stands_there_as_typed() {
        let typed = Typed { text: "<forty>".to_owned(), wrong: "No.".to_owned() };
        let card = BudgetCard::of(&Balance::of(&view(&[]), None), Roles::default(), Some(typed));
        assert_eq!((card.field.as_str(), card.wrong.as_deref(), card.seen), ("<forty>", Some("No."), 40));
        assert!(card.off.is_some(), "a member looks");
    }
}
