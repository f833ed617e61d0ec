//! Stripe's customer portal: whether it can be opened, and opening it.

use payments::{PortalError, open_portal};

use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::roles::Roles;
use crate::service::Service;

/// Why the portal can't be opened; `None` = it can.
pub fn why_not(is_configured: bool, has_customer: bool, roles: Roles) -> Option<String> {
    if !is_configured {
        Some(PortalError::NotConfigured.to_string())
    } else if !has_customer {
        Some(PortalError::NoCustomer.to_string())
    } else if !roles.manages {
        Some("An admin or the billing owner of this account can open it.".to_owned())
    } else {
        None
    }
}

/// A way into it, for a few minutes.
pub async fn open(service: &Service, caller: &Caller) -> Result<String, Refusal> {
    let by = caller.by(service, "opened the customer portal");
    let (stripe, back) = (service.parts.stripe.as_ref(), &service.settings.stripe.return_url);
    Ok(open_portal(&service.book, stripe, caller.account, back, &by).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_opens_for_a_customer_of_a_configured_stripe_and_says_what_is_missing() {
        let (owner, member) = (Roles { manages: true, operates: false }, Roles::default());
        assert_eq!(why_not(true, true, owner), None);
        let reasons = [why_not(false, true, owner), why_not(true, false, owner), why_not(true, true, member)];
        let starts = ["The customer portal is not configured", "There is no customer", "An admin or the billing owner"];
        for (reason, start) in reasons.iter().zip(starts) {
            assert!(reason.as_ref().is_some_and(|reason| reason.starts_with(start)), "{reason:?}");
        }
    }
}
