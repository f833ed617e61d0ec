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

#[cfg(test)]
mod tests {
    use metering::{Credits, TimeMs};
    use serde_json::{Value, json};

    use super::*;
    use crate::read::tests::{ACCOUNT, AS_OF, AT, plans, seen, with};

    fn session() -> Value {
        json!({
            "id": "cs_1", "mode": "payment", "status": "complete", "payment_status": "paid", "client_reference_id": ACCOUNT,
            "metadata": { "account": ACCOUNT, "plan": "pack" }, "customer": "cus_1", "payment_intent": "pi_1",
            "amount_total": 2_500, "currency": "usd", "customer_email": "b@example.com",
            "customer_details": { "email": "a@example.com" },
        })
    }

    fn told(changes: Value, turn: Turn) -> Result<Vec<Effect>, Parking> {
        ended(&seen(with(session(), changes)), turn, &plans())
    }

    fn end(effects: &[Effect]) -> &CheckoutEnd {
        let Some(Effect::CheckoutEnded(end)) = effects.first() else { panic!("{effects:?}") };
        end
    }

    fn parked(changes: Value) -> String {
        told(changes, Turn::Done).expect_err("parked").code
    }

    #[test]
    fn a_pack_that_is_paid_grants_its_allowance_for_its_days() {
        let account = Some(ACCOUNT.parse().unwrap());
        let effects = told(json!({}), Turn::Done).unwrap();
        let wanted = CheckoutEnd {
            session: "cs_1".into(),
            account,
            customer: Some("cus_1".into()),
            outcome: CheckoutOutcome::Paid,
            amount: Some(2_500),
            currency: Some("usd".into()),
            email: Some("a@example.com".into()),
            subscription: None,
            payment_intent: Some("pi_1".into()),
            at: AS_OF,
        };
        let payment = Payment {
            payment: "pi_1".into(),
            payment_intent: Some("pi_1".into()),
            charge: None,
            session: Some("cs_1".into()),
            subscription: None,
            customer: Some("cus_1".into()),
            account,
            plan: "pack".into(),
            product: "Credit pack".into(),
            credits: Credits::new(2_500).unwrap(),
            prorated: false,
            amount: 2_500,
            currency: "usd".into(),
            period_end: None,
            paid_at: AT,
            expires_at: TimeMs::new(AT.as_u64() + 365 * 86_400_000),
        };
        assert_eq!(effects, [Effect::CheckoutEnded(wanted), Effect::Paid(payment)]);
    }

    #[test]
    fn a_pack_with_an_invoice_is_known_by_the_invoice() {
        let effects = told(json!({ "invoice": { "id": "in_1" } }), Turn::Done).unwrap();
        let link = Effect::PaymentLinked { invoice: "in_1".into(), payment_intent: "pi_1".into() };
        assert_eq!(effects[1], link);
        let Effect::Paid(payment) = &effects[2] else { panic!("{effects:?}") };
        assert_eq!((payment.payment.as_str(), payment.payment_intent.as_deref()), ("in_1", Some("pi_1")));
    }

    #[test]
    fn money_that_is_still_on_its_way_grants_nothing() {
        let effects = told(json!({ "payment_status": "unpaid" }), Turn::Done).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (1, CheckoutOutcome::Completed));
        let effects = told(json!({ "payment_status": "unpaid" }), Turn::PaymentFailed).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (1, CheckoutOutcome::Failed));
        let effects = told(json!({ "payment_status": "unpaid" }), Turn::Expired).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (1, CheckoutOutcome::Expired));
        let effects = told(json!({ "status": "expired" }), Turn::Done).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (1, CheckoutOutcome::Expired));
        let effects =
            told(json!({ "payment_status": "no_payment_required", "payment_intent": null }), Turn::Done).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (1, CheckoutOutcome::Paid));
    }

    #[test]
    fn a_session_that_was_fetched_and_is_paid_by_now_counts_as_paid() {
        let effects = told(json!({}), Turn::PaymentFailed).unwrap();
        assert_eq!((effects.len(), end(&effects).outcome), (2, CheckoutOutcome::Paid));
    }

    #[test]
    fn a_subscription_s_session_grants_nothing_itself() {
        let changes =
            json!({ "mode": "subscription", "subscription": "sub_1", "invoice": "in_1", "payment_intent": null });
        let effects = told(changes, Turn::Done).unwrap();
        assert_eq!((effects.len(), end(&effects).subscription.as_deref()), (1, Some("sub_1")));
    }

    #[test]
    fn a_card_that_was_stored_is_of_no_matter() {
        assert_eq!(told(json!({ "mode": "setup" }), Turn::Done), Ok(vec![]));
    }

    #[test]
    fn what_can_not_be_told_apart_is_parked() {
        let other = "acct_00000000000000000000000000000002";
        assert_eq!(parked(json!({ "client_reference_id": other })), "account_mismatch");
        assert_eq!(parked(json!({ "client_reference_id": "somebody" })), "account_unknown");
        assert_eq!(parked(json!({ "metadata": { "account": ACCOUNT, "plan": "absent" } })), "price_unknown");
        assert_eq!(parked(json!({ "metadata": { "account": ACCOUNT, "plan": "team" } })), "price_unknown");
        assert_eq!(parked(json!({ "metadata": null })), "price_unknown");
        assert_eq!(parked(json!({ "payment_intent": null })), "payment_unidentified");
        assert_eq!(parked(json!({ "amount_total": -1 })), "amount_mismatch");
    }

    #[test]
    fn one_of_the_two_places_may_name_the_account() {
        for changes in [json!({ "client_reference_id": null }), json!({ "metadata": { "plan": "pack" } })] {
            let effects = told(changes, Turn::Done).unwrap();
            assert_eq!(end(&effects).account.unwrap().to_string(), ACCOUNT);
        }
        let neither = json!({ "client_reference_id": null, "metadata": { "plan": "pack" } });
        assert_eq!(end(&told(neither, Turn::Done).unwrap()).account, None);
    }
}
