//! How a dead letter is shown: what is known of it, and its fields as they stood.

use ledger::DeadLetter;
use metering::StreamEntry;
use serde_json::{Value, json};

use crate::instant::rfc3339;

/// Longer values are cut for people; JSON has them whole.
const VALUE_MOST: usize = 400;

pub fn json(letter: &DeadLetter) -> Value {
    json!({
        "letter": letter.letter, "kind": letter.kind, "account": letter.account, "seq": letter.seq, "op": letter.op,
        "credits": letter.credits, "occurred_at": letter.occurred_at.map(rfc3339), "reason": letter.reason,
        "follows": letter.follows, "superseded": letter.superseded, "state": letter.state,
        "parked_at": rfc3339(letter.parked_at), "resolved_at": letter.resolved_at.map(rfc3339),
    })
}

pub fn line(letter: &DeadLetter) -> String {
    let account = letter.account.map_or_else(|| "no account".to_owned(), |account| account.to_string());
    let credits = letter.credits.map(|credits| format!(" of {credits} credits")).unwrap_or_default();
    let lost = if letter.superseded { ", lost in live state since" } else { "" };
    let state = if letter.state == "open" { String::new() } else { format!(" [{}]", letter.state) };
    format!("{} {account} {}{credits}: {}{lost}{state}", letter.letter, letter.kind, letter.reason)
}

/// With the fields in their order; bytes that are no text as hex digits.
pub fn whole_json(letter: &DeadLetter, entry: Option<&StreamEntry>) -> Value {
    let mut whole = json(letter);
    let fields = entry.map(|entry| {
        let pairs = entry.readable().into_iter().map(|(name, value)| json!([readable(name), readable(value)]));
        pairs.collect::<Vec<_>>()
    });
    whole["fields"] = json!(fields);
    whole
}

pub fn whole_text(letter: &DeadLetter, entry: Option<&StreamEntry>) -> String {
    let mut lines = vec![line(letter), format!("parked at {}", rfc3339(letter.parked_at))];
    match entry {
        Some(entry) => lines.extend(entry.readable().into_iter().map(|(name, value)| {
            let value = readable(value);
            let shown: String = value.chars().take(VALUE_MOST).collect();
            let more = if shown.len() < value.len() { "…" } else { "" };
            format!("  {} = {shown}{more}", readable(name))
        })),
        None => lines.push("  its fields are longer than what is kept of them".to_owned()),
    }
    lines.join("\n")
}

/// Text without control characters, which could write anything on a terminal.
fn readable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => format!("0x{}", metering::hex(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn what_is_no_text_is_shown_as_hex_digits() {
        assert_eq!(readable(b"7:3,9:1"), "7:3,9:1");
        assert_eq!(readable(b"\x1b[2J"), "0x1b5b324a");
        assert_eq!(readable(&[0xff, 0]), "0xff00");
    }
}
