//! Events as the scripts write them into a stream: fields in their order, as bytes.

use metering::{Body, Event, StreamEntry, lots};

/// The entry that makes this event.
pub fn entry(event: &Event) -> StreamEntry {
    let fields = fields(event);
    if !matches!(event.body, Body::Debit { .. }) {
        return StreamEntry::read(event.id, bytes(&fields));
    }
    let value = |wanted| fields.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value);
    let packed = ["op", "a", "s", "i", "p", "b", "h"].map(value).join(";");
    StreamEntry::read(event.id, bytes(&[("debit", packed.trim_end_matches(';').to_owned())]))
}

/// The same with one field changed, or taken out; a debit is its fields, each on its own.
pub fn spoilt(event: &Event, field: &str, value: Option<&str>) -> StreamEntry {
    let mut fields = fields(event);
    assert!(fields.iter().any(|(name, _)| *name == field), "there is no {field} in {fields:?}");
    fields.retain(|(name, _)| *name != field || value.is_some());
    for (_, old) in fields.iter_mut().filter(|(name, _)| *name == field) {
        value.unwrap_or_default().clone_into(old);
    }
    StreamEntry::read(event.id, bytes(&fields))
}

fn bytes(fields: &[(&'static str, String)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn fields(event: &Event) -> Vec<(&'static str, String)> {
    let (number, at) = (|number: u64| number.to_string(), event.at.as_u64());
    let mut fields = vec![("v", "1".to_owned()), ("k", event.body.kind().to_owned())];
    fields.extend(event.body.account().map(|account| ("a", account.hex())));
    fields.extend(event.body.op().map(|op| ("op", op.hex())));
    if !matches!(event.body, Body::Debit { .. }) {
        fields.extend([("t", number(at))]);
        fields.extend(event.body.seq().map(|seq| ("q", number(seq))));
    }
    match &event.body {
        Body::Debit {
            seq,
            credits,
            split,
            period_end,
            remaining_after,
            budget_used_after,
            key,
            route,
            hold_until,
            ..
        } => {
            fields.extend(hold_until.map(|until| ("h", number(until.as_u64()))));
            let end = period_end.as_u64();
            fields.push(("b", format!("{seq} {at} {credits} {end} {remaining_after} {budget_used_after}")));
            fields.push(("s", lots::write(split)));
            fields.push(("i", key.map(|key| key.hex()).unwrap_or_default()));
            fields.push(("p", route.to_string()));
        }
        Body::GiveBack {
            debit_op,
            returned,
            lapsed,
            kept,
            period_end,
            remaining_after,
            budget_used_after,
            key,
            debited_at,
            ..
        } => {
            fields.extend([("of", debit_op.hex()), ("s", lots::write(returned)), ("l", lots::write(lapsed))]);
            fields.extend([("e", number(period_end.as_u64())), ("r", remaining_after.to_string())]);
            fields.push(("u", budget_used_after.to_string()));
            fields.extend(kept.map(|kept| ("kp", kept.to_string())));
            fields.extend(key.map(|key| ("i", key.hex())));
            fields.push(("d", number(debited_at.as_u64())));
        }
        Body::Undo { debit_op, not_after, kept, .. } => {
            fields.extend([("of", debit_op.hex()), ("na", number(not_after.as_u64()))]);
            fields.extend(kept.map(|kept| ("kp", kept.to_string())));
        }
        Body::Control { row, version, change, returned, lapsed, taken, .. } => {
            fields.extend([("w", number(*row)), ("cv", number(*version)), ("c", change.as_str().to_owned())]);
            fields.extend([("s", lots::write(returned)), ("l", lots::write(lapsed)), ("x", lots::write(taken))]);
        }
        Body::Installed { seq, control_version, .. } => {
            fields.extend([("q", number(*seq)), ("cv", number(*control_version))]);
        }
        Body::Confirm { credits, outcome, .. } => {
            fields.extend([("c", credits.to_string()), ("o", outcome.to_string())]);
        }
        Body::Extend { hold_until, .. } => fields.push(("h", number(hold_until.as_u64()))),
        Body::Opened => {}
    }
    fields
}
