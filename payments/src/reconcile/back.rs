//! Money that went back: refunds and disputes, held against what was taken from the lots of their payments.

use std::collections::HashSet;

use ledger::stripe::{Effect, PaymentRef, PaymentView, ReversalKind};

use super::difference::{Difference, DifferenceKind};
use super::pages::{Pages, id_of};
use super::{Look, ReconcileError};
use crate::error::StripeError;
use crate::objects::{self, Charge, Dispute, time};
use crate::read::{DISPUTE_EVENTS, Seen, charge_effects, dispute_effects, links};

impl Look<'_> {
    /// Charges of which something was refunded since then.
    pub(super) async fn refunds(&mut self) -> Result<(), ReconcileError> {
        let since = self.since_seconds();
        let query = [("created[gte]", since.as_str())];
        let (mut pages, mut charges) = (Pages::of("/refunds", &query), Vec::new());
        let mut known = HashSet::new();
        while let Some(refunds) = pages.next(self.stripe, &mut self.budget).await? {
            let refunded = refunds.iter().filter_map(|refund| refund.get("charge"));
            let ids = refunded.filter_map(|charge| charge.get("id").unwrap_or(charge).as_str().map(str::to_owned));
            charges.extend(ids.filter(|id| known.insert(id.clone())));
        }
        for id in charges {
            let Some(seen) = self.fetched("/charges", &id).await? else { continue };
            let Ok(charge) = objects::read::<Charge>(&seen.object) else { continue };
            self.refund(&seen, &charge).await?;
        }
        Ok(())
    }

    async fn refund(&mut self, seen: &Seen, charge: &Charge) -> Result<(), ReconcileError> {
        self.found.compared += 1;
        let Ok(effects) = charge_effects(seen, self.plans) else { return Ok(()) };
        let Some((refunded, amount)) = effects.iter().find_map(refund) else { return Ok(()) };
        let Some(payment) = self.payment(charge.payment(), seen).await? else { return Ok(()) };
        let due = payment.refund_target(refunded, amount);
        if payment.asked >= due {
            return Ok(());
        }
        let detail = format!(
            "{refunded} of {amount} were refunded; {} of {due} credits of {} are asked back",
            payment.asked.get(),
            payment.payment.payment
        );
        let kind = DifferenceKind::RefundedNotClawed;
        self.differs(Difference::new(kind, &charge.id, Some(payment.owner), detail), &effects).await
    }

    /// Disputes made since then, and those in which something happened since then.
    pub(super) async fn disputes(&mut self) -> Result<(), ReconcileError> {
        let since = self.since_seconds();
        let query = [("created[gte]", since.as_str())];
        let mut pages = Pages::of("/disputes", &query);
        let mut known = HashSet::new();
        while let Some(disputes) = pages.next(self.stripe, &mut self.budget).await? {
            for object in disputes {
                known.insert(id_of(&object).to_owned());
                let at = objects::read::<Dispute>(&object).ok().and_then(|dispute| time(dispute.created));
                let seen = self.linked(Seen::fetched(object, at, self.by.at)).await?;
                self.dispute(&seen).await?;
            }
        }
        for id in self.changed(&DISPUTE_EVENTS).await? {
            if known.insert(id.clone())
                && let Some(seen) = self.fetched("/disputes", &id).await?
            {
                self.dispute(&seen).await?;
            }
        }
        Ok(())
    }

    async fn dispute(&mut self, seen: &Seen) -> Result<(), ReconcileError> {
        self.found.compared += 1;
        let Ok(dispute) = objects::read::<Dispute>(&seen.object) else { return Ok(()) };
        let Ok(effects) = dispute_effects(seen, self.plans) else { return Ok(()) };
        if effects.is_empty() {
            return Ok(());
        }
        let Some(payment) = self.payment(dispute.payment(), seen).await? else { return Ok(()) };
        let won = effects.iter().any(|effect| matches!(effect, Effect::DisputeWon { .. }));
        let (kind, detail) = if won {
            if self.is_settled(&payment, &dispute.id).await? {
                return Ok(());
            }
            let what = format!("it was won, and what it took of {} is not given again", payment.payment.payment);
            (DifferenceKind::DisputeWonNotReturned, what)
        } else {
            if payment.asked >= payment.granted {
                return Ok(());
            }
            let (asked, granted) = (payment.asked.get(), payment.granted.get());
            let what = format!("{asked} of {granted} credits of {} are asked back", payment.payment.payment);
            (DifferenceKind::DisputedNotClawed, what)
        };
        self.differs(Difference::new(kind, &dispute.id, Some(payment.owner), detail), &effects).await
    }

    /// A dispute that was won is settled when the book knows, or never knew that there was one.
    async fn is_settled(&self, payment: &PaymentView, dispute: &str) -> Result<bool, ReconcileError> {
        let reversals = self.ledger.reversals(&payment.payment.payment).await?;
        let is_it = |kind: &ReversalKind| matches!(kind, ReversalKind::Dispute { dispute: id } if id == dispute);
        Ok(reversals.iter().filter(|reversal| is_it(&reversal.kind)).all(|reversal| reversal.won_at.is_some()))
    }

    /// The payment that went back, by any of its names; `None` = none of ours.
    async fn payment(&self, mut names: PaymentRef, seen: &Seen) -> Result<Option<PaymentView>, ReconcileError> {
        if names.invoice.is_none() {
            names.invoice = seen.links.first().map(|(invoice, _)| invoice.clone());
        }
        Ok(self.ledger.payment(&names).await?)
    }

    async fn fetched(&mut self, path: &str, id: &str) -> Result<Option<Seen>, ReconcileError> {
        self.budget.take()?;
        match self.stripe.object(path, id, &[]).await {
            Ok(object) => self.linked(Seen::fetched(object, None, self.by.at)).await.map(Some),
            Err(StripeError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn linked(&mut self, mut seen: Seen) -> Result<Seen, ReconcileError> {
        self.budget.take()?;
        seen.links = links(self.stripe, &seen.object).await?;
        Ok(seen)
    }
}

fn refund(effect: &Effect) -> Option<(u64, u64)> {
    match effect {
        Effect::Reversed(reversal) => match &reversal.kind {
            ReversalKind::Refund { refunded, amount, .. } => Some((*refunded, *amount)),
            ReversalKind::Dispute { .. } | ReversalKind::NotPaid => None,
        },
        _ => None,
    }
}
