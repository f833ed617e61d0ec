//! Which activities: by what they are about, and by days, both of which count.

use ledger::{ActivityCursor, ActivityFilter, ActivityKind, Day};
use serde::Deserialize;

use crate::refusal::Refusal;

/// As it is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct FilterQuery {
    /// Words of kinds, between commas; nothing = all.
    pub kind: String,
    /// The first day, in UTC; nothing = from the beginning.
    pub from: String,
    /// The last day, in UTC, which counts; nothing = until now.
    pub to: String,
    /// Where the page begins.
    pub after: String,
}

impl FilterQuery {
    /// Reads it, or says what can't be.
    pub fn read(&self) -> Result<ActivityFilter, Refusal> {
        let kinds = self.kind.split(',').filter(|word| !word.is_empty()).map(kind).collect::<Result<Vec<_>, _>>()?;
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        Ok(ActivityFilter { kinds, from: from.map(Day::starts_at), until: to.map(|day| day.plus(1).starts_at()) })
    }

    /// The place that it begins at.
    pub fn cursor(&self) -> Result<Option<ActivityCursor>, Refusal> {
        let after = Some(self.after.as_str()).filter(|after| !after.is_empty());
        after.map(str::parse).transpose().map_err(|error| Refusal::bad_request(format!("`after`: {error}.")))
    }

    /// The same filter as the query of a link, without its place: only words of ours and days are in it.
    pub fn link(&self) -> String {
        let parts = [("kind", &self.kind), ("from", &self.from), ("to", &self.to)];
        let parts = parts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}"));
        parts.collect::<Vec<_>>().join("&")
    }
}

fn kind(word: &str) -> Result<ActivityKind, Refusal> {
    ActivityKind::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = ActivityKind::ALL.iter().map(|kind| kind.as_str()).collect();
        Refusal::bad_request(format!("`kind` is one or more of {}.", known.join(", ")))
    })
}

fn day(name: &str, text: &str) -> Result<Option<Day>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| Refusal::bad_request(format!("`{name}`: {error}.")))
}

#[cfg(test)]
mod tests {
    use metering::TimeMs;

    use super::*;

    fn asked(kind: &str, from: &str, to: &str) -> FilterQuery {
        FilterQuery { kind: kind.to_owned(), from: from.to_owned(), to: to.to_owned(), after: String::new() }
    }

    #[test]
    fn both_days_count() {
        let filter = asked("budget,key", "2026-11-26", "2026-11-26").read().unwrap();
        assert_eq!(filter.kinds, [ActivityKind::Budget, ActivityKind::Key]);
        assert_eq!(filter.from, Some(TimeMs::new(1_795_651_200_000)));
        assert_eq!(filter.until, Some(TimeMs::new(1_795_651_200_000 + 86_400_000)));
        assert_eq!(asked("", "", "").read().unwrap(), ActivityFilter::default());
    }

    #[test]
    fn what_can_not_be_read_is_said_and_never_stands_in_a_link() {
        for wrong in [asked("money", "", ""), asked("", "26.11.2026", ""), asked("", "", "\"><script>")] {
            assert_eq!(wrong.read().unwrap_err().code, "bad_request");
        }
        assert_eq!(asked("budget", "", "2026-11-26").link(), "kind=budget&to=2026-11-26");
        assert!(FilterQuery { after: "x".to_owned(), ..FilterQuery::default() }.cursor().is_err());
        assert_eq!(FilterQuery::default().cursor().unwrap(), None);
    }
}
