//! Our own form, for whatever provider an adapter is written for:
//! `{"id":"…","message_id":"<…>","kind":"bounced","address":"…","at":"2026-11-26T03:59:00Z","detail":"…"}`.

use ledger::mails::{EventKind, MailReport};
use serde_json::Value;

use super::{Told, text, time};

const PROVIDER: &str = "generic";

/// One fact about one message and one address. What it says beside is not looked at.
pub fn read(value: &Value) -> Result<Told, &'static str> {
    let event = text(&value["id"]).ok_or("it has no id")?;
    let message = text(&value["message_id"]).ok_or("it has no message_id")?;
    let what = match text(&value["kind"]).ok_or("it has no kind")? {
        "delivered" => EventKind::Delivered,
        "delayed" => EventKind::Delayed,
        "bounced" => EventKind::Bounced,
        "complained" => EventKind::Complained,
        // Opened, clicked and the like: providers have many.
        _ => return Ok(Told::Nothing("mail.other")),
    };
    let at = time(&value["at"]).ok_or("its at is no time: RFC 3339, or seconds since 1970")?;
    Ok(Told::Reports(vec![MailReport {
        provider: PROVIDER.to_owned(),
        event: event.to_owned(),
        messages: vec![message.to_owned()],
        what,
        address: text(&value["address"]).map(str::to_owned),
        at,
        code: text(&value["code"]).map(str::to_owned),
        detail: text(&value["detail"]).map(str::to_owned),
    }]))
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({ "id": "e1", "message_id": "<m@x>", "kind": "bounced", "address": "a@x", "at": "2026-11-26T03:59:00Z", "detail": "no" })
    }

    #[test]
    fn a_fact_is_read_whole() {
        let Ok(Told::Reports(reports)) = read(&good()) else { panic!("it is one") };
        let wanted = MailReport {
            provider: "generic".to_owned(),
            event: "e1".to_owned(),
            messages: vec!["<m@x>".to_owned()],
            what: EventKind::Bounced,
            address: Some("a@x".to_owned()),
            at: TimeMs::new(1_795_665_540_000),
            code: None,
            detail: Some("no".to_owned()),
        };
        assert_eq!(reports, [wanted]);
        let mut seconds = good();
        seconds["at"] = 1_795_665_540.into();
        let Ok(Told::Reports(of_seconds)) = read(&seconds) else { panic!("it is one") };
        assert_eq!(of_seconds, reports);
    }

    #[test]
    fn what_is_missing_is_named_and_other_kinds_are_passed_over() {
        for (key, why) in [("id", "id"), ("message_id", "message_id"), ("kind", "kind"), ("at", "at")] {
            for bad in [json!(null), json!(""), json!(7.5), json!("soon"), json!(-1)] {
                let mut value = good();
                value[key] = bad.clone();
                match read(&value) {
                    Err(told) => assert!(told.contains(why), "{key} {bad}: {told}"),
                    Ok(_) => assert!(bad == "soon" && key != "at", "{key} {bad}"),
                }
            }
        }
        let mut opened = good();
        opened["kind"] = "opened".into();
        assert!(matches!(read(&opened), Ok(Told::Nothing("mail.other"))));
    }
}
