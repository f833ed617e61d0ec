//! Which activities: by what they are about, and by days, both of which count.

use ledger::{ActivityCursor, ActivityFilter, ActivityKind, Day};
use serde::Deserialize;

use crate::input;
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
        Ok(span(kinds, input::read("from", said(&self.from))?, input::read("to", said(&self.to))?))
    }

    /// The place that it begins at.
    pub fn cursor(&self) -> Result<Option<ActivityCursor>, Refusal> {
        input::read("after", said(&self.after))
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

/// What operators want to see: of one kind or of all, between two days; empty texts narrow nothing.
pub fn of_operators(kind: &str, from: &str, until: &str) -> Result<ActivityFilter, Refusal> {
    let known =
        |word| ActivityKind::from_word(word).ok_or_else(|| Refusal::bad_request("`kind` is no kind of an activity."));
    let kinds = said(kind).map(known).transpose()?.into_iter().collect();
    Ok(span(kinds, input::read("from", said(from.trim()))?, input::read("until", said(until.trim()))?))
}

/// Both days count.
fn span(kinds: Vec<ActivityKind>, first: Option<Day>, last: Option<Day>) -> ActivityFilter {
    ActivityFilter { kinds, from: first.map(Day::starts_at), until: last.map(|day| day.plus(1).starts_at()) }
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
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

    #[test]
    fn the_last_day_is_among_those_asked_for() {
        let of = of_operators("status", "2026-11-25", "2026-11-26").unwrap();
        let ms = |instant: Option<TimeMs>| instant.map(TimeMs::as_u64);
        assert_eq!((ms(of.from), ms(of.until)), (Some(1_795_564_800_000), Some(1_795_737_600_000)));
        assert_eq!(of.kinds, [ActivityKind::Status]);
        assert_eq!(of_operators("", "", "").unwrap(), ActivityFilter::default());
        assert!(of_operators("nonsense", "", "").is_err() && of_operators("", "26.11.2026", "").is_err());
    }
}
