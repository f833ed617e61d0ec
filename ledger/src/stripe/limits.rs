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
    use super::*;

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
