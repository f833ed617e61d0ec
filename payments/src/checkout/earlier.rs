//! Checkouts of subscriptions that are still open: two of them paid would be two subscriptions.

use ledger::Ledger;
use ledger::stripe::{CheckoutState, CheckoutView};
use metering::{AccountId, TimeMs};
use serde_json::Value;

use super::{CheckoutError, Opened, SESSIONS};
use crate::api::{Stripe, of_answer};
use crate::error::StripeError;
use crate::objects::Session;
use crate::plans::Plan;

/// A session lives for a day, and each new one closes those before.
const LOOKED_AT: u32 = 20;

pub(super) enum Earlier {
    /// One for the same plan can still be paid: it is the one to be shown.
    Same(Opened),
    None,
}

/// Takes up the open session for the same plan, and closes those for others.
pub(super) async fn settle(
    ledger: &Ledger,
    stripe: &Stripe,
    account: AccountId,
    plan: &Plan,
    now: TimeMs,
) -> Result<Earlier, CheckoutError> {
    for open in ledger.checkouts(account, LOOKED_AT).await?.into_iter().filter(|checkout| may_be_paid(checkout, now)) {
        let session = match stripe.object(SESSIONS, &open.checkout.session, &[]).await {
            Ok(session) => of_answer::<Session>(SESSIONS, &session)?,
            Err(StripeError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        match (session.status.as_deref(), session.url) {
            (Some("open"), Some(url)) if open.checkout.plan == plan.code => {
                return Ok(Earlier::Same(Opened { session: session.id, url }));
            }
            (Some("open"), _) => close(stripe, &session.id).await?,
            // Its delivery is on the way, and with it a subscription.
            (Some("complete"), _) => return Err(CheckoutError::Completing),
            _ => {}
        }
    }
    Ok(Earlier::None)
}

fn may_be_paid(checkout: &CheckoutView, now: TimeMs) -> bool {
    checkout.state == CheckoutState::Open
        && checkout.checkout.recurring
        && checkout.checkout.expires_at.is_none_or(|end| end > now)
}

/// What can't be closed any more has just been completed.
async fn close(stripe: &Stripe, session: &str) -> Result<(), CheckoutError> {
    let (path, key) = (format!("{SESSIONS}/{session}/expire"), format!("tollgate-expire-{session}"));
    match stripe.post(&path, &[], &key).await {
        Ok(Value::Null | Value::Object(_)) | Err(StripeError::Missing(_)) => Ok(()),
        Ok(_) => Err(crate::api::unreadable(SESSIONS).into()),
        Err(StripeError::Refused { .. }) => Err(CheckoutError::Completing),
        Err(error) => Err(error.into()),
    }
}
