//! `tollgate entries`

use ledger::Entry;
use metering::AccountId;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, account: AccountId, limit: u32) -> Result<Answer, Failure> {
    let entries = desk.book.entries(account, None, limit).await?;
    let lines: Vec<String> = entries.iter().map(line).collect();
    let text = if lines.is_empty() { format!("{account} has no entries") } else { lines.join("\n") };
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    Ok(Answer::new(json!({ "account": account, "entries": entries }), text))
}

pub fn entry(entry: &Entry) -> Value {
    json!({
        "entry": entry.entry, "at": rfc3339(entry.at), "kind": entry.kind, "credits": entry.credits, "lapsed": entry.lapsed,
        "split": entry.split, "op": entry.op, "debit_op": entry.debit_op, "event": entry.event.map(|event| event.to_string()),
        "key_id": entry.key, "route": entry.route, "remaining_after": entry.remaining_after,
    })
}

pub fn line(entry: &Entry) -> String {
    let what = entry.op.or(entry.debit_op).map(|op| format!(" {op}")).unwrap_or_default();
    format!("{} {:>+12} {}{what}", rfc3339(entry.at), entry.credits, entry.kind.as_str())
}
