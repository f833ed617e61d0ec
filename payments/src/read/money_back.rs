//! Refunds and disputes: money that went back, and money that came back.

use ledger::stripe::{Effect, Parking, Reversal, ReversalKind};

use super::Seen;
use crate::objects::{Charge, Dispute};

/// A charge with what was refunded of it so far.
pub(super) fn refunded(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let charge: Charge = seen.read()?;
    let (amount, refunded) = (charge.amount.unwrap_or(0), charge.amount_refunded.unwrap_or(0));
    if refunded == 0 {
        return Ok(Vec::new()); // the refund itself failed
    }
    if refunded > amount {
        return Err(Parking::new("amount_mismatch", format!("{} has {refunded} of {amount} refunded", charge.id)));
    }
    let kind = ReversalKind::Refund { charge: charge.id.clone(), refunded, amount };
    let reversal = Effect::Reversed(Reversal { payment: charge.payment(), kind, at: seen.as_of });
    Ok(seen.linked().chain([reversal]).collect())
}

/// A dispute takes the money at once and gives it back when it is won. An inquiry (`warning_…`) takes none.
pub(super) fn disputed(seen: &Seen) -> Result<Vec<Effect>, Parking> {
    let dispute: Dispute = seen.read()?;
    let status = dispute.status.as_deref().unwrap_or_default();
    if status.starts_with("warning_") || status == "prevented" {
        return Ok(Vec::new());
    }
    if status == "won" {
        return Ok(vec![Effect::DisputeWon { dispute: dispute.id, at: seen.as_of }]);
    }
    let kind = ReversalKind::Dispute { dispute: dispute.id.clone() };
    let reversal = Effect::Reversed(Reversal { payment: dispute.payment(), kind, at: seen.as_of });
    Ok(seen.linked().chain([reversal]).collect())
}

#[cfg(test)]
mod tests {
    use ledger::stripe::PaymentRef;
    use serde_json::{Value, json};

    use super::*;
    use crate::read::tests::{AS_OF, seen, with};

    fn charge() -> Value {
        json!({ "id": "ch_1", "amount": 1_900, "amount_refunded": 900, "payment_intent": "pi_1", "invoice": "in_1" })
    }

    fn of_charge(changes: Value) -> Result<Vec<Effect>, Parking> {
        refunded(&seen(with(charge(), changes)))
    }

    fn reversal(invoice: Option<&str>, kind: ReversalKind) -> Effect {
        let payment = PaymentRef {
            invoice: invoice.map(str::to_owned),
            payment_intent: Some("pi_1".into()),
            charge: Some("ch_1".into()),
        };
        Effect::Reversed(Reversal { payment, kind, at: AS_OF })
    }

    fn refund(refunded: u64) -> ReversalKind {
        ReversalKind::Refund { charge: "ch_1".into(), refunded, amount: 1_900 }
    }

    #[test]
    fn a_refund_is_told_as_the_total_so_far() {
        assert_eq!(of_charge(json!({})), Ok(vec![reversal(Some("in_1"), refund(900))]));
        assert_eq!(of_charge(json!({ "invoice": null })), Ok(vec![reversal(None, refund(900))]));
        assert_eq!(of_charge(json!({ "amount_refunded": 1_900 })), Ok(vec![reversal(Some("in_1"), refund(1_900))]));
        assert_eq!(of_charge(json!({ "amount_refunded": 0 })), Ok(vec![]));
        assert_eq!(of_charge(json!({ "amount_refunded": null })), Ok(vec![]));
        assert_eq!(of_charge(json!({ "amount_refunded": 1_901 })).unwrap_err().code, "amount_mismatch");
        assert_eq!(of_charge(json!({ "amount_refunded": -1 })).unwrap_err().code, "object_unreadable");
    }

    #[test]
    fn which_invoice_it_was_is_told_first_where_it_was_asked_for() {
        let mut asked = seen(with(charge(), json!({ "invoice": null })));
        asked.links = vec![("in_1".into(), "pi_1".into())];
        let link = Effect::PaymentLinked { invoice: "in_1".into(), payment_intent: "pi_1".into() };
        assert_eq!(refunded(&asked), Ok(vec![link.clone(), reversal(None, refund(900))]));
        asked.object = json!({ "id": "dp_1", "status": "lost", "charge": "ch_1", "payment_intent": "pi_1" });
        assert_eq!(disputed(&asked), Ok(vec![link, reversal(None, ReversalKind::Dispute { dispute: "dp_1".into() })]));
    }

    #[test]
    fn a_dispute_takes_the_money_unless_it_is_an_inquiry_or_won() {
        let of = |status: Value| {
            let dispute =
                json!({ "id": "dp_1", "status": status, "charge": { "id": "ch_1" }, "payment_intent": "pi_1" });
            disputed(&seen(dispute)).unwrap()
        };
        let taken = [reversal(None, ReversalKind::Dispute { dispute: "dp_1".into() })];
        for status in ["needs_response", "under_review", "lost", "charge_refunded", "a_new_word"] {
            assert_eq!(of(json!(status)), taken, "{status}");
        }
        assert_eq!(of(Value::Null), taken);
        for status in ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"] {
            assert_eq!(of(json!(status)), [], "{status}");
        }
        assert_eq!(of(json!("won")), [Effect::DisputeWon { dispute: "dp_1".into(), at: AS_OF }]);
    }
}
