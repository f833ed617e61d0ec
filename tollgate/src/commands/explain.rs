//! `tollgate explain`: why a request was let in or refused, check by check, with the numbers at that instant.

mod checks;
pub mod refused;

use ledger::Receipt;
use metering::OpId;
use serde_json::{Value, json};

use super::{receipt, unrecorded::Unrecorded};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use checks::{Check, checks};

pub async fn run(desk: &Desk, request: OpId) -> Result<Answer, Failure> {
    let receipts = match Unrecorded::or_receipts(desk, request).await? {
        Ok(receipts) => receipts,
        Err(Unrecorded::Unknown) => return Err(Unrecorded::Unknown.refusal(request)),
        Err(Unrecorded::Refused(refusal)) => {
            let decisions = json!({ "id": request, "decisions": [refused::json(&refusal)] });
            return Ok(Answer::new(decisions, refused::text(&refusal)));
        }
        Err(known) => return Ok(Answer::new(known.json(request), known.told(request))),
    };
    let explained: Vec<(Value, String)> = receipts.iter().map(explain).collect();
    let text: Vec<&str> = explained.iter().map(|(_, text)| text.as_str()).collect();
    let json: Vec<&Value> = explained.iter().map(|(json, _)| json).collect();
    Ok(Answer::new(json!({ "id": request, "decisions": json }), text.join("\n\n")))
}

/// A debit that was drawn has passed every check; the book's numbers must bear that out.
fn explain(drawn: &Receipt) -> (Value, String) {
    let checks = checks(drawn);
    let price = drawn.debit.credits.unsigned_abs();
    let op = drawn.debit.op.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![format!("{op}: {price} credits were drawn from {}", drawn.debit.account)];
    lines.extend(checks.iter().map(Check::line));
    let json = json!({
        "request_id": drawn.debit.op, "account": drawn.debit.account, "decision": "drawn", "price": price,
        "balance_before": drawn.before.remaining, "checks": checks.iter().map(Check::json).collect::<Vec<_>>(),
        "receipt": receipt::to_json(drawn),
    });
    (json, lines.join("\n"))
}
