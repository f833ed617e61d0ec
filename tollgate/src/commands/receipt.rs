//! `tollgate receipt`: what a request drew, from which lots, and whether that stands.

use std::fmt::Write;

use ledger::{Entry, LotDrawn, Outcome, Receipt, ReceiptState};
use metering::{OpId, Shard};
use serde_json::{Value, json};

use super::unrecorded::Unrecorded;
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::instant::rfc3339;

pub async fn run(desk: &Desk, id: OpId) -> Result<Answer, Failure> {
    let receipts = Unrecorded::or_receipts(desk, id).await?.map_err(|known| known.refusal(id))?;
    let text: Vec<String> = receipts.iter().map(|receipt| to_text(id, receipt)).collect();
    let json: Vec<Value> = receipts.iter().map(to_json).collect();
    Ok(Answer::new(json!({ "id": id, "receipts": json }), text.join("\n\n")))
}

pub fn to_json(receipt: &Receipt) -> Value {
    let debit = &receipt.debit;
    let mut json = json!({
        "request_id": debit.op, "account": debit.account, "event": event(receipt.shard, debit), "seq": debit.seq,
        "at": rfc3339(debit.at), "recorded_at": rfc3339(receipt.recorded_at), "route": debit.route,
        "by": if debit.key.is_some() { "key" } else { "session" }, "key_id": debit.key,
        "credits": debit.credits.unsigned_abs(), "lots": receipt.lots, "remaining_after": debit.remaining_after,
        "budget": budget(receipt),
        "outcome": receipt.outcome.as_ref().map(outcome_json),
        "closed_by": receipt.after.iter().map(|entry| after(receipt.shard, entry)).collect::<Vec<_>>(),
    });
    let state = json!(receipt.state);
    for (name, value) in state.as_object().into_iter().flatten() {
        json[name] = value.clone();
    }
    if let ReceiptState::Held { until } = receipt.state {
        json["until"] = json!(rfc3339(until));
    }
    json
}

/// How the request ended, where its route has debits confirmed.
fn outcome_json(outcome: &Outcome) -> Value {
    let at = rfc3339(outcome.at);
    match &outcome.confirmed {
        None => json!({ "ended": "unconfirmed", "at": at }),
        Some(known) => json!({
            "ended": known.ended.as_str(), "at": at, "upstream_status": known.upstream_status,
            "answer_bytes": known.answer_bytes, "duration_ms": known.duration_ms,
        }),
    }
}

fn outcome_line(outcome: &Outcome) -> String {
    let at = rfc3339(outcome.at);
    match &outcome.confirmed {
        None => format!("nobody said by its deadline how the request ended: given back {at}"),
        Some(known) => {
            let answer = known.upstream_status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let (bytes, ms, ended) = (known.answer_bytes, known.duration_ms, known.ended.as_str());
            format!("upstream: {answer}, {bytes} bytes in {ms} ms, {ended}, confirmed {at}")
        }
    }
}

/// What live state said when it drew; the limit is the one of which it had heard.
fn budget(receipt: &Receipt) -> Value {
    let (debit, limit) = (&receipt.debit, receipt.before.budget.limit);
    let used_after = debit.budget_used_after.map(metering::Credits::get);
    json!({
        "limit": (!limit.is_zero()).then_some(limit),
        "used_before": used_after.map(|used| used.saturating_sub(debit.credits.unsigned_abs())),
        "used_after": used_after,
        "period_end": debit.budget_period_end.map(rfc3339),
    })
}

fn after(shard: Shard, entry: &Entry) -> Value {
    json!({
        "kind": entry.kind, "event": event(shard, entry), "op": entry.op, "at": rfc3339(entry.at), "credits": entry.credits,
        "lapsed": entry.lapsed,
    })
}

/// `s003/7-1234`; what the book itself entered has none.
fn event(shard: Shard, entry: &Entry) -> Option<String> {
    entry.event.map(|event| format!("{shard}/{event}"))
}

fn to_text(asked: OpId, receipt: &Receipt) -> String {
    let debit = &receipt.debit;
    let op = debit.op.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut text = String::new();
    // Writing to a String never fails.
    if debit.op != Some(asked) {
        let kind = receipt.after.iter().find(|entry| entry.op == Some(asked)).map_or("op", |entry| entry.kind.as_str());
        let _ = writeln!(text, "{asked} is a {kind} of the debit {op}");
    }
    let (event, seq) = (event(receipt.shard, debit).unwrap_or_default(), debit.seq.unwrap_or_default());
    let _ = writeln!(text, "{op}: {} credits, {}", debit.credits.unsigned_abs(), state(receipt.state));
    let _ = writeln!(text, "  {} event {event}, number {seq} of the account", debit.account);
    let who = debit.key.map_or_else(|| "a session".to_owned(), |key| key.to_string());
    let _ = writeln!(text, "  by {who} on {}", debit.route.as_deref().unwrap_or("an unknown route"));
    let _ = writeln!(text, "  drawn {}, in the book {}", rfc3339(debit.at), rfc3339(receipt.recorded_at));
    for lot in &receipt.lots {
        let LotDrawn { lot, drawn, before, after } = lot;
        let _ = writeln!(text, "  {lot}: {drawn} drawn, {before} before, {after} after");
    }
    if let (Some(after), Some(end)) = (debit.budget_used_after, debit.budget_period_end) {
        let (before, limit) = (after.get().saturating_sub(debit.credits.unsigned_abs()), receipt.before.budget.limit);
        let of = if limit.is_zero() { "no cap".to_owned() } else { limit.to_string() };
        let _ = writeln!(text, "  budget: {before} used before, {after} after, of {of}, until {}", rfc3339(end));
    }
    for entry in &receipt.after {
        let what = self::event(receipt.shard, entry)
            .map_or_else(|| "by the book".to_owned(), |event| format!("event {event}"));
        let _ = writeln!(text, "  {} {:+} {what}, {}", entry.kind.as_str(), entry.credits, rfc3339(entry.at));
    }
    if let Some(outcome) = &receipt.outcome {
        let _ = writeln!(text, "  {}", outcome_line(outcome));
    }
    text.trim_end().to_owned()
}

fn state(state: ReceiptState) -> String {
    match state {
        ReceiptState::Drawn => "drawn".to_owned(),
        ReceiptState::Held { until } => format!("held until {}", rfc3339(until)),
        ReceiptState::Settled { kept } => format!("settled: {kept} stay drawn"),
        ReceiptState::GivenBack => "given back".to_owned(),
        ReceiptState::UndoAsked => "being undone".to_owned(),
    }
}
