//! A request that was refused: which check did not let it through, and which it had passed by then.

use ledger::Refusal;
use serde_json::{Value, json};

use crate::instant::rfc3339;

/// The checks of a debit, in the order of `debit.lua`, each with the codes it refuses with.
const CHECKS: [(&str, &[&str]); 8] = [
    ("status", &["account_suspended", "account_pending", "payment_failed"]),
    ("key", &[]), // told by its reason: a key that is not there is refused before anything is asked of the balance
    ("idempotency_key", &["idempotency_key_in_use", "idempotency_key_used", "idempotency_key_mismatch"]),
    ("caps", &["key_cap_exhausted"]),
    ("rate", &["rate_limited"]),
    ("budget", &["budget_exhausted"]),
    ("lots", &["credits_exhausted"]),
    ("exposure", &[]), // told by its reason, among others of `meter_unavailable`
];

/// The check that refused; `None` where the request came to none of them.
fn refused_by(refusal: &Refusal) -> Option<usize> {
    let reason = refusal.detail.get("reason").and_then(Value::as_str);
    let name = match (refusal.code.as_str(), reason) {
        ("invalid_api_key", Some("revoked")) => "key",
        ("meter_unavailable", Some("exposure_cap")) => "exposure",
        (code, _) => return CHECKS.iter().position(|(_, codes)| codes.contains(&code)),
    };
    CHECKS.iter().position(|(check, _)| *check == name)
}

pub fn json(refusal: &Refusal) -> Value {
    let by = refused_by(refusal);
    let passed = CHECKS.iter().take(by.unwrap_or(0)).map(|(check, _)| json!({ "check": check, "passed": true }));
    let failed = by.map(|at| json!({ "check": CHECKS[at].0, "passed": false, "numbers": refusal.detail }));
    json!({
        "request_id": refusal.request, "account": refusal.account, "key_id": refusal.key, "route": refusal.route,
        "decision": "refused", "code": refusal.code, "price": refusal.price, "numbers": refusal.detail,
        "gateway": refusal.gateway, "at": rfc3339(refusal.at), "checks": passed.chain(failed).collect::<Vec<_>>(),
    })
}

pub fn text(refusal: &Refusal) -> String {
    let numbers = numbers(&refusal.detail);
    let who = refusal.account.map_or_else(|| "nobody who could be told".to_owned(), |account| account.to_string());
    let on = refusal.route.as_deref().unwrap_or("no route");
    let mut lines = vec![format!(
        "{}: refused as {} at {} by {}; from {who}, on {on}; nothing was drawn",
        refusal.request,
        refusal.code,
        rfc3339(refusal.at),
        refusal.gateway
    )];
    match refused_by(refusal) {
        Some(at) => {
            lines.extend(CHECKS.iter().take(at).map(|(check, _)| format!("  passed {check}")));
            lines.push(format!("  REFUSED by {}: {numbers}", CHECKS[at].0));
        }
        None => lines.push(format!("  before anything was asked of the balance: {numbers}")),
    }
    lines.join("\n")
}

/// `price 3, remaining 2`.
fn numbers(detail: &Value) -> String {
    let named = detail.as_object().into_iter().flatten().map(|(name, value)| match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    });
    let told = named.collect::<Vec<_>>().join(", ");
    if told.is_empty() { "no numbers belong to it".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use metering::{OpId, TimeMs};
    use uuid::Uuid;

    use super::*;

    fn refusal(code: &str, detail: Value) -> Refusal {
        Refusal {
            request: OpId::from_uuid(Uuid::from_u128(7)),
            account: None,
            key: None,
            route: Some("messages".to_owned()),
            code: code.to_owned(),
            price: None,
            detail,
            gateway: "one".to_owned(),
            at: TimeMs::EPOCH,
        }
    }

    #[test]
    fn what_came_before_the_check_that_refused_was_passed() {
        let told = text(&refusal("budget_exhausted", json!({ "budget_limit": 40, "budget_used": 39, "price": 2 })));
        assert!(told.contains("passed rate\n  REFUSED by budget: budget_limit 40, budget_used 39, price 2"), "{told}");
        let checks = json(&refusal("credits_exhausted", json!({ "remaining": 1, "price": 2 })));
        assert_eq!(checks["checks"].as_array().map(Vec::len), Some(7));
        assert_eq!(
            checks["checks"][6],
            json!({ "check": "lots", "passed": false, "numbers": { "remaining": 1, "price": 2 } })
        );
    }

    #[test]
    fn what_a_check_of_the_debit_did_not_refuse_came_to_none() {
        for (code, reason, by) in [
            ("invalid_api_key", "revoked", Some(1)),
            ("invalid_api_key", "unknown", None),
            ("meter_unavailable", "exposure_cap", Some(7)),
            ("meter_unavailable", "away", None),
            ("no_route", "", None),
            ("account_pending", "", Some(0)),
        ] {
            assert_eq!(refused_by(&refusal(code, json!({ "reason": reason }))), by, "{code} {reason}");
        }
    }
}
