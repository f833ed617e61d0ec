//! What Stripe says was paid: invoices of subscriptions, and packs by their checkout sessions.

use ledger::stripe::{Effect, Parking, Payment, PaymentRef};
use serde_json::Value;

use super::difference::{Difference, DifferenceKind};
use super::pages::{Pages, id_of};
use super::{Look, ReconcileError};
use crate::error::StripeError;
use crate::objects::{self, Invoice, Session, time};
use crate::plans::Plans;
use crate::read::{INVOICE_PAID, Seen, invoice_effects, paid_at, session_effects};

/// How an object is read.
type Read = fn(&Seen, &Plans) -> Result<Vec<Effect>, Parking>;

impl Look<'_> {
    /// Those made since then, and those paid since then, however old.
    pub(super) async fn invoices(&mut self) -> Result<(), ReconcileError> {
        let since = self.since_seconds();
        let query = [("status", "paid"), ("created[gte]", since.as_str()), ("expand[]", "data.payments")];
        let mut pages = Pages::of("/invoices", &query);
        while let Some(invoices) = pages.next(self.stripe, &mut self.budget).await? {
            for mut invoice in invoices {
                self.stripe.complete_lines(&mut invoice).await?;
                self.invoice(invoice).await?;
            }
        }
        for id in self.changed(&[INVOICE_PAID]).await? {
            if self.paid.contains(&id) {
                continue;
            }
            self.budget.take()?;
            match self.stripe.invoice(&id).await {
                Ok(invoice) => self.invoice(invoice).await?,
                Err(StripeError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn invoice(&mut self, object: Value) -> Result<(), ReconcileError> {
        self.paid.insert(id_of(&object).to_owned());
        let at = objects::read::<Invoice>(&object).ok().and_then(|invoice| paid_at(&invoice));
        self.held(Seen::fetched(object, at, self.by.at), invoice_effects).await
    }

    /// Packs that were paid. A subscription's session grants nothing by itself.
    pub(super) async fn sessions(&mut self) -> Result<(), ReconcileError> {
        let since = self.since_seconds();
        let query = [("status", "complete"), ("created[gte]", since.as_str())];
        let mut pages = Pages::of("/checkout/sessions", &query);
        while let Some(sessions) = pages.next(self.stripe, &mut self.budget).await? {
            for object in sessions {
                let Ok(session) = objects::read::<Session>(&object) else { continue };
                let paid = session.payment_status.as_deref() == Some("paid");
                if !paid || session.mode.as_deref() != Some("payment") {
                    continue;
                }
                self.paid.extend(session.payment_intent);
                self.held(Seen::fetched(object, time(session.created), self.by.at), session_effects).await?;
            }
        }
        Ok(())
    }

    /// Whether the book has the payment that an object tells of.
    async fn held(&mut self, seen: Seen, read: Read) -> Result<(), ReconcileError> {
        self.found.compared += 1;
        let id = id_of(&seen.object).to_owned();
        let effects = match read(&seen, self.plans) {
            Ok(effects) => effects,
            Err(why) => return self.unread(&id, &why).await,
        };
        let Some(payment) = effects.iter().find_map(payment) else { return Ok(()) };
        self.paid.extend(payment.payment_intent.clone());
        let nothing = payment.amount == 0 && payment.credits.is_zero();
        if nothing || self.ledger.payment(&payment.reference()).await?.is_some() {
            return Ok(());
        }
        let detail = format!("{} {} were paid for {}", payment.amount, payment.currency, payment.plan);
        let difference = Difference::new(DifferenceKind::PaidNotGranted, &payment.payment, payment.account, detail);
        self.differs(difference, &effects).await
    }

    /// Paid, and nobody can say for what. What the book has already was read when plans were others.
    async fn unread(&mut self, id: &str, why: &Parking) -> Result<(), ReconcileError> {
        let names = PaymentRef { invoice: Some(id.to_owned()), ..PaymentRef::default() };
        if self.ledger.payment(&names).await?.is_some() {
            return Ok(());
        }
        let detail = format!("it was paid and can't be granted: {}: {}", why.code, why.detail);
        self.differs(Difference::new(DifferenceKind::PaidNotGranted, id, None, detail), &[]).await
    }
}

fn payment(effect: &Effect) -> Option<&Payment> {
    match effect {
        Effect::Paid(payment) => Some(payment),
        _ => None,
    }
}
