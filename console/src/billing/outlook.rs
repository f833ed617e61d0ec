//! The forecast of an account: its lots, and the pace of its last full days.

use ledger::{Day, LotView};
use metering::{AccountId, Credits, TimeMs};

use crate::billing::forecast::{Forecast, Pace, Stock, forecast};
use crate::billing::{lots, usage};
use crate::refusal::Refusal;
use crate::service::Service;

/// Two weeks: each day of the week counts twice.
const DAYS: u64 = 14;

/// What is known of the days to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How fast credits were drawn in the last full days; a young account has fewer than 14.
    pub pace: Pace,
    /// `None` where nothing was drawn in those days, or there are no credits.
    pub forecast: Option<Forecast>,
}

/// How fast credits were drawn lately; 0 in 0 days before the first day is over.
pub async fn pace(service: &Service, account: AccountId, since: TimeMs, now: TimeMs) -> Result<Pace, Refusal> {
    let (from, until) = full_days(since, now);
    if from == until {
        return Ok(Pace { credits: Credits::ZERO, days: 0 });
    }
    let used = usage::read(service, account, (from, until)).await?;
    Ok(Pace { credits: usage::total(&used), days: until.number().saturating_sub(from.number()) })
}

impl Outlook {
    /// What comes of these lots at this pace.
    pub fn at(pace: Pace, lots: &[LotView], now: TimeMs) -> Self {
        let open = lots.iter().filter(|lot| lots::is_open(lot));
        let stocks: Vec<Stock> = open
            .map(|lot| Stock {
                lot: lot.lot,
                remaining: lot.remaining,
                granted_at: lot.granted_at,
                expires_at: lot.expires_at,
            })
            .collect();
        let forecast = if stocks.is_empty() { None } else { forecast(&stocks, pace, now) };
        Self { pace, forecast }
    }
}

/// The last 14 days before today, or those since the day after the account was made.
fn full_days(since: TimeMs, now: TimeMs) -> (Day, Day) {
    let today = Day::of(now);
    let first_full = Day::of(since).plus(1);
    (today.minus(DAYS).max(first_full).min(today), today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::lots::tests::NOW;

    #[test]
    fn only_days_that_are_over_and_that_the_account_saw_whole_make_the_pace() {
        let day = 86_400_000;
        let days = |ago: u64| {
            let (from, until) = full_days(NOW.minus_ms(ago * day), NOW);
            (until.to_string(), until.number() - from.number())
        };
        let found = [days(0), days(1), days(2), days(14), days(15), days(400)].map(|(_, count)| count);
        assert_eq!(found, [0, 0, 1, 13, 14, 14]);
        assert_eq!(days(400).0, "2026-11-26", "today is not over");
    }
}
