//! What was used, by day, key and route, in this budget period or in the last 30 days.

use ledger::{Day, Usage};
use metering::{AccountId, BudgetAnchor, Credits, TimeMs};

use crate::refusal::Refusal;
use crate::service::Service;

/// How long "the last days" are.
const LAST_DAYS: u64 = 30;

/// Which days are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// The budget period that runs, up to today.
    #[default]
    Period,
    /// The last 30 days, today among them.
    LastDays,
}

impl Span {
    /// Reads the word of a link; anything else is the period.
    pub fn of(word: Option<&str>) -> Self {
        if word == Some(Self::LastDays.word()) { Self::LastDays } else { Self::Period }
    }

    /// The word for it in links.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::LastDays => "30-days",
        }
    }

    /// From which day to before which one.
    pub fn days(self, anchor: BudgetAnchor, now: TimeMs) -> (Day, Day) {
        let tomorrow = Day::of(now).plus(1);
        let first = match self {
            Self::Period => Day::of(anchor.period_start(anchor.period_end(now))),
            Self::LastDays => tomorrow.minus(LAST_DAYS),
        };
        (first, tomorrow)
    }
}

/// What was used in a span of days.
pub async fn read(service: &Service, account: AccountId, (from, until): (Day, Day)) -> Result<Usage, Refusal> {
    Ok(service.book.usage(account, from, until).await?)
}

/// The credits of all days together.
pub fn total(usage: &Usage) -> Credits {
    let sum = usage.days.iter().try_fold(Credits::ZERO, |sum, day| sum.checked_add(day.credits));
    sum.unwrap_or(Credits::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::NOW;

    #[test]
    fn a_span_ends_today_and_begins_with_the_period_or_thirty_days_ago() {
        let days = |span: Span, anchor: u8| {
            let (from, until) = span.days(BudgetAnchor::new(anchor).unwrap(), NOW);
            (from.to_string(), until.to_string())
        };
        assert_eq!(days(Span::Period, 1), ("2026-11-01".to_owned(), "2026-11-27".to_owned()));
        assert_eq!(days(Span::Period, 26), ("2026-11-26".to_owned(), "2026-11-27".to_owned()));
        assert_eq!(days(Span::Period, 27), ("2026-10-27".to_owned(), "2026-11-27".to_owned()));
        assert_eq!(days(Span::LastDays, 1), ("2026-10-28".to_owned(), "2026-11-27".to_owned()));
        assert_eq!(
            [Span::of(Some("30-days")), Span::of(Some("x")), Span::of(None)],
            [Span::LastDays, Span::Period, Span::Period]
        );
    }
}
