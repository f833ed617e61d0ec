//! The other way round: what the book granted for payments, and whether Stripe has them.

use ledger::stripe::{Effect, PaymentView, Reversal, ReversalKind};
use serde_json::Value;

use super::difference::{Difference, DifferenceKind};
use super::{Look, ReconcileError};
use crate::error::StripeError;

const PAGE: u32 = 100;
/// So many payments that Stripe does not know are mended without more ado, …
const UNKNOWN_MAX: usize = 5;
/// … and beyond that only one in so many: a key of another Stripe account knows none, and would take everybody's credits.
const UNKNOWN_ONE_IN: usize = 10;

/// What Stripe says of a payment that the book has.
enum Standing {
    Paid,
    NotPaid(String),
    Unknown,
}

impl Look<'_> {
    pub(super) async fn granted(&mut self) -> Result<(), ReconcileError> {
        let (mut after, mut looked, mut unknown) = (None, 0_usize, Vec::new());
        loop {
            let page = self.ledger.payments(self.since, after.as_ref(), PAGE).await?;
            after = page.last().map(PaymentView::cursor);
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            for payment in page {
                self.found.compared += 1;
                looked += 1;
                // Nothing was granted, or all of it is taken back: nothing is owed.
                if payment.lot.is_none() || payment.asked >= payment.granted {
                    continue;
                }
                match self.standing(&payment).await? {
                    Standing::Paid => {}
                    Standing::NotPaid(status) => {
                        self.unpaid(&payment, &format!("Stripe says it is {status}"), true).await?;
                    }
                    Standing::Unknown => unknown.push(payment),
                }
            }
            if is_last || after.is_none() {
                break;
            }
        }
        let credible = may_mend(unknown.len(), looked);
        for payment in unknown {
            let why = if credible {
                "Stripe has no such payment"
            } else {
                "Stripe knows hardly any: is the key that of another account?"
            };
            self.unpaid(&payment, why, credible).await?;
        }
        Ok(())
    }

    async fn standing(&mut self, payment: &PaymentView) -> Result<Standing, ReconcileError> {
        let (key, intent) = (&payment.payment.payment, payment.payment.payment_intent.as_ref());
        if self.paid.contains(key) || intent.is_some_and(|intent| self.paid.contains(intent)) {
            return Ok(Standing::Paid);
        }
        self.budget.take()?;
        let (path, good) =
            if payment.payment.is_by_intent() { ("/payment_intents", "succeeded") } else { ("/invoices", "paid") };
        match self.stripe.object(path, key, &[]).await {
            Ok(object) => match object.get("status").and_then(Value::as_str) {
                Some(status) if status == good => Ok(Standing::Paid),
                status => Ok(Standing::NotPaid(status.unwrap_or("in no state").to_owned())),
            },
            Err(StripeError::Missing(_)) => Ok(Standing::Unknown),
            Err(error) => Err(error.into()),
        }
    }

    async fn unpaid(&mut self, view: &PaymentView, why: &str, mend: bool) -> Result<(), ReconcileError> {
        let payment = &view.payment;
        let reversal =
            Effect::Reversed(Reversal { payment: payment.reference(), kind: ReversalKind::NotPaid, at: self.by.at });
        let detail = format!("{} credits were granted for it; {why}", view.granted.get());
        let difference = Difference::new(DifferenceKind::GrantedNotPaid, &payment.payment, Some(view.owner), detail);
        let effects = if mend { vec![reversal] } else { Vec::new() };
        self.differs(difference, &effects).await
    }
}

fn may_mend(unknown: usize, looked: usize) -> bool {
    unknown <= UNKNOWN_MAX || unknown <= looked / UNKNOWN_ONE_IN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_account_takes_nobody_s_credits() {
        assert!(may_mend(0, 0) && may_mend(5, 5));
        assert!(!may_mend(6, 6) && !may_mend(6, 59));
        assert!(may_mend(6, 60));
    }
}
