//! How a delivery is shown: how far it is and why, its body as it came, and what it changed.

use ledger::stripe::{DeliveryChange, StoredDelivery};
use serde_json::{Value, json};

use crate::columns::{aligned, plain};
use crate::instant::rfc3339;

pub fn json(stored: &StoredDelivery) -> Value {
    let delivery = &stored.delivery;
    json!({
        "event": delivery.event, "type": delivery.kind, "api_version": delivery.api_version, "livemode": delivery.live,
        "created_at": rfc3339(delivery.created), "received_at": rfc3339(stored.received_at), "state": stored.state,
        "parked": stored.parked, "attempts": stored.attempts, "postponed": stored.postponed,
        "account": stored.account, "applied_at": stored.applied_at.map(rfc3339), "next_at": rfc3339(stored.next_at),
    })
}

/// One line each, below one another.
pub fn lines(found: &[StoredDelivery]) -> Vec<String> {
    let row = |stored: &StoredDelivery| {
        let delivery = &stored.delivery;
        let account = stored.account.map_or_else(|| "-".to_owned(), |account| account.to_string());
        let (event, kind, state) = (delivery.event.clone(), delivery.kind.clone(), stored.state.to_string());
        [rfc3339(stored.received_at), event, kind, account, format!("{state}{}", because(stored))]
    };
    aligned(&found.iter().map(row).collect::<Vec<_>>())
}

/// Why it is where it is, where that needs saying.
fn because(stored: &StoredDelivery) -> String {
    match (&stored.parked, &stored.postponed) {
        (Some(why), _) => format!(": {}: {}", why.code, why.detail),
        (None, Some(why)) if stored.applied_at.is_none() => format!(": put off: {why}"),
        _ => String::new(),
    }
}

pub fn whole_json(stored: &StoredDelivery, changes: &[DeliveryChange]) -> Value {
    let mut whole = json(stored);
    whole["changes"] = changes.iter().map(change_json).collect();
    match body(stored) {
        Ok(body) => whole["body"] = body,
        Err(text) => whole["body_text"] = text.into(),
    }
    whole
}

fn change_json(change: &DeliveryChange) -> Value {
    json!({
        "at": rfc3339(change.at), "actor": change.actor, "action": change.action, "account": change.account,
        "subject": change.subject, "before": change.before, "after": change.after, "reason": change.reason,
    })
}

pub fn whole_text(stored: &StoredDelivery, changes: &[DeliveryChange]) -> String {
    let delivery = &stored.delivery;
    let mode = if delivery.live { "live" } else { "test" };
    let version = delivery.api_version.as_deref().unwrap_or("unknown");
    let account = stored.account.map_or_else(|| "no account".to_owned(), |account| account.to_string());
    let ended = stored.applied_at.map(|at| format!(", ended {}", rfc3339(at))).unwrap_or_default();
    let mut lines = vec![
        format!("{} {} is {}{}", delivery.event, delivery.kind, stored.state, because(stored)),
        format!("  about {account}; {mode} mode, API version {version}"),
        format!("  happened {}, came {}{ended}", rfc3339(delivery.created), rfc3339(stored.received_at)),
        format!("  attempts: {}", stored.attempts),
    ];
    lines.extend(changes.iter().map(|change| {
        let subject = change.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        let after = change.after.as_ref().map(|after| format!(": {after}")).unwrap_or_default();
        format!("  {} {} {}{subject}{after}", rfc3339(change.at), change.actor, change.action)
    }));
    if changes.is_empty() {
        lines.push("  it has changed nothing".to_owned());
    }
    let body = match body(stored) {
        Ok(body) => format!("{body:#}"),
        Err(text) => text,
    };
    lines.iter().map(String::as_str).chain(body.lines()).map(plain).collect::<Vec<_>>().join("\n")
}

/// The body as JSON, or as text where it is none.
fn body(stored: &StoredDelivery) -> Result<Value, String> {
    let bytes = &stored.delivery.body;
    serde_json::from_slice(bytes).map_err(|_| String::from_utf8_lossy(bytes).into_owned())
}
