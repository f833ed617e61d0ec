//! The monthly budget: who may set it, what may be typed, and saving it over the one that was seen.

use ledger::LedgerError;
use metering::{Credits, Status};

use crate::api::etag;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::roles::Roles;
use crate::service::Service;
use crate::show;

/// The presets, in their order; 0 is no cap.
pub const PRESETS: [u64; 5] = [0, 40, 80, 200, 800];

/// What a preset is called.
pub fn preset_name(limit: u64) -> String {
    if limit == 0 { "No cap".to_owned() } else { format!("{limit} credits") }
}

/// Why the controls are off for whoever looks; `None` = they are on.
pub fn why_off(status: Status, roles: Roles) -> Option<&'static str> {
    if !status.may_set_budget() {
        Some(show::BUDGET_NOTE)
    } else if roles.manages {
        None
    } else {
        Some("An admin or the billing owner of this account can change the budget.")
    }
}

/// Reads what a person typed: a whole number.
pub fn typed(text: &str) -> Result<Credits, String> {
    text.trim().parse().map_err(|_| {
        let most = show::credits(Credits::MAX);
        format!("A budget is a whole number of credits from 0 to {most}; 0 means no cap.")
    })
}

/// Saves a budget. Where `seen` is told and another one stands meanwhile, nothing is changed.
pub async fn save(service: &Service, caller: &Caller, seen: Option<Credits>, limit: Credits) -> Result<(), Refusal> {
    let by = caller.by(service, "set by the account itself");
    match service.book.set_budget_from(caller.account, seen, limit, &by).await {
        Ok(_) => Ok(()),
        Err(LedgerError::Changed { .. }) => Err(etag::changed()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_names_of_the_help_page() {
        assert_eq!(PRESETS.map(preset_name), ["No cap", "40 credits", "80 credits", "200 credits", "800 credits"]);
    }

    #[test]
    fn only_whole_numbers_that_can_be_counted_are_budgets() {
        assert_eq!(typed(" 40 "), Credits::new(40).map_err(|_| String::new()));
        assert_eq!(typed("9007199254740991"), Ok(Credits::MAX));
        for wrong in ["", "-1", "1.5", "1e3", "forty", "9007199254740992", "4 0"] {
            assert!(typed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_note_of_the_account_comes_before_that_of_the_person() {
        let (owner, member) = (Roles { manages: true, operates: false }, Roles::default());
        for status in Status::ALL {
            let eligible = matches!(status, Status::Active | Status::Approved);
            let wanted = if eligible { None } else { Some(show::BUDGET_NOTE) };
            assert_eq!(why_off(status, owner), wanted, "{status}");
            assert_eq!(why_off(status, member).is_some_and(|why| why != show::BUDGET_NOTE), eligible, "{status}");
        }
    }
}
