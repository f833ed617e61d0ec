//! The checks of a debit in their order, each with the numbers that the book has of the instant before it.

use ledger::{LotDrawn, LotState, PastLot, Receipt};
use metering::{Credits, LotId};
use serde_json::{Value, json};

use crate::commands::balance;
use crate::instant::rfc3339;

/// One check that a debit passed.
pub struct Check {
    name: &'static str,
    told: String,
    numbers: Value,
    /// Whether the book's numbers say so, too; `None` where only live state counts.
    borne_out: Option<bool>,
}

impl Check {
    pub fn line(&self) -> String {
        let doubt = if self.borne_out == Some(false) { "; THE BOOK'S NUMBERS DO NOT BEAR THIS OUT" } else { "" };
        format!("  passed {}: {}{doubt}", self.name, self.told)
    }

    pub fn json(&self) -> Value {
        json!({ "check": self.name, "passed": true, "borne_out": self.borne_out, "told": self.told, "numbers": self.numbers })
    }
}

/// In the order of `debit.lua`.
pub fn checks(drawn: &Receipt) -> Vec<Check> {
    vec![
        status(drawn),
        key(drawn),
        idempotency_key(drawn),
        caps(drawn),
        only_live("rate", "what a key's rates had let pass is counted in live state only"),
        budget(drawn),
        lots(drawn),
        only_live("exposure", "how much the book was behind is counted in live state only"),
    ]
}

fn only_live(name: &'static str, why: &str) -> Check {
    Check { name, told: why.to_owned(), numbers: Value::Null, borne_out: None }
}

fn status(drawn: &Receipt) -> Check {
    let status = drawn.before.status;
    let told = status.map_or_else(|| "the book knows of none".to_owned(), |status| format!("the account was {status}"));
    let borne_out = Some(status.is_some_and(metering::Status::may_spend));
    Check { name: "status", told, numbers: json!({ "status": status }), borne_out }
}

fn key(drawn: &Receipt) -> Check {
    let Some(key) = drawn.key else {
        let told = "a session asked, not a key".to_owned();
        return Check { name: "key", told, numbers: Value::Null, borne_out: None };
    };
    let told = format!("{} was {}", key.key, if key.revoked { "revoked" } else { "not revoked" });
    let numbers = json!({ "key_id": key.key, "revoked": key.revoked });
    Check { name: "key", told, numbers, borne_out: Some(!key.revoked) }
}

fn idempotency_key(drawn: &Receipt) -> Check {
    let under = drawn.under_idempotency_key;
    let told = if under {
        "the first request under its Idempotency-Key"
    } else {
        "no Idempotency-Key that still holds; it is kept a day, and goes when the debit is given back"
    };
    Check { name: "idempotency_key", told: told.to_owned(), numbers: json!({ "held": under }), borne_out: None }
}

fn caps(drawn: &Receipt) -> Check {
    let Some(key) = drawn.key.filter(|key| !key.caps.is_empty()) else {
        let told = "none were set for who asked".to_owned();
        return Check { name: "caps", told, numbers: Value::Null, borne_out: None };
    };
    let price = drawn.debit.credits.unsigned_abs();
    let fits =
        |cap: Option<Credits>, used: Credits| cap.is_none_or(|cap| used.get().saturating_add(price) <= cap.get());
    let parts = [("a day", key.caps.day, key.day_used), ("a budget period", key.caps.month, key.period_used)];
    let told =
        parts.iter().filter_map(|(what, cap, used)| cap.map(|cap| format!("{used} + {price} of {cap} credits {what}")));
    let told = told.collect::<Vec<_>>().join(", ");
    let numbers = json!({ "caps": key.caps, "day_used": key.day_used, "period_used": key.period_used, "price": price });
    // What a key drew before live state heard of its cap is in the book and was not counted there, so a cap may look passed over.
    let borne_out = Some(parts.iter().all(|(_, cap, used)| fits(*cap, *used)));
    Check { name: "caps", told, numbers, borne_out }
}

fn budget(drawn: &Receipt) -> Check {
    let (budget, price) = (drawn.before.budget, drawn.debit.credits.unsigned_abs());
    let numbers = json!({ "budget": balance::budget(&drawn.before), "price": price });
    if budget.limit.is_zero() {
        return Check { name: "budget", told: "none was set".to_owned(), numbers, borne_out: None };
    }
    let told = format!("{} + {price} of {} credits, until {}", budget.used, budget.limit, rfc3339(budget.resets_at));
    let borne_out = Some(budget.used.get().saturating_add(price) <= budget.limit.get());
    Check { name: "budget", told, numbers, borne_out }
}

/// The lots that could be drawn, and those that pay: earliest expiry first, then oldest grant, then number.
fn lots(drawn: &Receipt) -> Check {
    let eligible: Vec<&PastLot> = drawn.before.lots.iter().filter(|lot| lot.state == LotState::Live).collect();
    let price = drawn.debit.credits.unsigned_abs();
    let paid: Vec<String> = drawn.lots.iter().map(|lot| paid(lot, &eligible)).collect();
    let told = format!(
        "{} credits in {} lots, price {price}; earliest expiry first: {}",
        drawn.before.remaining,
        eligible.len(),
        paid.join(", ")
    );
    let expected = burn(&eligible, price);
    let found: Vec<(LotId, u64)> = drawn.lots.iter().map(|lot| (lot.lot, lot.drawn.get())).collect();
    let numbers = json!({
        "eligible": eligible.iter().map(|lot| balance::lot(lot)).collect::<Vec<_>>(), "drawn": drawn.lots, "price": price,
    });
    Check { name: "lots", told, numbers, borne_out: Some(expected == found) }
}

fn paid(lot: &LotDrawn, eligible: &[&PastLot]) -> String {
    let end = eligible.iter().find(|known| known.lot == lot.lot).map(|known| rfc3339(known.expires_at));
    format!("{} of {} (until {})", lot.drawn, lot.lot, end.unwrap_or_else(|| "an unknown end".to_owned()))
}

fn burn(eligible: &[&PastLot], mut due: u64) -> Vec<(LotId, u64)> {
    let mut split = Vec::new();
    for lot in eligible {
        let part = lot.remaining.get().min(due);
        if part == 0 {
            break;
        }
        split.push((lot.lot, part));
        due = due.saturating_sub(part);
    }
    split
}
