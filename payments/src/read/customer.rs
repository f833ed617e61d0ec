//! Customers: whose one is, and where its mails go.

use ledger::stripe::{Effect, Parking};

use super::{Seen, account};
use crate::objects::{Customer, email};

pub(super) fn seen(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let customer: Customer = seen.read()?;
    if customer.deleted {
        return deleted(seen);
    }
    Ok(vec![Effect::CustomerSeen {
        account: account(customer.metadata.as_ref().and_then(|metadata| metadata.account.as_deref()))?,
        email: email(customer.email.as_ref()),
        customer: customer.id,
        as_of: seen.as_of,
    }])
}

pub(super) fn deleted(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let customer: Customer = seen.read()?;
    Ok(vec![Effect::CustomerDeleted { customer: customer.id, as_of: seen.as_of }])
}
