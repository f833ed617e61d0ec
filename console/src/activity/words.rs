//! An activity as a sentence for people.

use ledger::ActivityLine;
use metering::{Status, TimeMs};
use serde_json::Value;

use crate::show;

/// What happened.
pub fn sentence(line: &ActivityLine) -> String {
    let said = Said { before: line.before.as_ref(), after: line.after.as_ref(), subject: line.subject.as_deref() };
    match line.what.as_str() {
        what if what.starts_with("mail_") && said.after("mail").is_some() => said.mail(what),
        what if line.actor == "stripe" && what.contains('.') => said.delivery(what),
        what => said.change(what).unwrap_or_else(|| plain(what)),
    }
}

/// Who did it; services are called by their names.
pub fn actor(actor: &str) -> &str {
    match actor {
        "stripe" => "Stripe",
        "tollgate" => "Tollgate",
        other => other,
    }
}

/// `low_balance` is “low balance”.
pub fn plain(word: &str) -> String {
    show::first_large(&word.replace('_', " "))
}

/// What a line says beside its word.
struct Said<'a> {
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    subject: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn before(&self, name: &str) -> Option<&'a Value> {
        self.before?.get(name).filter(|value| !value.is_null())
    }

    fn after(&self, name: &str) -> Option<&'a Value> {
        self.after?.get(name).filter(|value| !value.is_null())
    }

    /// Text after the change; a stroke where there is none.
    fn text(&self, name: &str) -> &'a str {
        self.after(name).and_then(Value::as_str).unwrap_or("–")
    }

    fn subject(&self) -> &'a str {
        self.subject.unwrap_or("–")
    }

    /// What the audit says; `None` for words that are not known here.
    fn change(&self, what: &str) -> Option<String> {
        self.of_account(what)
            .or_else(|| self.of_lot(what))
            .or_else(|| self.of_key(what))
            .or_else(|| self.of_notices(what))
    }

    fn of_account(&self, what: &str) -> Option<String> {
        Some(match what {
            "account_created" => format!("Account made, {}", status(self.after("status")).to_lowercase()),
            "status_set" => {
                format!("Status set from {} to {}", status(self.before("status")), status(self.after("status")))
            }
            "budget_set" => {
                format!("Budget set from {} to {}", budget(self.before("limit")), budget(self.after("limit")))
            }
            "sessions_ended" => match self.subject {
                Some(person) => format!("Sessions of {person} ended"),
                None => "All sessions ended".to_owned(),
            },
            "checkout_opened" => format!("Checkout opened for the plan {}", self.text("plan")),
            "stripe_customer_linked" => format!("Stripe customer {} belongs to this account", self.subject()),
            "delivery_replayed" => format!("Delivery {} of Stripe is to be applied once more", self.subject()),
            "delivery_resolved" => format!("Delivery {} of Stripe was put aside", self.subject()),
            "rebuild_asked" => "A rebuild of the live balance was asked for".to_owned(),
            _ => return None,
        })
    }

    fn of_lot(&self, what: &str) -> Option<String> {
        let lot = self.subject();
        Some(match what {
            "lot_granted" => {
                let (credits, product) = (number(self.after("credits")), self.text("product"));
                format!("Lot of {credits} {product} credits granted, until {}", at(self.after("expires_at")))
            }
            "lot_expiry_moved" => {
                let (from, to) = (at(self.before("expires_at")), at(self.after("expires_at")));
                format!("Expiry of {lot} moved from {from} to {to}")
            }
            "lot_reduced" => {
                let (most, had) = (number(self.after("takes_at_most")), number(self.before("remaining")));
                format!("Up to {most} credits taken out of {lot}, which had {had}")
            }
            _ => return None,
        })
    }

    fn of_key(&self, what: &str) -> Option<String> {
        Some(match what {
            "key_issued" => format!("API key “{}” made", self.text("name")),
            "key_rotated" => format!("API key replaced; the old one is good until {}", at(self.after("expires_at"))),
            "key_policy_set" => "API key held to other caps, scopes or addresses".to_owned(),
            "key_revoked" => "API key revoked".to_owned(),
            _ => return None,
        })
    }

    fn of_notices(&self, what: &str) -> Option<String> {
        Some(match what {
            "notice_settings_set" => {
                let on = |name| if self.after(name) == Some(&Value::Bool(true)) { "on" } else { "off" };
                let to = match self.after("recipients").and_then(Value::as_array).map_or(0, Vec::len) {
                    0 => "the account's own address".to_owned(),
                    1 => "1 address".to_owned(),
                    many => format!("{many} addresses"),
                };
                format!(
                    "Notices set: low balance {}, plan and payments {}, to {to}",
                    on("low_balance"),
                    on("lifecycle")
                )
            }
            "address_suppressed" => format!("{} is not written to any more: {}", self.subject(), self.text("reason")),
            "address_unsuppressed" => format!("{} may be written to again", self.subject()),
            "mail_resent" => format!("{} is to be sent again", plain(self.subject())),
            _ => return None,
        })
    }

    /// What became of a mail.
    fn mail(&self, what: &str) -> String {
        let kind = self.text("mail").replace('_', " ");
        let became = what.trim_start_matches("mail_").replace('_', " ");
        let to = self.after("address").and_then(Value::as_str).map(|to| format!(", to {to}")).unwrap_or_default();
        format!("Mail “{kind}”: {became}{to}")
    }

    /// What Stripe told, and how far it is.
    fn delivery(&self, what: &str) -> String {
        match self.after("state").and_then(Value::as_str) {
            None | Some("applied") => format!("Stripe: {what}"),
            Some("ignored") => format!("Stripe: {what}, nothing to do"),
            Some("parked") => format!("Stripe: {what}, waits for an operator"),
            Some("resolved") => format!("Stripe: {what}, put aside by an operator"),
            Some(state) => format!("Stripe: {what}, {state}"),
        }
    }
}

