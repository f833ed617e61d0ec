//! Stripe's objects as far as we read them: every field may be missing, unknown ones are passed over, and an object that was
//! expanded in the place of an id counts as the id.

mod customer;
mod invoice;
mod money_back;
mod offer;
mod session;
mod subscription;

use metering::TimeMs;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub(crate) use customer::Customer;
pub(crate) use invoice::{Invoice, InvoicePayment, Line};
pub(crate) use money_back::{Charge, Dispute};
pub(crate) use offer::{Price, Product};
pub(crate) use session::Session;
pub(crate) use subscription::Subscription;

use crate::event::is_name;

const ID_BYTES_MAX: usize = 255;
const EMAIL_LETTERS: std::ops::RangeInclusive<usize> = 3..=320;

/// One page of a list, or the first part of one inside an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct List<T> {
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { data: Vec::new(), has_more: false }
    }
}

/// What we wrote on an object when we made it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Metadata {
    pub account: Option<String>,
    pub plan: Option<String>,
}

/// Reads an object; the error says where it is not of its shape, never what stands there.
pub(crate) fn read<T: DeserializeOwned>(object: &Value) -> Result<T, String> {
    T::deserialize(object).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            let words = error.to_string();
            // Messages of serde repeat the value after a colon or in quotes; the field's name comes before.
            words.split([':', '"', '`']).next().unwrap_or_default().trim().to_owned()
        }
        _ => "no JSON of that shape".to_owned(),
    })
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id of Stripe's is a text, or an object with an id")]
enum Named {
    Id(String),
    Object { id: String },
}

/// An id, or the object in its place, or nothing.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = match Option::<Named>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Named::Id(id) | Named::Object { id }) => id,
    };
    if id.is_empty() {
        return Ok(None);
    }
    if is_name(&id, ID_BYTES_MAX) {
        Ok(Some(id))
    } else {
        Err(D::Error::custom("an id of Stripe's has up to 255 letters"))
    }
}

/// The object's own id, which it must have.
pub(crate) fn own_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    id(deserializer)?.ok_or_else(|| D::Error::custom("an object has an id"))
}

/// An address that a mail could be sent to; what is none is left out, not refused.
pub(crate) fn email(text: Option<&String>) -> Option<String> {
    text.filter(|text| {
        EMAIL_LETTERS.contains(&text.chars().count())
            && text.contains('@')
            && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
    })
    .cloned()
}

/// Stripe counts in seconds.
pub(crate) fn time(seconds: Option<u64>) -> Option<TimeMs> {
    seconds.map(|seconds| TimeMs::new(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Owner {
        #[serde(default, deserialize_with = "id")]
        of: Option<String>,
    }

    fn of(value: &Value) -> Result<Option<String>, String> {
        read::<Owner>(value).map(|owner| owner.of)
    }

    #[test]
    fn an_id_and_an_expanded_object_are_the_same() {
        assert_eq!(of(&json!({ "of": "cus_1" })), Ok(Some("cus_1".into())));
        assert_eq!(
            of(&json!({ "of": { "id": "cus_1", "object": "customer", "deleted": true } })),
            Ok(Some("cus_1".into()))
        );
        for nothing in [json!({}), json!({ "of": null }), json!({ "of": "" })] {
            assert_eq!(of(&nothing), Ok(None));
        }
        for wrong in [json!(7), json!([]), json!({}), json!("a b"), json!("\u{0}"), json!("i".repeat(256))] {
            assert!(of(&json!({ "of": wrong })).is_err(), "{wrong}");
        }
        assert!(of(&json!({ "of": "i".repeat(255) })).is_ok());
    }

    #[test]
    fn an_error_says_nothing_of_what_stood_there() {
        let error = read::<Metadata>(&json!({ "account": { "secret": "x" } })).unwrap_err();
        assert!(!error.contains("secret") && error.starts_with("invalid type"), "{error}");
        let error = read::<Vec<u64>>(&json!(["secret"])).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_left_out() {
        let kept = |text: &str| email(Some(&text.to_owned()));
        assert_eq!(kept("a@b"), Some("a@b".to_owned()));
        let longest = format!("a@{}", "b".repeat(318));
        assert_eq!(kept(&longest), Some(longest.clone()));
        for wrong in ["", "a@", "ab", "abc", "a @b", "a@b\n", &format!("{longest}b")] {
            assert_eq!(kept(wrong), None, "{wrong:?}");
        }
        assert_eq!(email(None), None);
    }

    #[test]
    fn seconds_become_milliseconds() {
        assert_eq!(time(Some(2)), Some(TimeMs::new(2_000)));
        assert_eq!(time(None), None);
    }
}
