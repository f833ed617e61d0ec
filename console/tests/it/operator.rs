//! The operators' side: what they see, and that each change is confirmed, done once, and in the audit with who, what, before, after and why.

mod api;
mod confirmed;
mod deliveries;
mod found;
mod grants;
mod letters;
mod lots;
mod mails;
mod reconcile;
mod roles;
mod status;
mod truth;

use ledger::{ActivityFilter, ActivityLine};
use metering::AccountId;
use serde_json::Value;

use crate::house::{Answer, House, Person};

/// Why the operators of these stories do what they do.
pub const WHY: &str = "support case 7: granted twice";

/// Somebody who runs the installation; of an account that is nobody else's.
pub async fn operator(house: &House) -> Person {
    let own = house.account("Operators", metering::Status::Active, 0).await;
    house.person_called(own, "olga@example.org", &["operator"])
}

/// A change as an operator makes it: form, preview, confirmation.
pub struct Steps<'a> {
    pub house: &'a House,
    pub operator: &'a Person,
}

impl Steps<'_> {
    /// The preview, and the fields that its confirmation carries.
    pub async fn preview(&self, path: &str, fields: &[(&str, &str)]) -> (Answer, Vec<(String, String)>) {
        let page = self.house.form(self.operator, path, fields).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.says("Nothing has been changed yet."), "{page:?}");
        let carried = carried(&page);
        (page, carried)
    }

    /// Sends a confirmation.
    pub async fn confirm(&self, path: &str, carried: &[(String, String)]) -> Answer {
        let fields: Vec<(&str, &str)> = carried.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.house.form(self.operator, path, &fields).await
    }

    /// Both steps; where it leads to.
    pub async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let (_, carried) = self.preview(path, fields).await;
        let done = self.confirm(path, &carried).await;
        done.location().to_owned()
    }

    /// Without a reason, and with one that is none, it is refused beside its field, and nothing happens.
    pub async fn insists_on_a_reason(&self, path: &str, fields: &[(&str, &str)]) {
        let long = "x".repeat(501);
        for reason in [None, Some(""), Some(" \r\n "), Some(long.as_str()), Some("turned \u{202e} around")] {
            let audited = audited(self.house).await;
            let mut fields = fields.to_vec();
            fields.extend(reason.map(|reason| ("reason", reason)));
            let refused = self.house.form(self.operator, path, &fields).await;
            assert_eq!(refused.status, 422, "{path} {reason:?}: {refused:?}");
            assert!(refused.says("Say why, in 1 to 500 letters."), "{path}: {refused:?}");
            // Nor does it help to say that it was confirmed.
            fields.extend([("nonce", "0123456789"), ("seen", "")]);
            let refused = self.house.form(self.operator, path, &fields).await;
            assert_eq!(refused.status, 422, "{path} {reason:?}: {refused:?}");
            assert_eq!(self::audited(self.house).await, audited, "{path}: nothing was changed");
        }
    }
}

/// The fields that a page's confirmation carries: hidden ones, and the button's.
pub fn carried(page: &Answer) -> Vec<(String, String)> {
    let part = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!("{name}=\""))?;
        Some(unescaped(rest.split_once('"')?.0))
    };
    let inputs = page.text.split("<input type=\"hidden\"").skip(1);
    let button = page.text.split("<button").filter(|tag| tag.contains("name=\"nonce\""));
    inputs.chain(button).filter_map(|tag| Some((part(tag, "name")?, part(tag, "value")?))).collect()
}

/// Undoes what templates do to five letters.
fn unescaped(text: &str) -> String {
    let pairs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, letter)| text.replace(escaped, letter))
}

/// A minute so many days from now: as browsers send it, and in ms.
pub async fn in_days(house: &House, days: u64) -> (String, u64) {
    let minute = (house.now().await.as_u64() / 60_000 + days * 1_440) * 60_000;
    let instant = jiff::Timestamp::from_millisecond(i64::try_from(minute).unwrap()).unwrap();
    (instant.strftime("%Y-%m-%dT%H:%M").to_string(), minute)
}

/// How many rows the audit has.
pub async fn audited(house: &House) -> i64 {
    house.book.number("SELECT count(*) FROM audit").await
}

/// The latest line of an account's audit with this word.
pub async fn latest(house: &House, account: Option<AccountId>, what: &str) -> ActivityLine {
    let lines = house.book.ledger.activity(account, &ActivityFilter::default(), None, 200).await.unwrap();
    lines.into_iter().find(|line| line.what == what).unwrap_or_else(|| panic!("no {what} in the audit"))
}

/// That a change is in the audit as the operator made it.
#[track_caller]
pub fn is_olgas(line: &ActivityLine, before: &Value, after: &Value) {
    assert_eq!((line.actor.as_str(), line.reason.as_str()), ("olga@example.org", WHY), "{line:?}");
    for (found, wanted) in [(&line.before, before), (&line.after, after)] {
        let found = found.clone().unwrap_or(Value::Null);
        match wanted {
            Value::Object(wanted) => {
                for (name, value) in wanted {
                    assert_eq!(&found[name], value, "{name} of {line:?}");
                }
            }
            wanted => assert_eq!(&found, wanted, "{line:?}"),
        }
    }
}
