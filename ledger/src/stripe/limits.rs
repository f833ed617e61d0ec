//! What Stripe may name and say, so that nothing it sends grows without bound.

use super::effect::Effect;
use crate::LedgerError;

/// Most bytes of one of Stripe's ids.
const ID_BYTES_MAX: usize = 255;
/// Most effects of one delivery.
const EFFECTS_MAX: usize = 64;

/// An id: some letters, none of them a control character.
pub(super) fn id(id: &str) -> Result<(), LedgerError> {
    let fits = (1..=ID_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(LedgerError::Invalid("an id of Stripe has 1 to 255 bytes and no control characters".to_owned()))
    }
}

/// Every id that effects name, and their number.
pub(super) fn effects(effects: &[Effect]) -> Result<(), LedgerError> {
    if effects.len() > EFFECTS_MAX {
        return Err(LedgerError::Invalid(format!("a delivery has at most {EFFECTS_MAX} effects")));
    }
    effects.iter().flat_map(Effect::names).try_for_each(id)?;
    effects.iter().flat_map(words).try_for_each(id)
}

/// Other short texts that effects bring.
fn words(effect: &Effect) -> Vec<&str> {
    let (plan, currency, email) = match effect {
        Effect::Paid(payment) => (Some(&payment.plan), Some(&payment.currency), None),
        Effect::SubscriptionSeen(report) => (report.plan.as_ref(), None, None),
        Effect::CheckoutEnded(end) => (None, end.currency.as_ref(), end.email.as_ref()),
        Effect::OfferSeen(offer) => (Some(&offer.product), Some(&offer.currency), None),
        _ => (None, None, None),
    };
    [plan, currency, email].into_iter().flatten().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;

    use super::super::effect::{CheckoutEnd, CheckoutOutcome, Offer, SubscriptionReport, SubscriptionStatus};
    use super::*;

    const AT: TimeMs = TimeMs::new(1);

    fn seen(plan: &str) -> Effect {
        Effect::SubscriptionSeen(SubscriptionReport {
            subscription: "sub_1".to_owned(),
            customer: None,
            account: None,
            status: SubscriptionStatus::Active,
            was: None,
            invoice: None,
            plan: Some(plan.to_owned()),
            period_end: None,
            cancel_at_period_end: false,
            trial_end: None,
            as_of: AT,
        })
    }

    fn ended(currency: &str, email: &str) -> Effect {
        Effect::CheckoutEnded(CheckoutEnd {
            session: "cs_1".to_owned(),
            account: None,
            customer: None,
            outcome: CheckoutOutcome::Paid,
            amount: None,
            currency: Some(currency.to_owned()),
            email: Some(email.to_owned()),
            subscription: None,
            payment_intent: None,
            at: AT,
        })
    }

    fn offered(product: &str, currency: &str) -> Effect {
        Effect::OfferSeen(Offer {
            price: "price_1".to_owned(),
            product: product.to_owned(),
            amount: None,
            currency: currency.to_owned(),
            interval: None,
            active: true,
            product_active: true,
            name: String::new(),
            as_of: AT,
        })
    }

    #[test]
    fn a_delivery_has_as_many_effects_as_may_be_and_not_one_more() {
        let won = || Effect::DisputeWon { dispute: "dp_1".to_owned(), at: AT };
        let mut many: Vec<Effect> = (0..EFFECTS_MAX).map(|_| won()).collect();
        assert!(effects(&many).is_ok());
        many.push(won());
        assert!(effects(&many).unwrap_err().to_string().contains("at most 64 effects"));
    }

    #[test]
    fn every_text_of_an_effect_is_as_short_as_an_id() {
        let (fits, long) = ("x".repeat(255), "x".repeat(256));
        assert!(effects(&[seen(&fits), ended(&fits, &fits), offered(&fits, &fits)]).is_ok());
        for one in
            [seen(&long), ended(&long, "a@b"), ended("eur", &long), offered(&long, "eur"), offered("prod_1", &long)]
        {
            assert!(effects(std::slice::from_ref(&one)).is_err(), "{one:?}");
        }
    }

    #[test]
    fn an_id_has_a_length_and_no_control_characters() {
        for good in ["e", "evt_1", &"x".repeat(255)] {
            assert!(id(good).is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(256), "evt\0", "evt\n1"] {
            assert!(id(bad).is_err(), "{bad:?}");
        }
    }
}
