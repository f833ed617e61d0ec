//! What was so before and what is so since, side by side: every value that a line has.

use std::collections::BTreeSet;

use ledger::ActivityLine;
use metering::TimeMs;
use serde_json::Value;

use crate::show;

/// One value of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What it is.
    pub name: String,
    /// As it was; empty where it was not.
    pub before: String,
    /// As it is.
    pub after: String,
}

/// All of them, by name.
pub fn of(line: &ActivityLine) -> Vec<Detail> {
    side_by_side(line.before.as_ref(), line.after.as_ref())
}

fn side_by_side(before: Option<&Value>, after: Option<&Value>) -> Vec<Detail> {
    let members = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (members(before), members(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|name| Detail {
            name: name.replace('_', " "),
            before: before.get(name).map(|value| shown(name, value)).unwrap_or_default(),
            after: after.get(name).map(|value| shown(name, value)).unwrap_or_default(),
        })
        .filter(|detail| !(detail.before.is_empty() && detail.after.is_empty()))
        .collect()
}

fn is_time(name: &str) -> bool {
    name == "at" || name.ends_with("_at")
}

/// Times are told by the name: milliseconds in the audit, text in what Postgres puts together.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => match text.parse::<jiff::Timestamp>().ok().filter(|_| is_time(name)) {
            Some(at) => show::instant(TimeMs::new(u64::try_from(at.as_millisecond()).unwrap_or(0))),
            None => text.clone(),
        },
        Value::Number(number) => match number.as_u64() {
            Some(at) if is_time(name) => show::instant(TimeMs::new(at)),
            Some(number) => show::number(number),
            None => number.to_string(),
        },
        Value::Array(values) => values.iter().map(|value| shown("", value)).collect::<Vec<_>>().join(", "),
        Value::Object(members) if members.is_empty() => "none".to_owned(),
        Value::Object(members) => {
            let one = |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), shown(name, value));
            members.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_stand_side_by_side_and_those_that_are_nothing_are_left_out() {
        let before = json!({ "expires_at": 1_795_665_600_000_u64, "gone": "x", "at": "2026-11-26T04:00:00.5+00:00" });
        let after = json!({ "expires_at": null, "policy": { "caps": { "day": 1_000 } }, "low_balance": false, "nothing": null });
        let told: Vec<String> = side_by_side(Some(&before), Some(&after))
            .into_iter()
            .map(|detail| format!("{}: {} → {}", detail.name, detail.before, detail.after).replace('\u{202f}', " "))
            .collect();
        assert_eq!(
            told,
            [
                "at: 2026-11-26 04:00 UTC → ",
                "expires at: 2026-11-26 04:00 UTC → ",
                "gone: x → ",
                "low balance:  → no",
                "policy:  → caps day 1 000",
            ]
        );
        assert!(side_by_side(None, Some(&json!("no object"))).is_empty());
    }
}
