//! Invoices: paid ones grant, failed ones stop; what pays them is noted for reversals.

use ledger::stripe::{Effect, InvoiceFailure, Parking, Payment};
use metering::TimeMs;

use super::due::{Due, due};
use super::{Seen, account, money};
use crate::objects::{Invoice, InvoicePayment, time};
use crate::plans::{Plans, expires_at};

/// An invoice that is paid. One without a subscription grants nothing: a pack is granted by its checkout.
pub(super) fn paid(seen: &Seen, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let invoice: Invoice = seen.read()?;
    if let Some(status) = invoice.status.as_deref().filter(|status| *status != "paid") {
        return Err(Parking::new("invoice_not_paid", format!("{} is said to be paid, and is {status}", invoice.id)));
    }
    let mut effects = links(&invoice);
    if let Some(subscription) = invoice.subscription() {
        let due = due(&invoice, plans)?;
        effects.push(Effect::Paid(payment(seen, &invoice, subscription, &due)?));
    }
    Ok(effects)
}

fn payment(seen: &Seen, invoice: &Invoice, subscription: &str, due: &Due<'_>) -> Result<Payment, Parking> {
    let paid_at =
        time(invoice.status_transitions.as_ref().and_then(|transitions| transitions.paid_at)).unwrap_or(seen.at);
    let rule = if due.trial { config::plans::Expiry::PeriodEnd } else { due.plan.expiry };
    let expires_at = expires_at(rule, paid_at, due.period_end)
        .ok_or_else(|| Parking::new("period_unknown", format!("the line of {} has no period", due.plan.code)))?;
    Ok(Payment {
        payment: invoice.id.clone(),
        payment_intent: invoice.payment_intents().first().map(|intent| (*intent).to_owned()),
        charge: invoice.charge.clone(),
        session: None,
        subscription: Some(subscription.to_owned()),
        customer: invoice.customer.clone(),
        account: account(invoice.account())?,
        plan: due.plan.code.clone(),
        product: due.plan.name.clone(),
        credits: due.credits,
        prorated: due.prorated,
        amount: money(invoice.amount_paid)?.unwrap_or(0),
        currency: due.plan.currency.clone(),
        period_end: due.period_end,
        paid_at,
        expires_at,
    })
}

fn links(invoice: &Invoice) -> Vec<Effect> {
    let link =
        |intent: &&str| Effect::PaymentLinked { invoice: invoice.id.clone(), payment_intent: (*intent).to_owned() };
    invoice.payment_intents().iter().map(link).collect()
}

/// An invoice that was not paid, or waits for its payer. One that was fetched and is paid by now is read as paid.
pub(super) fn failed(seen: &Seen, action_required: bool, plans: &Plans) -> Result<Vec<Effect>, Parking> {
    let invoice: Invoice = seen.read()?;
    match invoice.status.as_deref() {
        Some("paid") => return paid(seen, plans),
        // Nobody is asked for it any more.
        Some("void") => return Ok(Vec::new()),
        _ => {}
    }
    Ok(vec![Effect::InvoiceFailed(InvoiceFailure {
        subscription: invoice.subscription().map(str::to_owned),
        account: account(invoice.account())?,
        first: invoice.billing_reason.as_deref() == Some("subscription_create"),
        invoice: invoice.id,
        customer: invoice.customer,
        action_required,
        as_of: seen.as_of,
    })])
}

/// What pays an invoice, told by itself.
pub(super) fn linked(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let payment: InvoicePayment = seen.read()?;
    let intent = payment.payment_intent().map(str::to_owned);
    let link =
        payment.invoice.zip(intent).map(|(invoice, payment_intent)| Effect::PaymentLinked { invoice, payment_intent });
    Ok(link.into_iter().collect())
}

/// When an invoice was paid, for those who fetch it.
pub(crate) fn paid_at(invoice: &Invoice) -> Option<TimeMs> {
    time(invoice.status_transitions.as_ref().and_then(|transitions| transitions.paid_at).or(invoice.created))
}