fn status(value: Option<&Value>) -> &'static str {
    let status = value.and_then(Value::as_str).and_then(|word| word.parse::<Status>().ok());
    status.map_or("–", show::status)
}

fn budget(value: Option<&Value>) -> String {
    match value.and_then(Value::as_u64) {
        None => "–".to_owned(),
        Some(0) => "no cap".to_owned(),
        Some(1) => "1 credit".to_owned(),
        Some(credits) => format!("{} credits", show::number(credits)),
    }
}

fn number(value: Option<&Value>) -> String {
    value.and_then(Value::as_u64).map_or("–".to_owned(), show::number)
}

fn at(value: Option<&Value>) -> String {
    value.and_then(Value::as_u64).map_or("–".to_owned(), |at| show::instant(TimeMs::new(at)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(what: &str, subject: &str, before: &Value, after: &Value) -> String {
        let said = Said { before: Some(before), after: Some(after), subject: Some(subject) };
        said.change(what).unwrap().replace('\u{202f}', " ")
    }

    #[test]
    fn changes_are_told_with_what_was_and_what_is() {
        let none = json!(null);
        assert_eq!(
            said("budget_set", "", &json!({ "limit": 0 }), &json!({ "limit": 800 })),
            "Budget set from no cap to 800 credits"
        );
        assert_eq!(
            said("status_set", "", &json!({ "status": "active" }), &json!({ "status": "payment_failed" })),
            "Status set from Active to Payment failed"
        );
        let lot = json!({ "credits": 12_000, "product": "Team", "expires_at": 1_795_665_600_000_u64 });
        assert_eq!(
            said("lot_granted", "lot_1", &none, &lot),
            "Lot of 12 000 Team credits granted, until 2026-11-26 04:00 UTC"
        );
        assert_eq!(said("key_issued", "key_1", &none, &json!({ "name": "ci" })), "API key “ci” made");
        let notices =
            json!({ "low_balance": true, "lifecycle": false, "recipients": ["a@example.org", "b@example.org"] });
        assert_eq!(
            said("notice_settings_set", "", &none, &notices),
            "Notices set: low balance on, plan and payments off, to 2 addresses"
        );
    }

    #[test]
    fn mails_and_deliveries_are_told_with_what_became_of_them() {
        let of = |after: Value| Said { before: None, after: Some(Box::leak(Box::new(after))), subject: None };
        let mail = json!({ "mail": "low_balance", "address": "ann@example.org", "code": null });
        assert_eq!(of(mail).mail("mail_held_back"), "Mail “low balance”: held back, to ann@example.org");
        assert_eq!(of(json!({ "state": "applied" })).delivery("invoice.paid"), "Stripe: invoice.paid");
        assert_eq!(
            of(json!({ "state": "parked" })).delivery("charge.refunded"),
            "Stripe: charge.refunded, waits for an operator"
        );
    }

    #[test]
    fn a_word_that_is_not_known_and_a_value_that_is_missing_are_shown_as_they_are() {
        let empty = Said { before: None, after: None, subject: None };
        assert_eq!(empty.change("offers_synced"), None);
        assert_eq!(plain("offers_synced"), "Offers synced");
        assert_eq!(empty.change("lot_granted").unwrap(), "Lot of – – credits granted, until –");
        assert_eq!(
            (plain(""), actor("stripe"), actor("ann@example.org")),
            (String::new(), "Stripe", "ann@example.org")
        );
    }
}
