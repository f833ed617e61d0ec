//! Checkout: opening one, and what came of one that somebody returns from. A browser that returns says nothing: signed deliveries do.

use ledger::stripe::{CheckoutState, CheckoutView, PaymentView};
use metering::{Credits, TimeMs};
use payments::{Opened, Urls, open_checkout};

use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::service::Service;

/// Stripe's ids are shorter.
const SESSION_BYTES_MAX: usize = 255;
/// The payment of a checkout is among the latest of its account.
const PAYMENTS_LOOKED_AT: u32 = 20;
/// No plan has a longer code.
const PLAN_BYTES_MAX: usize = 40;

/// What came of a checkout, as far as the book was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CameOf {
    /// Nothing was told yet.
    Waiting,
    /// It was finished, and the money is on its way.
    MoneyUnderWay,
    /// It was paid; the delivery that grants is still to come.
    CreditsUnderWay,
    /// It was paid, and its credits are there.
    Granted {
        /// How many.
        credits: Credits,
        /// First instant at which they can no longer be drawn.
        expires_at: TimeMs,
    },
    /// It was finished; what was due grants nothing.
    NothingToGrant,
    /// The money did not come.
    Failed,
    /// Nobody finished it in time.
    Expired,
}

impl CameOf {
    /// Whether more is to be told, so that it is worth looking again.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::MoneyUnderWay | Self::CreditsUnderWay)
    }
}

/// Opens a checkout. Asked for again under the same key it is the same one.
pub async fn open(service: &Service, caller: &Caller, plan: &str, key: &str) -> Result<Opened, Refusal> {
    if plan.len() > PLAN_BYTES_MAX {
        return Err(Refusal::not_found("plan"));
    }
    let (book, parts) = (&service.book, &service.parts);
    let urls = Urls::of(&service.settings.stripe);
    let by = caller.by(service, "chose a plan");
    Ok(open_checkout(book, parts.stripe.as_ref(), &parts.plans, caller.account, plan, key, &urls, &by).await?)
}

/// What came of one of the account's own checkouts; `None` where it has none of this id.
pub async fn came_of(service: &Service, caller: &Caller, session: &str) -> Result<Option<CameOf>, Refusal> {
    if !is_session(session) {
        return Ok(None);
    }
    let found = service.book.checkout(session).await?.filter(|found| found.checkout.account == caller.account);
    let Some(found) = found else { return Ok(None) };
    let payments = match found.state {
        CheckoutState::Paid => service.book.payments_of(caller.account, PAYMENTS_LOOKED_AT).await?,
        _ => Vec::new(),
    };
    Ok(Some(judged(&found, &payments)))
}

/// As Stripe writes ids; nothing else is looked for.
pub fn is_session(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with("cs_") && text.len() <= SESSION_BYTES_MAX && text.bytes().all(letters)
}

fn judged(found: &CheckoutView, payments: &[PaymentView]) -> CameOf {
    match found.state {
        CheckoutState::Open => CameOf::Waiting,
        CheckoutState::Expired => CameOf::Expired,
        CheckoutState::Completed => CameOf::MoneyUnderWay,
        CheckoutState::Failed => CameOf::Failed,
        CheckoutState::Paid => match payments.iter().find(|payment| is_of(payment, found)) {
            Some(PaymentView { lot: Some(_), granted, payment, .. }) => {
                CameOf::Granted { credits: *granted, expires_at: payment.expires_at }
            }
            Some(_) => CameOf::NothingToGrant,
            None => CameOf::CreditsUnderWay,
        },
    }
}

/// A pack is paid by its session, a subscription by the invoices that it began.
fn is_of(payment: &PaymentView, found: &CheckoutView) -> bool {
    let by_session = payment.payment.session.as_ref() == Some(&found.checkout.session);
    let by_subscription = found.subscription.is_some() && payment.payment.subscription == found.subscription;
    by_session || by_subscription
}

#[cfg(test)]
mod tests {
    use ledger::stripe::{Checkout, Payment};
    use metering::LotId;

    use super::*;
    use crate::billing::lots::tests::{NOW, credits, view};

    fn checkout(state: CheckoutState, subscription: Option<&str>) -> CheckoutView {
        CheckoutView {
            checkout: Checkout {
                session: "cs_1".to_owned(),
                account: view(&[]).account,
                customer: "cus_1".to_owned(),
                plan: "team".to_owned(),
                price: "price_1".to_owned(),
                recurring: subscription.is_some(),
                amount: 9_900,
                currency: "usd".to_owned(),
                url: "https://stripe.example".to_owned(),
                opened_at: NOW,
                expires_at: None,
            },
            state,
            email: None,
            subscription: subscription.map(str::to_owned),
            payment_intent: None,
            ended_at: None,
        }
    }

    fn payment(session: Option<&str>, subscription: Option<&str>, lot: Option<u64>) -> PaymentView {
        PaymentView {
            payment: Payment {
                payment: "in_1".to_owned(),
                payment_intent: None,
                charge: None,
                session: session.map(str::to_owned),
                subscription: subscription.map(str::to_owned),
                customer: None,
                account: None,
                plan: "team".to_owned(),
                product: "Team".to_owned(),
                credits: credits(12_000),
                prorated: false,
                amount: 9_900,
                currency: "usd".to_owned(),
                period_end: None,
                paid_at: NOW,
                expires_at: NOW,
            },
            owner: view(&[]).account,
            lot: lot.map(|lot| LotId::new(lot).unwrap()),
            granted: credits(if lot.is_some() { 12_000 } else { 0 }),
            asked: credits(0),
            taken: None,
            shortfall: None,
        }
    }

    #[test]
    fn credits_are_there_when_their_payment_has_granted_and_not_when_the_browser_returns() {
        use CheckoutState as Is;
        let granted = CameOf::Granted { credits: credits(12_000), expires_at: NOW };
        let paid = payment(None, Some("sub_1"), Some(7));
        let of = |state, payments: &[PaymentView]| judged(&checkout(state, Some("sub_1")), payments);
        assert_eq!(of(Is::Open, std::slice::from_ref(&paid)), CameOf::Waiting);
        assert_eq!(of(Is::Completed, &[]), CameOf::MoneyUnderWay);
        assert_eq!(of(Is::Paid, &[]), CameOf::CreditsUnderWay);
        assert_eq!(of(Is::Paid, &[payment(None, Some("sub_2"), Some(1)), paid]), granted);
        assert_eq!(of(Is::Paid, &[payment(None, Some("sub_1"), None)]), CameOf::NothingToGrant);
        assert_eq!((of(Is::Failed, &[]), of(Is::Expired, &[])), (CameOf::Failed, CameOf::Expired));
        let pack = checkout(Is::Paid, None);
        assert_eq!(judged(&pack, &[payment(None, None, Some(1))]), CameOf::CreditsUnderWay, "another's");
        assert_eq!(judged(&pack, &[payment(Some("cs_1"), None, Some(1))]), granted);
    }

    #[test]
    fn only_what_can_be_an_id_is_looked_for() {
        assert!(is_session("cs_test_a1B2"));
        for odd in ["", "cs_\0", "cs_a b", "pi_1", "cs_é", &format!("cs_{}", "a".repeat(253))] {
            assert!(!is_session(odd), "{odd}");
        }
    }
}
