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
