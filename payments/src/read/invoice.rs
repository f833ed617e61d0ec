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

#[cfg(test)]
mod tests {
    use metering::Credits;
    use serde_json::{Value, json};

    use super::*;
    use crate::read::tests::{ACCOUNT, AS_OF, AT, plans, seen, with};

    const END: u64 = 1_766_707_200;

    /// As the pinned version of the API has it.
    fn newer() -> Value {
        json!({
            "id": "in_1", "status": "paid", "billing_reason": "subscription_create", "customer": "cus_1", "currency": "usd",
            "amount_paid": 9_900, "status_transitions": { "paid_at": 1_764_115_100 },
            "parent": { "subscription_details": { "subscription": "sub_1", "metadata": { "account": ACCOUNT } } },
            "payments": { "data": [{ "invoice": "in_1", "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }] },
            "lines": { "data": [{
                "amount": 9_900, "currency": "usd", "quantity": 1, "period": { "start": 1_764_115_200, "end": END },
                "pricing": { "price_details": { "price": "price_tollgate_team", "product": "prod_tollgate_team" } },
                "parent": { "subscription_item_details": { "proration": false } },
            }] },
        })
    }

    /// As versions before March 2025 had it.
    fn older() -> Value {
        json!({
            "id": "in_1", "status": "paid", "billing_reason": "subscription_create", "customer": "cus_1", "currency": "usd",
            "amount_paid": 9_900, "status_transitions": { "paid_at": 1_764_115_100 }, "subscription": "sub_1",
            "subscription_details": { "metadata": { "account": ACCOUNT } }, "payment_intent": "pi_1", "charge": "ch_1",
            "lines": { "data": [{
                "amount": 9_900, "currency": "usd", "quantity": 1, "period": { "start": 1_764_115_200, "end": END },
                "price": { "id": "price_tollgate_team" }, "proration": false,
            }] },
        })
    }

    fn link() -> Effect {
        Effect::PaymentLinked { invoice: "in_1".into(), payment_intent: "pi_1".into() }
    }

    fn wanted() -> Payment {
        Payment {
            payment: "in_1".into(),
            payment_intent: Some("pi_1".into()),
            charge: None,
            session: None,
            subscription: Some("sub_1".into()),
            customer: Some("cus_1".into()),
            account: Some(ACCOUNT.parse().unwrap()),
            plan: "team".into(),
            product: "Team".into(),
            credits: Credits::new(12_000).unwrap(),
            prorated: false,
            amount: 9_900,
            currency: "usd".into(),
            period_end: Some(TimeMs::new(END * 1000)),
            paid_at: TimeMs::new(1_764_115_100_000),
            expires_at: TimeMs::new(END * 1000),
        }
    }

    fn payment_of(invoice: Value) -> Payment {
        let effects = paid(&seen(invoice), &plans()).unwrap();
        let Some(Effect::Paid(payment)) = effects.last() else { panic!("{effects:?}") };
        payment.clone()
    }

    #[test]
    fn a_paid_invoice_says_the_same_in_newer_and_older_shapes() {
        assert_eq!(paid(&seen(newer()), &plans()), Ok(vec![link(), Effect::Paid(wanted())]));
        let of_older = Payment { charge: Some("ch_1".into()), ..wanted() };
        assert_eq!(paid(&seen(older()), &plans()), Ok(vec![link(), Effect::Paid(of_older)]));
    }

    #[test]
    fn a_trial_s_credits_end_with_the_trial() {
        let line = json!({
            "amount": 0, "currency": "usd", "quantity": 1, "period": { "start": 1_764_115_200, "end": END },
            "pricing": { "price_details": { "price": "price_tollgate_starter" } },
        });
        let trial = payment_of(with(newer(), json!({ "amount_paid": 0, "lines": { "data": [line] } })));
        assert_eq!((trial.plan.as_str(), trial.credits.get(), trial.amount), ("starter", 100, 0));
        assert_eq!(trial.expires_at, TimeMs::new(END * 1000));
    }

    #[test]
    fn without_a_time_of_payment_the_event_s_time_counts() {
        assert_eq!(payment_of(with(newer(), json!({ "status_transitions": null }))).paid_at, AT);
    }

    #[test]
    fn a_line_without_a_period_can_not_end_with_it() {
        let mut invoice = newer();
        invoice["lines"]["data"][0]["period"] = Value::Null;
        assert_eq!(paid(&seen(invoice), &plans()).unwrap_err().code, "period_unknown");
    }

    #[test]
    fn an_invoice_without_a_subscription_only_tells_what_pays_it() {
        assert_eq!(paid(&seen(with(newer(), json!({ "parent": null }))), &plans()), Ok(vec![link()]));
    }

    #[test]
    fn an_invoice_that_is_not_paid_grants_nothing() {
        let open = paid(&seen(with(newer(), json!({ "status": "open" }))), &plans()).unwrap_err();
        assert_eq!(open.code, "invoice_not_paid");
        assert_eq!(payment_of(with(newer(), json!({ "status": null }))), wanted(), "very old events do not say it");
    }

    #[test]
    fn whose_it_is_must_be_one_of_ours() {
        let parent = json!({ "subscription_details": { "subscription": "sub_1", "metadata": { "account": "x" } } });
        assert_eq!(
            paid(&seen(with(newer(), json!({ "parent": parent }))), &plans()).unwrap_err().code,
            "account_unknown"
        );
        assert_eq!(
            paid(&seen(with(newer(), json!({ "amount_paid": -1 }))), &plans()).unwrap_err().code,
            "amount_mismatch"
        );
    }

    fn failure(changes: Value, action_required: bool) -> InvoiceFailure {
        let open = with(newer(), json!({ "status": "open", "billing_reason": "subscription_cycle" }));
        let effects = failed(&seen(with(open, changes)), action_required, &plans()).unwrap();
        let [Effect::InvoiceFailed(failure)] = effects.as_slice() else { panic!("{effects:?}") };
        failure.clone()
    }

    #[test]
    fn a_failed_renewal_is_told_with_its_subscription() {
        let wanted = InvoiceFailure {
            invoice: "in_1".into(),
            subscription: Some("sub_1".into()),
            customer: Some("cus_1".into()),
            account: Some(ACCOUNT.parse().unwrap()),
            first: false,
            action_required: false,
            as_of: AS_OF,
        };
        assert_eq!(failure(json!({}), false), wanted);
        assert!(failure(json!({}), true).action_required);
        assert!(failure(json!({ "billing_reason": "subscription_create" }), false).first);
        assert_eq!(failure(json!({ "parent": null }), false).subscription, None);
    }

    #[test]
    fn a_failure_that_is_over_is_none() {
        assert_eq!(failed(&seen(newer()), false, &plans()), Ok(vec![link(), Effect::Paid(wanted())]));
        assert_eq!(failed(&seen(with(newer(), json!({ "status": "void" }))), false, &plans()), Ok(vec![]));
    }

    #[test]
    fn what_pays_an_invoice_is_told_by_itself() {
        let payment = |payment: Value| linked(&seen(json!({ "id": "inpay_1", "invoice": "in_1", "payment": payment })));
        assert_eq!(payment(json!({ "type": "payment_intent", "payment_intent": { "id": "pi_1" } })), Ok(vec![link()]));
        assert_eq!(payment(json!({ "type": "charge", "charge": "ch_1" })), Ok(vec![]));
        assert_eq!(payment(Value::Null), Ok(vec![]));
    }

    #[test]
    fn an_invoice_was_paid_when_it_says_so_or_when_it_was_made() {
        let at = |changes| paid_at(&crate::objects::read(&with(newer(), changes)).unwrap());
        assert_eq!(at(json!({ "created": 5 })), Some(TimeMs::new(1_764_115_100_000)));
        assert_eq!(at(json!({ "created": 5, "status_transitions": { "paid_at": null } })), Some(TimeMs::new(5_000)));
        assert_eq!(at(json!({ "status_transitions": null })), None);
    }
}
