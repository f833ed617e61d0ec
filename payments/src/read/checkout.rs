//! Checkout sessions: how far one came, and the payment of a pack.

use ledger::stripe::{CheckoutEnd, CheckoutOutcome, Effect, Parking, Payment};
use metering::AccountId;

use super::topic::Turn;
use super::{Seen, account, money};
use crate::objects::Session;
use crate::plans::{Plan, PlanKind, Plans, allowance, expires_at};

/// A session that came to an end or to its next step. The book holds it against the row that we wrote when we opened it.
pub(super) fn ended(seen: &Seen, turn: Turn, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let session: Session = seen.read()?;
    if session.mode.as_deref() == Some("setup") {
        return Ok(Vec::new()); // a card was stored, nothing was sold
    }
    let account = whose(&session)?;
    let outcome = outcome(&session, turn);
    let mut effects = vec![Effect::CheckoutEnded(CheckoutEnd {
        session: session.id.clone(),
        account,
        customer: session.customer.clone(),
        outcome,
        amount: money(session.amount_total)?,
        currency: session.currency.clone(),
        email: session.email(),
        subscription: session.subscription.clone(),
        payment_intent: session.payment_intent.clone(),
        at: seen.as_of,
    })];
    if let Some((invoice, payment_intent)) = session.invoice.clone().zip(session.payment_intent.clone()) {
        effects.push(Effect::PaymentLinked { invoice, payment_intent });
    }
    let pays = session.mode.as_deref() == Some("payment") && session.payment_status.as_deref() == Some("paid");
    if pays && outcome == CheckoutOutcome::Paid {
        effects.push(Effect::Paid(payment(seen, &session, account, plans)?));
    }
    Ok(effects)
}

/// The two places that name the account must agree.
fn whose(session: &Session) -> Result<Option<AccountId>, Parking> {
    let by_reference = account(session.client_reference_id.as_deref())?;
    let by_metadata = account(session.metadata.as_ref().and_then(|metadata| metadata.account.as_deref()))?;
    match (by_reference, by_metadata) {
        (Some(one), Some(other)) if one != other => {
            Err(Parking::new("account_mismatch", format!("{} names two accounts", session.id)))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// The object counts before the type of the event: it may have been fetched later.
fn outcome(session: &Session, turn: Turn) -> CheckoutOutcome {
    match (session.status.as_deref(), session.payment_status.as_deref(), turn) {
        (Some("expired"), _, _) | (_, _, Turn::Expired) => CheckoutOutcome::Expired,
        (_, Some("paid" | "no_payment_required"), _) => CheckoutOutcome::Paid,
        (_, _, Turn::PaymentFailed) => CheckoutOutcome::Failed,
        (_, _, Turn::Done) => CheckoutOutcome::Completed,
    }
}

fn payment(seen: &Seen, session: &Session, account: Option<AccountId>, plans: &Plans) -> Result<Payment, Parking> {
    let plan = plan(session, plans)?;
    let Some(payment) = session.invoice.clone().or_else(|| session.payment_intent.clone()) else {
        return Err(Parking::new("payment_unidentified", format!("{} has neither invoice nor payment", session.id)));
    };
    let unsound = || Parking::new("price_unknown", format!("{} can't be granted by a checkout", plan.code));
    Ok(Payment {
        payment,
        payment_intent: session.payment_intent.clone(),
        charge: None,
        session: Some(session.id.clone()),
        subscription: None,
        customer: session.customer.clone(),
        account,
        plan: plan.code.clone(),
        product: plan.name.clone(),
        credits: allowance(plan, 1).ok_or_else(unsound)?,
        prorated: false,
        amount: money(session.amount_total)?.unwrap_or(0),
        currency: session.currency.clone().unwrap_or_default(),
        period_end: None,
        paid_at: seen.at,
        expires_at: expires_at(plan.expiry, seen.at, None).ok_or_else(unsound)?,
    })
}

/// The plan that we wrote on the session when we made it.
fn plan<'a>(session: &Session, plans: &'a Plans) -> Result<&'a Plan, Parking> {
    let code = session.metadata.as_ref().and_then(|metadata| metadata.plan.as_deref()).unwrap_or_default();
    plans
        .by_code(code)
        .filter(|plan| plan.kind == PlanKind::OneOff)
        .ok_or_else(|| Parking::new("price_unknown", format!("{} is for no pack that is sold", session.id)))
}
