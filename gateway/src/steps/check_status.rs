//! What a request that draws nothing may do for an account that may not spend. A debit reads the status itself, where it is true.

use config::routes::WhenBlocked;
use metering::Credits;

use crate::principal::Principal;
use crate::rejection::Rejection;
use crate::route_table::Route;
use crate::steps::authenticate::Authenticated;

pub fn check_status(route: &Route, caller: &Authenticated, price: Option<Credits>) -> Result<(), Rejection> {
    let denies = price.is_none() && route.when_blocked == WhenBlocked::Deny;
    match caller.principal().map(Principal::account_status) {
        Some(status) if denies && !status.may_spend() => Err(Rejection::Blocked(status)),
        _ => Ok(()),
    }
}
