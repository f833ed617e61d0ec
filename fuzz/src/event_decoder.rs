//! Whatever stands in a shard's stream: it is refused, or it is one event, which is the same when it is written and read again.

use std::collections::HashMap;

use metering::{Body, Event, EventId, StreamEntry, event, lots};
use serde_json::Value;

/// What live state can count, and JSON readers can read.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// The input is an id, then a field a line: its name, a blank, its value, in which a NUL stands for a line feed.
pub fn event_decoder(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let id = lines.next().unwrap_or_default();
    let mut fields: HashMap<String, String> = HashMap::new();
    for line in lines {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        fields.insert(name.to_owned(), value.replace('\0', "\n"));
    }
    assert_entries(id, &fields);
    let Ok(event) = event::decode(id, &fields) else { return };
    let packed = fields.get("debit").filter(|_| fields.len() == 1).cloned();
    if let Some(packed) = packed {
        let parts = event::unpack(&packed).expect("it was read");
        fields = parts.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect();
        assert_eq!(event::decode(id, &fields).as_ref(), Ok(&event), "packed as {packed}");
    }
    assert_eq!(fields["k"], event.body.kind());
    // The book keeps events as JSON, too.
    let json = serde_json::to_value(&event).expect("an event is JSON");
    assert_bounded(&json);
    assert_eq!(serde_json::from_value::<Event>(json).ok().as_ref(), Some(&event));
    let own = written(&event);
    let mut again = fields.clone();
    again.extend(optional(&event));
    again.extend(own.iter().map(|(field, value)| ((*field).to_owned(), value.clone())));
    assert_eq!(event::decode(&event.id.to_string(), &again).as_ref(), Ok(&event), "written as {own:?}");
    for (field, _) in own {
        // Each is needed, so that an event can't lose a part of it on the way and still be read.
        let mut without = fields.clone();
        without.remove(field);
        assert!(event::decode(id, &without).is_err(), "without {field}");
    }
}

/// What stands at one id is one event or many that follow each other up to that id, and nothing of it is lost.
fn assert_entries(id: &str, fields: &HashMap<String, String>) {
    let Ok(id) = id.parse::<EventId>() else { return };
    let stored: Vec<_> =
        fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
    let entries = StreamEntry::read_all(id, stored.clone());
    let last = entries.last().expect("an entry is at least one event, or none that can be read");
    assert_eq!(last.id, id);
    for two in entries.windows(2) {
        assert_eq!(two[0].id.sequence + 1, two[1].id.sequence);
    }
    if let [entry] = entries.as_slice() {
        assert_eq!(entry.fields, stored);
        return;
    }
    let mut values = entries.iter().map(|entry| entry.fields[0].1.as_slice());
    for line in stored[0].1.split(|&byte| byte == b'\n') {
        assert_line(line, &mut values);
    }
    assert_eq!(values.next(), None);
}

/// A line is a debit, or several that drew alike: each has its own op and what the line says of them, the first as it stands; one that can't be
/// read stands for each of them.
fn assert_line<'a>(line: &[u8], values: &mut impl Iterator<Item = &'a [u8]>) {
    let (ops, what) = line.split_at(line.iter().position(|&byte| byte == b';').unwrap_or(line.len()));
    let ops: Vec<&[u8]> = ops.split(|&byte| byte == b',').collect();
    let read: Vec<&[u8]> = values.take(ops.len()).collect();
    assert_eq!(read.len(), ops.len(), "as many as there are ops");
    if read.iter().all(|value| *value == line) {
        return;
    }
    assert_eq!(read[0], [ops[0], what].concat());
    let numbers = what.iter().rposition(|&byte| byte == b';').expect("it was read");
    for (value, op) in read.iter().zip(ops) {
        assert!(value.starts_with(&[op, &what[..=numbers]].concat()));
    }
}

