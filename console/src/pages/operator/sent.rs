//! What a form of an operator's sent, as it was typed.

use ledger::Day;
use metering::{Credits, TimeMs};
use serde::{Deserialize, Serialize};

use crate::operator::wrong::Wrong;
use crate::show;

/// Names of fields that carry a confirmation, and are nothing that anybody typed.
pub const NONCE: &str = "nonce";
pub const SEEN: &str = "seen";
/// The button that leads back to the form.
pub const AGAIN: &str = "again";

/// Fields with their values, in the order of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sent(Vec<(String, String)>);

impl Sent {
    /// The value of a field; empty where there is none.
    pub fn one(&self, name: &str) -> &str {
        self.maybe(name).unwrap_or_default()
    }

    /// The value of a field.
    pub fn maybe(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What somebody typed: everything but what the confirmation carries.
    pub fn typed(&self) -> Vec<(String, String)> {
        let carried = |name: &str| [NONCE, SEEN, AGAIN].contains(&name);
        self.0.iter().filter(|(name, _)| !carried(name)).cloned().collect()
    }

    /// The same with a value where none was typed.
    #[must_use]
    pub fn or(mut self, name: &str, value: impl Into<String>) -> Self {
        if self.maybe(name).is_none() {
            self.0.push((name.to_owned(), value.into()));
        }
        self
    }

    /// A number of credits.
    pub fn credits(&self, field: &'static str) -> Result<Credits, Wrong> {
        let text: String = self.one(field).chars().filter(|letter| !letter.is_whitespace()).collect();
        text.parse().map_err(|_| {
            Wrong::new(field, format!("A whole number of credits, at most {}.", show::credits(Credits::MAX)))
        })
    }

    /// An instant in UTC: as browsers send it, or a day alone.
    pub fn instant(&self, field: &'static str) -> Result<TimeMs, Wrong> {
        instant(self.one(field)).ok_or_else(|| {
            Wrong::new(field, "A day and a time in UTC, as 2026-11-26 03:59, or a day alone: then it is its midnight.")
        })
    }

    /// A day, if one was typed.
    pub fn day(&self, field: &'static str) -> Result<Option<Day>, Wrong> {
        match self.one(field).trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| Wrong::new(field, "A day, as 2026-11-26.")),
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Sent {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

/// Reads `2026-11-26T03:59`, `2026-11-26 03:59:30`, `2026-11-26`, each maybe with `Z` or ` UTC` behind.
fn instant(text: &str) -> Option<TimeMs> {
    let text = text.trim();
    let text = text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(text).trim();
    if text.len() == 10 {
        return text.parse::<Day>().ok().map(Day::starts_at);
    }
    let civil: jiff::civil::DateTime = Some(text).filter(|text| text.len() <= 30)?.parse().ok()?;
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
    u64::try_from(instant).ok().map(TimeMs::new)
}

/// As the field of a browser takes it.
pub fn field_of(at: TimeMs) -> String {
    show::instant(at).replace(" UTC", "").replace(' ', "T")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_people_and_browsers_write_it() {
        let at = 1_795_665_540_000;
        for text in ["2026-11-26T03:59", "2026-11-26 03:59", " 2026-11-26 03:59:00 UTC ", "2026-11-26T03:59:00Z"] {
            assert_eq!(instant(text).map(TimeMs::as_u64), Some(at), "{text}");
        }
        assert_eq!(instant("2026-11-26"), Some(TimeMs::new(at - 3 * 3_600_000 - 59 * 60_000)));
        for wrong in
            ["", "tomorrow", "26.11.2026", "2026-13-01", "1969-12-31 23:59", "2026-11-26T25:00", &"2".repeat(99)]
        {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
        assert_eq!(instant(&field_of(TimeMs::new(at))), Some(TimeMs::new(at)));
    }

    #[test]
    fn credits_may_be_written_with_blanks_between_thousands() {
        let of = |text: &str| Sent::from([("credits", text)]).credits("credits").map(Credits::get);
        assert_eq!([of("1\u{202f}000"), of(" 1 000 "), of("7")], [Ok(1_000), Ok(1_000), Ok(7)]);
        for wrong in ["", "-1", "1.5", "1,000", "9007199254740992", "1e3"] {
            assert_eq!(of(wrong).unwrap_err().field, "credits", "{wrong}");
        }
    }

    #[test]
    fn what_a_confirmation_carries_was_not_typed() {
        let sent = Sent::from([("credits", "5"), (SEEN, "x"), (NONCE, "n")]).or("reason", "r").or("credits", "9");
        let typed = [("credits", "5"), ("reason", "r")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(sent.typed(), typed);
    }
}