/// The fields that an event may have or lack.
fn optional(event: &Event) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    match &event.body {
        Body::Debit { hold_until, idempotency, .. } => {
            fields.extend(hold_until.map(|until| ("h", until.as_u64().to_string())));
            fields.extend(idempotency.map(|under| {
                let (key, fingerprint) = (under.key.hex(), under.fingerprint.hex());
                ("y", format!("{key} {fingerprint} {}", under.in_use_until.as_u64()))
            }));
        }
        Body::GiveBack { key, debited_at, .. } => {
            fields.extend(key.map(|key| ("i", key.hex())));
            fields.push(("d", debited_at.as_u64().to_string()));
        }
        Body::Undo { kept, .. } => fields.extend(kept.map(|kept| ("kp", kept.to_string()))),
        Body::Opened | Body::Installed { .. } | Body::Confirm { .. } | Body::Extend { .. } | Body::Control { .. } => {}
    }
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// The fields that make this event, as the scripts write them.
fn written(event: &Event) -> Vec<(&'static str, String)> {
    let mut fields = vec![("v", event::SCHEMA_VERSION.to_owned())];
    fields.extend(event.body.account().map(|account| ("a", account.hex())));
    fields.extend(event.body.op().map(|op| ("op", op.hex())));
    let number = |number: u64| number.to_string();
    fields.extend(match &event.body {
        Body::Debit { seq, credits, split, period_end, remaining_after, budget_used_after, key, route, .. } => vec![
            (
                "b",
                format!(
                    "{seq} {} {credits} {} {remaining_after} {budget_used_after}",
                    event.at.as_u64(),
                    period_end.as_u64()
                ),
            ),
            ("s", lots::write(split)),
            ("i", key.map(|key| key.hex()).unwrap_or_default()),
            ("p", route.to_string()),
        ],
        Body::Installed { seq, control_version, .. } => vec![("q", number(*seq)), ("cv", number(*control_version))],
        Body::GiveBack {
            seq,
            debit_op,
            returned,
            lapsed,
            kept,
            period_end,
            remaining_after,
            budget_used_after,
            ..
        } => [
            ("q", number(*seq)),
            ("of", debit_op.hex()),
            ("s", lots::write(returned)),
            ("l", lots::write(lapsed)),
            ("e", number(period_end.as_u64())),
            ("r", remaining_after.to_string()),
            ("u", budget_used_after.to_string()),
        ]
        .into_iter()
        .chain(kept.map(|kept| ("kp", kept.to_string())))
        .collect(),
        Body::Undo { seq, debit_op, not_after, .. } => {
            vec![("q", number(*seq)), ("of", debit_op.hex()), ("na", number(not_after.as_u64()))]
        }
        Body::Confirm { credits, outcome, .. } => vec![("c", credits.to_string()), ("o", outcome.to_string())],
        Body::Extend { hold_until, .. } => vec![("h", number(hold_until.as_u64()))],
        Body::Control { seq, row, version, returned, lapsed, taken, .. } => vec![
            ("q", number(*seq)),
            ("w", number(*row)),
            ("cv", number(*version)),
            ("s", lots::write(returned)),
            ("l", lots::write(lapsed)),
            ("x", lots::write(taken)),
        ],
        Body::Opened => vec![],
    });
    fields
}

fn assert_bounded(value: &Value) {
    match value {
        Value::Number(number) => assert!(number.as_u64().is_some_and(|number| number <= NUMBER_MAX), "{number}"),
        Value::Array(values) => values.iter().for_each(assert_bounded),
        Value::Object(values) => values.values().for_each(assert_bounded),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn every_entry_that_was_kept_is_one_event_or_none() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/event_decoder");
        let mut count = 0;
        for entry in std::fs::read_dir(&kept).unwrap() {
            let file = entry.unwrap().path();
            // Shown only when the test fails, and then the last line names the input.
            println!("{}", file.display());
            super::event_decoder(&std::fs::read(&file).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{} holds {count} inputs", kept.display());
    }
}
